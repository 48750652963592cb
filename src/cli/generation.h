/* One generation: what the options ask for, and what it works with. */
#ifndef PP_CLI_GENERATION_H
#define PP_CLI_GENERATION_H

#include "cli/chosen_model.h"
#include "cli/conversation.h"
#include "cli/gate.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "generate/engine.h"
#include "generate/prompts.h"
#include "generate/record.h"

struct pp_generation {
    const struct pp_options *options;
    struct pp_terminal terminal;
    int rank, world; /* world 0: the process that starts the ranks */
    struct pp_chosen_model chosen;
    struct pp_sampling sampling;
    struct pp_engine_config engine;
    struct pp_gate gate;

    /* Of rank 0. */
    struct pp_tokenizer tokenizer;
    struct pp_prompts prompts;
    struct pp_conversation conversation; /* where that is what it is */
    struct pp_record record;
    FILE *text; /* where it goes; NULL: nowhere */
    int shown;  /* the sequence whose text goes there now */
    int headed; /* the first so many have had their line in front of it */
};

#endif
