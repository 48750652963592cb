#include "serve/ask.h"

#include <stdlib.h>

void pp_ask_release(struct pp_ask *ask)
{
    free(ask->prompts);
    free(ask->texts);
    free(ask->tokens);
    json_decref(ask->body);
    *ask = (struct pp_ask){0};
}
