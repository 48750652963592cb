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

void pp_table_print(const struct pp_table *table, FILE *stream, int indent)
{
    for (int row = -1; row < table->rows; row++) {
        fprintf(stream, "%*s", indent, "");
        int printed = 0;
        for (int column = 0; column < table->columns; column++) {
            int width = 0;
            for (int other = -1; other < table->rows; other++) {
                int length = (int)strlen(cell_at(table, other, column));
                width = length > width ? length : width;
            }
            if (column == 0 || !says_nothing(table, column))
                fprintf(stream, "%s%*s", printed++ ? "  " : "", width,
                        cell_at(table, row, column));
        }
        fputc('\n', stream);
    }
}
