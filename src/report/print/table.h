/* Text in aligned columns. */
#ifndef PP_REPORT_PRINT_TABLE_H
#define PP_REPORT_PRINT_TABLE_H

#include <stdio.h>

#include "base/error.h"

enum { PP_CELL = 32 };

struct pp_table {
    int columns, rows;
    char (*cells)[PP_CELL]; /* [rows + 1][columns] row 0 is the header; owned */
};

/* Allocates empty cells. PP_ENVIRONMENT when out of memory. */
int pp_table_init(struct pp_table *table, int rows, int columns,
                  struct pp_error *error);
void pp_table_release(struct pp_table *table);

/* Sets one cell; row -1 is the header. Text that does not fit is cut. */
__attribute__((format(printf, 4, 5))) void
pp_table_set(struct pp_table *table, int row, int column, const char *format, ...);

/* Prints the columns right-aligned, two spaces apart, every line after indent spaces.
 * Columns whose cells are all empty but for the header are left out. Where a line would
 * be longer than width (0: however long), the columns that do not fit follow below,
 * behind the first one again. */
void pp_table_print(const struct pp_table *table, FILE *stream, int indent, int width);

#endif
