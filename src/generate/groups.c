#include "generate/groups.h"

#include <math.h>

static double stage_time(const struct pp_stage_time *stage, int rows, int of)
{
    if (rows <= 1)
        return stage->one;
    return stage->one + (stage->many - stage->one) * (of - 1) / (rows - 1);
}

double pp_round_time(const struct pp_stage_time *stages, int count, double hop,
                     int rows, int sequences, int groups)
{
    int of = (sequences + groups - 1) / groups;
    double most = 0, sum = 0;
    for (int s = 0; s < count; s++) {
        double time = stage_time(&stages[s], rows, of);
        most = fmax(most, time);
        sum += time;
    }
    return fmax(groups * most, sum + count * hop);
}

int pp_choose_groups(const struct pp_stage_time *stages, int count, double hop,
                     int rows, int sequences)
{
    const double alike = 1.02;
    double least = INFINITY;
    int groups = 1;
    for (int g = 1; g <= sequences; g++)
        least = fmin(least, pp_round_time(stages, count, hop, rows, sequences, g));
    while (pp_round_time(stages, count, hop, rows, sequences, groups) > alike * least)
        groups++;
    return groups;
}
