/* The prompts among a request's fields (ask.h): what is to be continued. */
#ifndef PP_SERVE_ASK_PROMPT_H
#define PP_SERVE_ASK_PROMPT_H

#include "base/error.h"
#include "serve/ask.h"

/* A text, a list of texts, a list of tokens, or a list of lists of tokens. */
int pp_ask_read_prompt(struct pp_ask *ask, const char *name, json_t *value,
                       struct pp_error *error);
/* The turns of a chat: one prompt. */
int pp_ask_read_messages(struct pp_ask *ask, const char *name, json_t *value,
                         struct pp_error *error);
/* One text. */
int pp_ask_read_text(struct pp_ask *ask, const char *name, json_t *value,
                     struct pp_error *error);

#endif
