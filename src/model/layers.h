/* GPT-2's layers, each as forward, backward for the input and backward for the weights
 * (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, §2.3).
 *
 * Dimension legend: B sequences, T positions, N = B T tokens, C = d_model, H heads,
 * D = C / H, V vocabulary; K and M are a linear layer's inputs and outputs. Arrays are
 * row-major and packed; dx is the loss's gradient by x. Unless it says "accumulates", a
 * function overwrites its results, and its results and arguments do not overlap.
 *
 * A function's result depends on its arguments alone, bit for bit: every sum has one
 * order, with as many partial sums as a 64-byte register holds. */
#ifndef PP_MODEL_LAYERS_H
#define PP_MODEL_LAYERS_H

#include <stddef.h>
#include <stdint.h>

#include "model/real.h"

/* Token and position embedding (§2.3; positions learned, as in GPT).
 * x (N, C); tokens (N); wte (V, C); wpe (T, C). */
void pp_embedding_forward(real *x, const int32_t *tokens, const real *wte,
                          const real *wpe, int B, int T, int C);
/* Accumulates into dwte, dwpe. There is nothing before it that wants a gradient. */
void pp_embedding_backward_weight(real *dwte, real *dwpe, const real *dx,
                                  const int32_t *tokens, int B, int T, int C);

/* Layer normalisation (Ba, Kiros & Hinton, arXiv 1607.06450, eq. 3 and 4), with
 * epsilon 1e-5 under the root. y, x, standard (N, C); rstd (N); w, b (C).
 * standard is x shifted and scaled to mean 0 and variance 1, rstd the scale 1/sigma:
 * what the backward needs, so that x need not be kept. */
void pp_layernorm_forward(real *y, real *standard, real *rstd, const real *x,
                          const real *w, const real *b, int N, int C);
/* Computes y again from what the forward kept, bit for bit: y = standard * w + b. So y
 * itself need not be kept. */
void pp_layernorm_recompute(real *y, const real *standard, const real *w, const real *b,
                            int N, int C);
/* dx = dresidual + what comes through the norm; dresidual NULL: nothing beside it. */
void pp_layernorm_backward_input(real *dx, const real *dresidual, const real *dy,
                                 const real *standard, const real *rstd, const real *w,
                                 int N, int C);
/* Accumulates into dw, db. */
void pp_layernorm_backward_weight(real *dw, real *db, const real *dy,
                                  const real *standard, int N, int C);

/* Linear layer y = x W + b, plus residual where that is not NULL (it may be y itself).
 * y, residual (N, M); x (N, K); W (K, M), inputs by outputs, as Hugging Face's Conv1D;
 * b (M). */
void pp_linear_forward(real *y, const real *residual, const real *x, const real *w,
                       const real *b, int N, int K, int M);
/* dx (N, K) from dy (N, M). The residual's gradient is dy. */
void pp_linear_backward_input(real *dx, const real *dy, const real *w, int N, int K,
                              int M);
/* Accumulates into dw, db. */
void pp_linear_backward_weight(real *dw, real *db, const real *dy, const real *x, int N,
                               int K, int M);

/* Causal multi-head attention (Vaswani et al., arXiv 1706.03762, eq. 1, each position
 * seeing itself and those before it). y (N, C); p (B, H, T, T), the attention weights,
 * zero above the diagonal; qkv (N, 3C), a token's query, key and value side by side,
 * each of H heads of D. No parameters, so no backward for weights. */
void pp_attention_forward(real *y, real *p, const real *qkv, int B, int T, int C,
                          int H);
/* dqkv (N, 3C) from dy (N, C); dp (T, T) is scratch. */
void pp_attention_backward_input(real *dqkv, real *dp, const real *dy, const real *p,
                                 const real *qkv, int B, int T, int C, int H);

/* GELU in its tanh form (Hendrycks & Gimpel, arXiv 1606.08415, §2), in place.
 * x (count) holds the argument before and the value after; slope (count) receives the
 * derivative, which costs little beside the exponential and spares the backward
 * another. */
void pp_gelu_forward(real *x, real *slope, size_t count);
/* dx (count), in place: the gradient by the value before, by the argument after. */
void pp_gelu_backward_input(real *dx, const real *slope, size_t count);

/* Output head, without bias: logits (N, V) = x (N, C) Wᵀ, W (V, C) laid out like wte,
 * which it is when tied (Press & Wolf, arXiv 1608.05859). */
void pp_head_forward(real *logits, const real *x, const real *w, int N, int C, int V);
void pp_head_backward_input(real *dx, const real *dlogits, const real *w, int N, int C,
                            int V);
/* Accumulates into dw. */
void pp_head_backward_weight(real *dw, const real *dlogits, const real *x, int N, int C,
                             int V);

/* Softmax and cross-entropy. p (N, V) holds the logits before and the probabilities
 * after; targets (N). Returns the sum over the tokens of -ln p(target), in nats. */
double pp_cross_entropy_forward(real *p, const int32_t *targets, int N, int V);
/* In place: the probabilities before, the gradient by the logits of scale times the
 * returned sum after. */
void pp_cross_entropy_backward_input(real *p, const int32_t *targets, real scale, int N,
                                     int V);

#endif
