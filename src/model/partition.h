/* Which layers a stage holds. */
#ifndef PP_MODEL_PARTITION_H
#define PP_MODEL_PARTITION_H

#include "model/config.h"

/* What a stage does for one microbatch, in any unit: its layers alike, and what it has
 * beyond them (head, embedding). */
struct pp_stage_work {
    int rank; /* that holds it */
    double layer, extra;
};

/* Fills layers_of[stages], stages >= 1, from a --layer-split text:
 *   "even" or NULL  layers / stages each, the remainder one each to the first stages
 *   "auto"          contiguous split in which the rank that does most does least; that
 *                   is found where the layers of a rank's stages cost the same
 *   "3,2,2,1"       as it says: one number >= 1 per stage, summing to config->layers
 * work [stages] is for "auto" alone, and else may be NULL. PP_BAD_INPUT names what is
 * wrong and what would be valid (more stages than layers: the most stages that work).
 */
int pp_partition(const struct pp_model_config *config, const char *split, int stages,
                 const struct pp_stage_work *work, int *layers_of,
                 struct pp_error *error);

/* How many layers a split has that lists as many numbers as there are stages; 0 where
 * it does not. */
long pp_partition_listed(const char *split, int stages);

/* Floating-point operations of one microbatch through layers layers, and through the
 * head if one follows them: forward, and the two halves of backward. A multiply-add
 * counts 2; only GEMMs are counted, so the embedding, a look-up, costs nothing. input
 * counts no re-computation. */
struct pp_flops {
    double forward, input, weight;
};
struct pp_flops pp_stage_flops(const struct pp_model_config *config, int layers,
                               bool head);

/* The stages' work as these FLOPs, forward and backward, with the forward that is
 * computed again, times slow [ranks] (NULL: 1).
 */
void pp_work_of_flops(const struct pp_model_config *config, int stages,
                      const int *rank_of, const double *slow,
                      struct pp_stage_work *work);

#endif
