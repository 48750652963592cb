#include "cli/chosen_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/plan.h"
#include "model/weights.h"
#include "simulate/cost_text.h"

int pp_chosen_model_init(struct pp_chosen_model *model,
                         const struct pp_options *options, int world,
                         struct pp_error *error)
{
    struct pp_weights weights;
    if (!options->load)
        return pp_fail(error, PP_BAD_INPUT,
                       "there is no model: give '--load' FILE|DIR, such as what 'ppsim "
                       "--save' has written, or a folder of GPT-2 from Hugging Face");
    if (pp_weights_open(&weights, options->load, options->heads, error) != 0)
        return -1;
    model->config = weights.config;
    model->end_token = weights.end_token;
    model->folder = strdup(weights.folder);
    pp_weights_close(&weights);
    if (!model->folder)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a path");
    int layers = model->config.layers;
    model->ranks = options->ranks              ? options->ranks
                   : world > 0                 ? world
                   : layers < PP_DEFAULT_RANKS ? layers
                                               : PP_DEFAULT_RANKS;
    if (model->ranks > layers)
        return pp_fail(error, PP_BAD_INPUT,
                       "%d layers cannot fill %d ranks: give '--ranks' of at most %d",
                       layers, model->ranks, layers);
    return 0;
}

void pp_chosen_model_release(struct pp_chosen_model *model)
{
    free(model->folder);
    *model = (struct pp_chosen_model){0};
}

int pp_chosen_tokenizer(struct pp_tokenizer *tokenizer, struct pp_chosen_model *model,
                        const struct pp_options *options, struct pp_error *error)
{
    const char *source = options->tokenizer;
    int vocab = model->config.vocab;
    enum { BYTES = 256 };
    if (!source && pp_tokenizer_found(model->folder))
        source = model->folder;
    if (!source && vocab != BYTES)
        return pp_fail(error, PP_BAD_INPUT,
                       "there is no tokenizer: '%s' holds neither tokenizer.json nor "
                       "merges.txt, and the model has %d tokens: name a folder with "
                       "'--tokenizer' DIR, or say that they are bytes: '--tokenizer' "
                       "bytes",
                       model->folder, vocab);
    if (pp_tokenizer_init(tokenizer, source ? source : "bytes", error) != 0)
        return -1;
    if (tokenizer->vocab > vocab)
        return pp_fail(error, PP_BAD_INPUT,
                       "the tokenizer '%s' has %d tokens, but the model has %d: name "
                       "the model's own with '--tokenizer'",
                       source ? source : "bytes", tokenizer->vocab, vocab);
    if (tokenizer->end >= 0)
        model->end_token = tokenizer->end;
    return 0;
}

int pp_chosen_engine(struct pp_engine_config *engine,
                     const struct pp_chosen_model *model,
                     const struct pp_options *options, struct pp_error *error)
{
    struct pp_hop hop = {.latency = -1, .bandwidth = (double)NAN};
    if (options->link && pp_link_text("link", options->link, &hop, error) != 0)
        return -1;
    *engine = (struct pp_engine_config){
        .model = options->load,
        .heads = options->heads,
        .layer_split = options->layer_split,
        .groups = options->groups,
        .prefill_chunk = options->prefill_chunk,
        .end_token = model->end_token,
        .clock = (enum pp_clock_choice)options->clock,
        .link_latency_s = hop.latency < 0 ? (double)NAN : (double)hop.latency / 1e9,
        .link_bandwidth = hop.bandwidth,
    };
    return 0;
}
