#include "report/sweep.h"

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
