/* GPT-2's forward by the textbook, in double, one element at a time, from the tensors
 * alone: it shares no code with the model. Every element with a bound of what float may
 * be off there (bounded.h), wherever its sums begin and wherever its factors are
 * multiplied: a bound is made of magnitudes, and no order has larger ones than that
 * which scales each term. */
#ifndef PP_TESTS_BOUNDED_GPT2_H
#define PP_TESTS_BOUNDED_GPT2_H

#include "bounded.h"
#include "model/config.h"

/* x (count, C), behind the last layer, of the sequence tokens[count], count <= T.
 * tensors: by canonical index. */
void bounded_gpt2(struct bounded *x, const struct pp_model_config *config,
                  float *const *tensors, const int32_t *tokens, int count);

/* Final norm and head: logits (V) of one row x (C). */
void bounded_gpt2_logits(struct bounded *logits, const struct pp_model_config *config,
                         float *const *tensors, const struct bounded *x);

/* The tensors of a model, filled by their canonical index; to be released. */
float **bounded_gpt2_tensors(const struct pp_model_config *config);
void bounded_gpt2_release(const struct pp_model_config *config, float **tensors);

#endif
