#include <stdlib.h>

#include "fuzz.h"
#include "model/partition.h"
#include "schedules/catalogue.h"
#include "simulate/cost_text.h"
#include "simulate/device.h"

enum { RANKS = 3, CHUNKS = 2, MICROBATCHES = 4 };

/* --cost and --jitter, of a schedule whose ranks have two stages each. */
static void set_costs(const char *text)
{
    struct pp_shape shape = {RANKS, CHUNKS, MICROBATCHES, 0};
    struct pp_error error = {0};
    struct pp_schedule schedule = {0};
    struct pp_costs costs = {0};
    const struct pp_scheduler *row = pp_catalogue_get("bfs", &error);
    if (fuzz_check(pp_schedule_build(&schedule, row, &shape, &error), &error) == 0 &&
        fuzz_check(pp_costs_init(&costs, schedule.stages, &error), &error) == 0) {
        fuzz_check(pp_cost_text(text, &schedule, 1, &costs, &error), &error);
        fuzz_check(pp_jitter_text(text, &costs, &error), &error);
    }
    pp_costs_release(&costs);
    pp_schedule_release(&schedule);
}

static void split(const char *text)
{
    const struct pp_model_config model = {.layers = 8,
                                          .d_model = 8,
                                          .heads = 1,
                                          .seq_len = 4,
                                          .microbatch_size = 1,
                                          .vocab = 16};
    const struct pp_stage_work work[RANKS] = {{0, 1, 0}, {1, 1, 0}, {2, 1, 1}};
    struct pp_error error = {0};
    int layers_of[RANKS];
    fuzz_check(pp_partition(&model, text, RANKS, work, layers_of, &error), &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pp_error error = {0};
    struct pp_device device;
    double *slow = NULL;
    char *text = fuzz_text(data, size);
    if (!text)
        return 0;
    set_costs(text);
    split(text);
    fuzz_check(pp_slow_text(text, RANKS, &slow, &error), &error);
    fuzz_check(pp_device_text(text, &device, &error), &error);
    free(slow);
    free(text);
    return 0;
}
