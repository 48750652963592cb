#include "run/reference.h"

int pp_reference_schedule(struct pp_schedule *reference,
                          const struct pp_schedule *schedule, struct pp_error *error)
{
    int m = schedule->microbatches, copies = schedule->copies;
    if (pp_schedule_init(reference, 1, 1, m, PP_LOOP, error) != 0)
        return -1;
    if (copies > 1) {
        if (pp_schedule_copy_weights(reference, copies, schedule->copy_of, error) != 0)
            return -1;
        for (int c = 0; c < copies; c++)
            reference->rank_of[c] = 0;
        pp_schedule_place(reference);
    }
    pp_schedule_begin_rank(reference, 0);
    for (int i = 0; i < m; i++) {
        pp_push(reference, PP_F, 0, i);
        pp_push(reference, PP_B, 0, i);
    }
    return pp_schedule_end(reference, error);
}
