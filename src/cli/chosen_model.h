/* The model that a command is given to generate with: what its files say, which
 * tokenizer it goes with, over how many ranks it is split, and what of its engine the
 * options say. */
#ifndef PP_CLI_CHOSEN_MODEL_H
#define PP_CLI_CHOSEN_MODEL_H

#include "cli/options.h"
#include "generate/engine.h"
#include "model/config.h"
#include "text/tokenizer.h"

struct pp_chosen_model {
    struct pp_model_config config;
    char *folder;  /* where its tokenizer would lie */
    int end_token; /* -1: none */
    int ranks;
};

/* Looks at '--load'. world: as many ranks as a launcher has started; 0: it is for the
 * options, or the model's layers, to say. PP_BAD_INPUT. */
int pp_chosen_model_init(struct pp_chosen_model *model,
                         const struct pp_options *options, int world,
                         struct pp_error *error);
void pp_chosen_model_release(struct pp_chosen_model *model);

/* Which tokenizer: the one that is asked for, the model's own, or bytes, where there
 * can be no other. Its end token is the model's from then on. */
int pp_chosen_tokenizer(struct pp_tokenizer *tokenizer, struct pp_chosen_model *model,
                        const struct pp_options *options, struct pp_error *error);

/* What the options say of the engine; its slots are the command's to set. */
int pp_chosen_engine(struct pp_engine_config *engine,
                     const struct pp_chosen_model *model,
                     const struct pp_options *options, struct pp_error *error);

#endif
