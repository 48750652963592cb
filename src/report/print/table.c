#include "report/print/table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"

int pp_table_init(struct pp_table *table, int rows, int columns, struct pp_error *error)
{
    *table = (struct pp_table){
        .columns = columns,
        .rows = rows,
        .cells = calloc(((size_t)rows + 1) * (size_t)columns, sizeof *table->cells),
    };
    if (!table->cells)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a table of %d rows",
                       rows);
    return 0;
}

void pp_table_release(struct pp_table *table)
{
    free(table->cells);
    *table = (struct pp_table){0};
}

static char *cell_at(const struct pp_table *table, int row, int column)
{
    return table->cells[(size_t)(row + 1) * (size_t)table->columns + (size_t)column];
}

void pp_table_set(struct pp_table *table, int row, int column, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    pp_assign_list(cell_at(table, row, column), PP_CELL, format, arguments);
    va_end(arguments);
}

static bool says_nothing(const struct pp_table *table, int column)
{
    for (int row = 0; row < table->rows; row++) {
        if (cell_at(table, row, column)[0] != '\0')
            return false;
    }
    return true;
}

static int width_of(const struct pp_table *table, int column)
{
    int width = 0;
    for (int row = -1; row < table->rows; row++) {
        int length = (int)strlen(cell_at(table, row, column));
        width = length > width ? length : width;
    }
    return width;
}

/* The column behind the last one that fits on a line which begins with the first one,
 * and goes on from this one: that at least is on it. */
static int end_of_line(const struct pp_table *table, int from, int indent, int most)
{
    int width = indent + width_of(table, 0), end = from;
    for (; end < table->columns; end++) {
        int more = says_nothing(table, end) ? 0 : 2 + width_of(table, end);
        if (most > 0 && end > from && width + more > most)
            break;
        width += more;
    }
    return end;
}

void pp_table_print(const struct pp_table *table, FILE *stream, int indent, int width)
{
    for (int from = 1, end; from < table->columns; from = end) {
        end = end_of_line(table, from, indent, width);
        if (from > 1)
            fputc('\n', stream);
        for (int row = -1; row < table->rows; row++) {
            fprintf(stream, "%*s%*s", indent, "", width_of(table, 0),
                    cell_at(table, row, 0));
            for (int column = from; column < end; column++) {
                if (!says_nothing(table, column))
                    fprintf(stream, "  %*s", width_of(table, column),
                            cell_at(table, row, column));
            }
            fputc('\n', stream);
        }
    }
}
