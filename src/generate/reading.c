#include "generate/reading.h"

#include <math.h>
#include <stdlib.h>

#include "base/available.h"
#include "base/pages.h"
#include "model/fused.h"

int64_t pp_token_bytes(const struct pp_decoder *decoder)
{
    const struct pp_model_config *config = &decoder->config;
    int64_t C = config->d_model;
    int64_t head = decoder->head ? C * config->vocab : 0;
    return (12 * C * C * decoder->layers + head) * (int64_t)sizeof(float);
}

/* So that reading is not left out. */
static volatile float read_last;

void pp_read_plainly(const float *values, size_t count)
{
    enum { SUMS = 8, STEP = SUMS * PP_LANES };
    pp_vector sums[SUMS] = {{0}};
    for (size_t i = 0; i + STEP <= count; i += STEP)
        for (int j = 0; j < SUMS; j++)
            sums[j] += *(const pp_vector *)(values + i + j * PP_LANES);
    for (int j = 1; j < SUMS; j++)
        sums[0] += sums[j];
    read_last = sums[0][0];
}

/* Bytes per second, of the fastest of a few times, or of one that lasts. */
static double speed(struct pp_clock *clock, const float *values, size_t bytes)
{
    enum { TIMES = 3, ENOUGH_NS = 50000000 };
    int64_t least = INT64_MAX, all = 0;
    for (int time = 0; time < TIMES && all < ENOUGH_NS; time++) {
        int64_t start = pp_clock_begin(clock, 0);
        pp_read_plainly(values, bytes / sizeof *values);
        int64_t took = pp_clock_end(clock, start) - start;
        least = took < least ? took : least;
        all += took;
    }
    return (double)bytes * 1e9 / (double)(least > 0 ? least : 1);
}

/* Is there so much memory for each rank, even if all are here, and as much again? */
static bool is_to_spare(const struct pp_world *world, size_t bytes)
{
    struct pp_available available = pp_available("");
    return pp_available_least(&available, NULL) > 2.0 * world->size * (double)bytes;
}

struct pp_reading pp_reading_measure(struct pp_worker *worker)
{
    const size_t unknown = (size_t)128 << 20;
    const struct pp_site *site = worker->site;
    const struct pp_decoder *decoder = &worker->decoder;
    struct pp_clock *clock = &worker->site->clock;
    size_t cache = site->topology.cache_bytes ? site->topology.cache_bytes : unknown;
    size_t beyond = 2 * cache;
    struct pp_reading reading = {
        .weights = speed(clock, decoder->values, decoder->parameter_bytes),
        .memory = (double)NAN,
        .cached = (uint64_t)pp_token_bytes(decoder) <= cache,
    };
    if (decoder->parameter_bytes >= beyond) {
        reading.memory = reading.weights; /* they are such an array */
    } else if (is_to_spare(&site->world, beyond)) {
        float *array = pp_large_alloc(beyond);
        if (array)
            reading.memory = speed(clock, array, beyond);
        free(array);
    }
    return reading;
}
