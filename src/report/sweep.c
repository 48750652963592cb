#include "report/sweep.h"

#include <math.h>
#include <stdlib.h>

#include "base/words.h"

void pp_sweep_release(struct pp_sweep *sweep)
{
    for (int c = 0; c < sweep->column_count; c++) {
        struct pp_sweep_column *column = &sweep->columns[c];
        for (int i = 0; i < column->count; i++)
            free(column->texts[i]);
        free(column->texts);
        free(column->numbers);
    }
    free(sweep->points);
    *sweep = (struct pp_sweep){0};
}

const char *pp_sweep_cell(const struct pp_sweep *sweep,
                          const struct pp_sweep_point *point, int column)
{
    int value = point->values[column];
    return value < 0 ? NULL : sweep->columns[column].texts[value];
}

const struct pp_sweep_point *pp_sweep_best(const struct pp_sweep *sweep, int figure,
                                           int *alike)
{
    const struct pp_sweep_point *best = NULL;
    double sign = sweep->judged[figure].figure->higher_worse ? 1 : -1;
    *alike = 0;
    for (int i = 0; i < sweep->count; i++) {
        const struct pp_sweep_point *point = &sweep->points[i];
        if (!point->done || isnan(point->judged[figure]))
            continue;
        double worse =
            best ? sign * (point->judged[figure] - best->judged[figure]) : -1;
        if (worse < 0) {
            best = point;
            *alike = 0;
        } else if (!(worse > 0)) {
            ++*alike;
        }
    }
    return best;
}

const char *pp_sweep_point_text(const struct pp_sweep *sweep,
                                const struct pp_sweep_point *point,
                                char text[PP_POINT_TEXT])
{
    pp_assign(text, PP_POINT_TEXT, "%s, p=%d, v=%d, m=%d", point->schedule,
              point->ranks, point->chunks, point->microbatches);
    for (int c = 0; c < sweep->column_count; c++) {
        const char *cell = pp_sweep_cell(sweep, point, c);
        if (cell)
            pp_append(text, PP_POINT_TEXT, ", %s %s", sweep->columns[c].label, cell);
    }
    return text;
}
