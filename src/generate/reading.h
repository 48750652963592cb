/* How fast a rank can read: what decoding few rows is bound by. */
#ifndef PP_GENERATE_READING_H
#define PP_GENERATE_READING_H

#include "generate/source.h"
#include "generate/worker.h"

/* Of the rank's weights, the bytes that each batch reads: all matrices; but of the
 * first stage's wte and wpe it reads rows alone. */
int64_t pp_token_bytes(const struct pp_decoder *decoder);

/* Reads count floats, one after the other, as fast as one thread can. */
void pp_read_plainly(const float *values, size_t count);

/* Measures, for a part of a second. To be called on all ranks at once: those of a
 * machine share its memory in decoding too. */
struct pp_reading pp_reading_measure(struct pp_worker *worker);

#endif
