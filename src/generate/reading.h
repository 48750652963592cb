/* How fast a rank can read its weights: what decoding few rows is bound by. */
#ifndef PP_GENERATE_READING_H
#define PP_GENERATE_READING_H

#include "generate/worker.h"

/* Of the rank's weights, the bytes that each batch reads: all matrices; but of the
 * first stage's wte and wpe it reads rows alone. */
int64_t pp_token_bytes(const struct pp_decoder *decoder);

/* Bytes per second of reading all weights one after the other, the fastest of a few
 * times, on the rank's clock. Weights that fit into caches are read from there, as in
 * decoding. */
double pp_read_speed(struct pp_worker *worker);

#endif
