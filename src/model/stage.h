/* A stage: a contiguous run of GPT-2 layers, with the embedding if it is the first
 * and the final norm, head and loss if it is the last. Forward, backward-input and
 * backward-weight stand side by side; a whole backward calls the latter two.
 * Dimension legend in stage_layout.h. */
#ifndef PP_MODEL_STAGE_H
#define PP_MODEL_STAGE_H

#include "model/stage_layout.h"

/* One microbatch passing through one stage. Tokens and targets are int32 (B, T);
 * kept.transients, kept.activations and gradients are buffers of
 * pp_stage_transient_count, pp_stage_activation_count and pp_stage_gradient_count
 * reals, aligned to PP_ALIGN. */
struct pp_pass {
    const int32_t *tokens;   /* (B, T), needed by the embed stage */
    const int32_t *targets;  /* (B, T), needed by the head stage */
    const real *input;       /* (N, C) from the stage before; unused by the embed stage.
                              * Read by forward alone */
    struct pp_kept kept;     /* written by forward; backward-input turns the head's
                              * probabilities into their logits' gradients in place,
                              * so call it once */
    const real *output_grad; /* (N, C) from the stage after; unused by the head stage.
                              * Read by backward-input and backward-weight */
    real *gradients;         /* written by backward-input, read by backward-weight */
    real loss_scale; /* 1 / (m N): the loss is the mean over all tokens of the step */
};

/* A stage without memory: all that its sizes follow from, real_count among them. */
struct pp_stage pp_stage_shape(const struct pp_model_config *config, int first_layer,
                               int layers, bool embed, bool head);

/* Allocates parameters (uninitialised) and gradients (zeroed). PP_ENVIRONMENT when
 * out of memory. The stage owns them; release frees. */
int pp_stage_init(struct pp_stage *stage, const struct pp_model_config *config,
                  int first_layer, int layers, bool embed, bool head,
                  struct pp_error *error);
void pp_stage_release(struct pp_stage *stage);

/* Forward: overwrites pass->kept, its inputs where they are not NULL, and output (N, C)
 * unless that is NULL, as in the head stage. The head stage adds nothing: it sets
 * *loss_sum to the sum over the microbatch's tokens of the cross-entropy, in nats,
 * summed in double in token order; other stages leave it alone (may be NULL). */
void pp_stage_forward(const struct pp_stage *stage, const struct pp_pass *pass,
                      real *output, double *loss_sum);

/* Backward for the input: overwrites pass->gradients, and input_grad (N, C) unless it
 * is the embed stage (may be NULL there). */
void pp_stage_backward_input(const struct pp_stage *stage, const struct pp_pass *pass,
                             real *input_grad);

/* Backward for the weights: accumulates into stage->grads. */
void pp_stage_backward_weight(const struct pp_stage *stage, const struct pp_pass *pass);

/* Re-computation, where pass->kept has the inputs that forward kept: computes its
 * transients and activations again, bitwise as they were, for the two above. */
void pp_stage_recompute(const struct pp_stage *stage, const struct pp_pass *pass);

/* The whole backward of a stage that keeps each block's input, bitwise the three above:
 * block after block is computed again and gone through, so that kept.alone may be. */
void pp_stage_backward_by_block(const struct pp_stage *stage,
                                const struct pp_pass *pass, real *input_grad);

#endif
