#include <stdlib.h>

#include "fuzz.h"
#include "schedule/csv.h"
#include "simulate/simulate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pp_error error = {0};
    struct pp_schedule schedule;
    struct pp_costs costs = {0};
    struct pp_timeline timeline = {0};
    if (fuzz_check(pp_csv_read(&schedule, fuzz_file(data, size), &error), &error) != 0)
        return 0;
    fuzz_check(pp_csv_write(&schedule, fuzz_nowhere(), false, &error), &error);
    fuzz_check(pp_csv_write(&schedule, fuzz_nowhere(), true, &error), &error);
    if (fuzz_check(pp_costs_init(&costs, schedule.stages, &error), &error) == 0 &&
        fuzz_check(pp_timeline_init(&timeline, &schedule, &error), &error) == 0) {
        pp_costs_fill(&costs, 1000, 1000, 1000);
        fuzz_check(pp_simulate(&schedule, &costs, 0, &timeline, &error), &error);
    }
    pp_timeline_release(&timeline);
    pp_costs_release(&costs);
    pp_schedule_release(&schedule);
    return 0;
}
