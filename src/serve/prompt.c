#include "serve/prompt.h"

#include <stdlib.h>
#include <string.h>

#include "serve/bytes.h"

/* Tokens in the making. */
struct tokens {
    int32_t *all; /* [room] */
    int count, room;
};

static int add_tokens(struct tokens *tokens, const int32_t *more, int count,
                      struct pp_error *error)
{
    if (tokens->count + count > tokens->room) {
        int room = 2 * (tokens->count + count);
        int32_t *all = realloc(tokens->all, (size_t)room * sizeof *all);
        if (!all)
            return pp_fail(error, PP_ENVIRONMENT, "out of memory for a prompt");
        tokens->all = all;
        tokens->room = room;
    }
    for (int i = 0; i < count; i++)
        tokens->all[tokens->count + i] = more[i];
    tokens->count += count;
    return 0;
}

static int add_text(struct tokens *tokens, const struct pp_bytes *text,
                    const struct pp_tokenizer *tokenizer, struct pp_error *error)
{
    int32_t *more = NULL;
    int count = 0;
    size_t length = pp_bytes_count(text);
    int status = pp_tokenizer_encode(tokenizer, length > 0 ? pp_bytes_at(text) : "",
                                     length, false, &more, &count, error);
    if (status == 0)
        status = add_tokens(tokens, more, count, error);
    free(more);
    return status;
}

static enum pp_turns resolve(const struct pp_limits *limits)
{
    if (limits->turns != PP_TURNS_AUTO)
        return limits->turns;
    return limits->tokenizer->end >= 0 ? PP_TURNS_JOINED : PP_TURNS_PLAIN;
}

/* Each turn's parts are one text; so are all turns where they are plain. */
static int add_texts(struct tokens *tokens, const struct pp_ask_text *texts, int count,
                     const struct pp_limits *limits, struct pp_error *error)
{
    const enum pp_turns turns = resolve(limits);
    const int32_t end = limits->tokenizer->end;
    struct pp_bytes text = {0};
    int status = 0;
    for (int i = 0; i < count && status == 0; i++) {
        bool last = i + 1 == count;
        pp_bytes_add(&text, texts[i].text, texts[i].length);
        if (!last && texts[i + 1].goes_on)
            continue;
        if (turns == PP_TURNS_PLAIN && !last) {
            pp_bytes_add(&text, "\n", 1);
            continue;
        }
        if (text.failed)
            status = pp_fail(error, PP_ENVIRONMENT, "out of memory for a prompt");
        if (status == 0)
            status = add_text(tokens, &text, limits->tokenizer, error);
        if (status == 0 && turns != PP_TURNS_PLAIN &&
            (!last || turns == PP_TURNS_ENDED))
            status = add_tokens(tokens, &end, 1, error);
        pp_bytes_drop(&text, pp_bytes_count(&text));
    }
    pp_bytes_release(&text);
    return status;
}

static int check(const struct tokens *tokens, const struct pp_limits *limits,
                 struct pp_error *error)
{
    for (int i = 0; i < tokens->count; i++) {
        if (tokens->all[i] < 0 || tokens->all[i] >= limits->vocab)
            return pp_fail(error, PP_BAD_INPUT,
                           "the prompt's token %d is none of the model's: 0 to %d are",
                           (int)tokens->all[i], limits->vocab - 1);
    }
    return 0;
}

int pp_prompt_encode(const struct pp_ask *ask, const struct pp_ask_prompt *prompt,
                     const struct pp_limits *limits, int32_t **tokens, int *count,
                     struct pp_error *error)
{
    struct tokens made = {0};
    struct pp_limits own = *limits;
    const int32_t end = limits->tokenizer->end;
    int status;
    if (ask->shape != PP_SHAPE_CHAT)
        own.turns = PP_TURNS_PLAIN;
    if (prompt->tokens)
        status = add_tokens(&made, ask->tokens + prompt->from, prompt->count, error);
    else
        status =
            add_texts(&made, ask->texts + prompt->from, prompt->count, &own, error);
    if (status == 0 && made.count == 0)
        status = end >= 0
                     ? add_tokens(&made, &end, 1, error)
                     : pp_fail(error, PP_BAD_INPUT,
                               "the prompt is empty, and the model's tokenizer has "
                               "no token to begin a text with");
    if (status == 0)
        status = check(&made, limits, error);
    *tokens = made.all;
    *count = made.count;
    return status;
}
