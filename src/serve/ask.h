/* What a client asks for, whatever the shape in which it does. */
#ifndef PP_SERVE_ASK_H
#define PP_SERVE_ASK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "generate/sampler.h"

enum pp_ask_shape {
    PP_SHAPE_COMPLETION, /* POST /v1/completions */
    PP_SHAPE_CHAT,       /* POST /v1/chat/completions */
    PP_SHAPE_TEXT,       /* POST /chat */
    PP_SHAPES
};

/* Text of a prompt: one turn of a chat, or a part of one. */
struct pp_ask_text {
    const char *text; /* [length] UTF-8, borrowed from the body; may hold zero bytes */
    size_t length;
    bool goes_on; /* part of the same turn as the text before it */
};

/* A prompt: `count` texts or tokens of the ask's, from `from` on. */
struct pp_ask_prompt {
    bool tokens;
    int from, count;
};

enum { PP_MOST_SEQUENCES = 128, PP_MOST_STOPS = 16, PP_ASK_PARAM = 64 };

struct pp_ask {
    enum pp_ask_shape shape;
    json_t *body;                  /* owned */
    struct pp_ask_prompt *prompts; /* [prompt_count] owned */
    struct pp_ask_text *texts;     /* [text_count] owned */
    int32_t *tokens;               /* [token_count] owned; not negative */
    int prompt_count, text_count, token_count;
    int n;          /* sequences of each prompt; prompt_count * n is at most
                     * PP_MOST_SEQUENCES */
    int max_tokens; /* 0: as many as the context has room for */
    struct pp_sampling sampling;
    bool seeded;                      /* the seed was given */
    const char *stops[PP_MOST_STOPS]; /* [stop_count] not empty; borrowed likewise */
    int stop_count;
    bool stream;
    enum {
        PP_USAGE_LAST,
        PP_USAGE_APART,
        PP_USAGE_NONE
    } usage;                  /* of a stream: in the
                               * last chunk, in one behind it, or nowhere */
    char param[PP_ASK_PARAM]; /* the field that a refusal is about, or "" */
};

void pp_ask_release(struct pp_ask *ask);

#endif
