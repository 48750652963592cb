/* One generation: what the options ask for, and what it works with. */
#ifndef PP_CLI_GENERATE_H
#define PP_CLI_GENERATE_H

#include "cli/options.h"
#include "cli/terminal.h"
#include "generate/engine.h"
#include "generate/prompts.h"
#include "model/config.h"
#include "text/tokenizer.h"

struct pp_generation {
    const struct pp_options *options;
    struct pp_terminal terminal;
    int rank, world; /* world 0: the process that starts the ranks */
    int ranks;
    struct pp_model_config model;
    char *folder; /* where its tokenizer would lie */
    int end_token;
    struct pp_sampling sampling;
    struct pp_engine_config engine;

    /* Of rank 0. */
    struct pp_tokenizer tokenizer;
    struct pp_prompts prompts;
    FILE *text; /* where it goes; NULL: nowhere */
    int shown;  /* the sequence whose text goes there now */
};

#endif
