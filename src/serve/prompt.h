/* From what was asked to the tokens that the model continues. */
#ifndef PP_SERVE_PROMPT_H
#define PP_SERVE_PROMPT_H

#include "base/error.h"
#include "serve/ask.h"
#include "serve/turns.h"
#include "text/tokenizer.h"

/* What a prompt is to fit. */
struct pp_limits {
    int vocab, context;
    enum pp_turns turns;
    const struct pp_tokenizer
        *tokenizer; /* borrowed for as long as what is made lives */
};

/* Sets *tokens (*count, at least 1), to be freed, also on failure. An empty text is the
 * end token, behind which texts begin. PP_BAD_INPUT where there is none, or a token is
 * not the model's, or turns are to be joined by an end token that the tokenizer lacks.
 */
int pp_prompt_encode(const struct pp_ask *ask, const struct pp_ask_prompt *prompt,
                     const struct pp_limits *limits, int32_t **tokens, int *count,
                     struct pp_error *error);

#endif
