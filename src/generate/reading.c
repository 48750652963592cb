#include "generate/reading.h"

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

static void read_all(const float *values, size_t count)
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

double pp_read_speed(struct pp_worker *worker)
{
    enum { TIMES = 3 };
    const struct pp_decoder *decoder = &worker->decoder;
    struct pp_clock *clock = &worker->site->clock;
    size_t bytes = decoder->parameter_bytes;
    int64_t least = INT64_MAX;
    for (int time = 0; time < TIMES; time++) {
        int64_t start = pp_clock_begin(clock, 0);
        read_all(decoder->values, bytes / sizeof *decoder->values);
        int64_t took = pp_clock_end(clock, start) - start;
        least = took < least ? took : least;
    }
    return (double)bytes * 1e9 / (double)(least > 0 ? least : 1);
}
