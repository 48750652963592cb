/* Which layers a stage holds. */
#ifndef PP_MODEL_PARTITION_H
#define PP_MODEL_PARTITION_H

#include "model/config.h"

/* Fills layers_of[stages], stages >= 1, from a --layer-split text:
 *   "even" or NULL  layers / stages each, the remainder one each to the first stages
 *   "auto"          contiguous split with the smallest heaviest stage, counting each
 *                   stage's FLOPs, the head's included
 *   "3,2,2,1"       as it says: one number >= 1 per stage, summing to config->layers
 * PP_BAD_INPUT names what is wrong and what would be valid (more stages than layers:
 * the most stages that work). */
int pp_partition(const struct pp_model_config *config, const char *split, int stages,
                 int *layers_of, struct pp_error *error);

/* Floating-point operations of one microbatch through layers layers, and through the
 * head if one follows them: forward, and the two halves of backward. A multiply-add
 * counts 2; only GEMMs are counted, so the embedding, a look-up, costs nothing. */
struct pp_flops {
    double forward, input, weight;
};
struct pp_flops pp_stage_flops(const struct pp_model_config *config, int layers,
                               bool head);

#endif
