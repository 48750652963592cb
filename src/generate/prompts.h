/* A source of requests that are known from the start: the prompts of a command line.
 * Collects tokens, text and times of each, and passes the text on as it comes. */
#ifndef PP_GENERATE_PROMPTS_H
#define PP_GENERATE_PROMPTS_H

#include "generate/source.h"
#include "generate/stopper.h"
#include "text/text_decoder.h"

struct pp_prompts_config {
    const struct pp_tokenizer *tokenizer; /* borrowed, as are the stops */
    struct pp_sampling sampling;
    int max_tokens; /* of each */
    int context;    /* the model's */
    bool cut; /* of a prompt that has no room in the context, with its max_tokens or
               * half of it, the begin is left out; else it is refused */
    const char *const *stops;
    int stop_count;
    /* Text of the index-th sequence, in order, whole characters or bytes that are none;
     * of no bytes where it has come to its end. NULL: not of interest. */
    void (*write)(void *data, int index, const char *text, size_t length);
    /* Every batch that has returned. NULL: not of interest. */
    void (*batch)(void *data, const struct pp_batch_trace *trace);
    void *data;
};

/* A prompt and what became of it. */
struct pp_prompt {
    int32_t *prompt; /* [prompt_count] owned, as are tokens and text */
    int prompt_count;
    int32_t *tokens; /* [token_count] all that were drawn, the end token too */
    int64_t *times;  /* [token_count] ns on the engine's clock: the draw's end */
    int token_count;
    char *text; /* without what a stop cuts off; bytes */
    size_t text_bytes;
    const char *finish; /* "length", "stop", "end"; NULL: it was stopped before */
    struct pp_text_decoder decoder;
    struct pp_stopper stopper;
};

struct pp_prompts {
    struct pp_prompts_config config;
    struct pp_prompt *prompts; /* [count] */
    int count;
    int asked;             /* the first so many were given to the engine */
    struct pp_error fault; /* where memory was out: all end */
};

/* No prompts yet. */
void pp_prompts_init(struct pp_prompts *prompts,
                     const struct pp_prompts_config *config);
void pp_prompts_release(struct pp_prompts *prompts);

/* One more. The empty text is the end token, if the tokenizer has one. PP_BAD_INPUT:
 * where it has none, and where the text has more tokens than the context. */
int pp_prompts_add(struct pp_prompts *prompts, const char *text, size_t length,
                   struct pp_error *error);

/* Blocks of the cache that all of them may come to need. */
int pp_prompts_blocks(const struct pp_prompts *prompts);

/* The source of them. */
struct pp_source pp_prompts_source(struct pp_prompts *prompts);

#endif
