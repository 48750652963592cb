/* What a schedule that decodes knows of its microbatches. */
#include <stdlib.h>
#include <string.h>

#include "schedule/schedule.h"

const char pp_prefill[] = "prefill", pp_decode[] = "decode";

static int *copy_of(const int *numbers, int count)
{
    int *copy = malloc((size_t)count * sizeof *copy);
    if (copy)
        memcpy(copy, numbers, (size_t)count * sizeof *copy);
    return copy;
}

/* The inverse of after. Where two begin with the same tokens, the first does. */
static void find_then(struct pp_schedule *schedule)
{
    int m = schedule->microbatches;
    for (int i = 0; i < m; i++)
        schedule->then[i] = -1;
    for (int i = 0; i < m; i++) {
        int after = schedule->after[i];
        if (after >= 0 && after < m && schedule->then[after] < 0)
            schedule->then[after] = i;
    }
}

int pp_schedule_decode(struct pp_schedule *schedule, const struct pp_decoding *decoding,
                       struct pp_error *error)
{
    int m = schedule->microbatches;
    size_t classes = (size_t)decoding->class_count;
    schedule->after = copy_of(decoding->after, m);
    schedule->then = copy_of(decoding->after, m);
    schedule->group_of = copy_of(decoding->group_of, m);
    schedule->class_of = copy_of(decoding->class_of, m);
    schedule->classes = calloc(classes + 1, sizeof *schedule->classes);
    if (!schedule->after || !schedule->then || !schedule->group_of ||
        !schedule->class_of || !schedule->classes) {
        pp_schedule_release(schedule);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d microbatches", m);
    }
    memcpy(schedule->classes, decoding->classes, classes * sizeof *schedule->classes);
    schedule->class_count = decoding->class_count;
    for (int i = 0; i < m; i++) {
        if (schedule->group_of[i] >= schedule->groups)
            schedule->groups = schedule->group_of[i] + 1;
    }
    find_then(schedule);
    return 0;
}

const struct pp_class *pp_class_of(const struct pp_schedule *schedule,
                                   uint32_t microbatch)
{
    return schedule->classes ? &schedule->classes[schedule->class_of[microbatch]]
                             : NULL;
}
