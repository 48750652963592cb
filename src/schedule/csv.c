#include "schedule/csv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/input.h"
#include "base/words.h"
#include "schedule/cell.h"
#include "schedule/copies.h"
#include "schedule/messages.h"
#include "schedule/verify.h"

/* All of a file's actions, row by row. */
struct reader {
    const char *path;
    struct pp_error *error;
    bool stopped; /* no use in reading on */

    struct pp_action_cell *cells; /* [count] */
    size_t count, capacity;
    size_t *first; /* [rows + 1] as in struct pp_schedule */
    int rows;
    size_t row_capacity;
};

static bool full(const struct reader *reader)
{
    return reader->error->lines >= PP_MOST_PROBLEMS || reader->stopped;
}

static int out_of_memory(struct reader *reader)
{
    reader->stopped = true;
    return pp_fail(reader->error, PP_ENVIRONMENT, "out of memory to read '%s'",
                   reader->path);
}

/* Makes room for one more element. */
static int grow(struct reader *reader, void **array, size_t *capacity, size_t count,
                size_t size)
{
    if (count < *capacity)
        return 0;
    size_t larger = *capacity > 0 ? 2 * *capacity : 1024;
    void *moved = realloc(*array, larger * size);
    if (!moved)
        return out_of_memory(reader);
    *array = moved;
    *capacity = larger;
    return 0;
}

/* Text of a cell as a message can show it: not too long, nothing that a terminal would
 * obey. */
enum { SHOWN = 40 };
static const char *printable(const char *text, size_t length, char buffer[SHOWN + 4])
{
    size_t shown = length < SHOWN ? length : SHOWN;
    for (size_t k = 0; k < shown; k++)
        buffer[k] = text[k] >= ' ' && text[k] <= '~' ? text[k] : '?';
    strcpy(buffer + shown, length > SHOWN ? "..." : "");
    return buffer;
}

/* Where none of the first cells is an action, one message stands for all of them. */
static void refuse_file(struct reader *reader)
{
    pp_fail(
        reader->error, PP_BAD_INPUT,
        "'%s' is not a schedule: none of its first %d cells is an action such as 0F3, "
        "the forward of stage 0 on microbatch 3",
        reader->path, PP_MOST_PROBLEMS);
}

static void refuse_cell(struct reader *reader, uint32_t column, const char *text,
                        size_t length, const char *problem)
{
    char shown[SHOWN + 4];
    reader->stopped |= problem == pp_old_dialect;
    pp_fail_also(reader->error, PP_BAD_INPUT, "'%s', rank %d, cell %u: '%s': %s",
                 reader->path, reader->rows, column + 1, printable(text, length, shown),
                 problem);
    if (reader->error->lines == PP_MOST_PROBLEMS && reader->count == 0) {
        refuse_file(reader);
        reader->stopped = true;
    }
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void trim(const char **text, const char **end)
{
    while (*text < *end && blank(**text))
        (*text)++;
    while (*end > *text && blank((*end)[-1]))
        (*end)--;
}

/* Reads what stands between two commas. */
static void read_cell(struct reader *reader, const char *text, const char *end,
                      uint32_t column)
{
    trim(&text, &end);
    const char *whole = text, *whole_end = end, *problem = NULL;
    if (text < end && *text == '"') {
        if (end - text < 2 || end[-1] != '"')
            problem = "a quoted cell ends with its closing quote";
        text++;
        end--;
        trim(&text, &end);
    }
    if (!problem && text >= end)
        return;
    void *cells = reader->cells;
    if (grow(reader, &cells, &reader->capacity, reader->count + 1,
             sizeof *reader->cells))
        return;
    reader->cells = cells;
    struct pp_action_cell *cell = &reader->cells[reader->count];
    int count = problem ? 0 : pp_cell_parse(text, (size_t)(end - text), cell, &problem);
    if (count == 0) {
        refuse_cell(reader, column, whole, (size_t)(whole_end - whole), problem);
        return;
    }
    for (int k = 0; k < count; k++)
        cell[k].column = column;
    reader->count += (size_t)count;
}

static void read_row(struct reader *reader, const char *text, const char *end)
{
    if (reader->rows == PP_MAX_RANKS) {
        pp_fail_also(reader->error, PP_BAD_INPUT,
                     "'%s': more than %d rows, one for each rank", reader->path,
                     PP_MAX_RANKS);
        reader->stopped = true;
        return;
    }
    uint32_t column = 0;
    while (text <= end && !full(reader)) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        read_cell(reader, text, comma ? comma : end, column++);
        text = (comma ? comma : end) + 1;
    }
    pp_error_about_row(reader->error, reader->rows + 1);
    void *first = reader->first;
    if (grow(reader, &first, &reader->row_capacity, (size_t)reader->rows + 1,
             sizeof *reader->first))
        return;
    reader->first = first;
    reader->first[++reader->rows] = reader->count;
}

/* Splits the file into rows. Empty lines at its end are no rows. */
static void read_rows(struct reader *reader, const char *text, const char *end)
{
    if (end - text >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3; /* a byte order mark, as spreadsheets write it */
    while (end > text && (blank(end[-1]) || end[-1] == '\n'))
        end--;
    while (text < end && !full(reader)) {
        const char *line = memchr(text, '\n', (size_t)(end - text));
        read_row(reader, text, line ? line : end);
        text = (line ? line : end) + 1;
    }
}

/* Checks that the stages (or microbatches) of the compute cells are numbered from 0
 * without gaps; returns how many there are, or -1. */
static long count_numbers(struct reader *reader, bool stages)
{
    size_t most = reader->count;
    assert(most > 0 && reader->cells);
    unsigned char *seen = calloc(most + 1, 1);
    if (!seen)
        return out_of_memory(reader);
    long count = 0;
    uint32_t largest = 0;
    int rank = 0, largest_rank = 0;
    size_t largest_at = 0;
    for (size_t k = 0; k < reader->count; k++) {
        while (k >= reader->first[rank + 1])
            rank++;
        const struct pp_action_cell *cell = &reader->cells[k];
        uint32_t number = stages ? cell->stage : cell->microbatch;
        if (!pp_is_compute(cell->action))
            continue;
        if (number < most && !seen[number]) {
            seen[number] = 1;
            count++;
        }
        if (number > largest) {
            largest = number;
            largest_rank = rank;
            largest_at = k;
        }
    }
    if (count < (long)largest + 1) {
        uint32_t missing = 0;
        while (missing < most && seen[missing])
            missing++;
        char text[PP_CELL_TEXT];
        const char *what = stages ? "stage" : "microbatch";
        pp_fail_also(reader->error, PP_BAD_INPUT,
                     "'%s', rank %d, cell %u (%s): %s %u is there, but %s %u is not: "
                     "numbers go from 0 without gaps",
                     reader->path, largest_rank, reader->cells[largest_at].column + 1,
                     pp_cell_text(&reader->cells[largest_at], text), what, largest,
                     what, missing);
        pp_error_about_row(reader->error, largest_rank + 1);
        count = -1;
    }
    free(seen);
    return count;
}

/* Every row must have an op; every stage runs every microbatch forwards and backwards.
 * Bounds the memory that a schedule of the file's numbers takes by that of the file. */
static int measure(struct reader *reader, long *stages, long *microbatches)
{
    size_t ops = 0;
    for (int r = 0; r < reader->rows; r++) {
        size_t before = ops;
        for (size_t k = reader->first[r]; k < reader->first[r + 1]; k++)
            ops += pp_is_compute(reader->cells[k].action);
        if (ops == before && !full(reader))
            pp_fail_also(
                reader->error, PP_BAD_INPUT,
                "'%s', rank %d: the row has no op: every rank needs at least one",
                reader->path, r);
        pp_error_about_row(reader->error, r + 1);
    }
    if (reader->rows == 0)
        pp_fail_also(reader->error, PP_BAD_INPUT, "'%s' has no rows", reader->path);
    if (reader->error->lines > 0)
        return -1;
    *stages = count_numbers(reader, true);
    *microbatches = count_numbers(reader, false);
    if (*stages < 0 || *microbatches < 0)
        return -1;
    /* Of a file that lacks some ops, each is reported; one that lacks most is refused.
     */
    if ((double)*stages * (double)*microbatches > 8.0 * (double)ops + 1024)
        return pp_fail(reader->error, PP_BAD_INPUT,
                       "'%s': %ld stages and %ld microbatches need at least %.0f ops, "
                       "the file has %zu: every stage runs every microbatch",
                       reader->path, *stages, *microbatches,
                       2.0 * (double)*stages * (double)*microbatches, ops);
    return 0;
}

/* Makes the compute cells a schedule. */
static int build(struct reader *reader, struct pp_schedule *schedule)
{
    if (pp_copies_place(schedule, reader->path, reader->cells, reader->first,
                        reader->error) != 0)
        return -1;
    pp_schedule_place(schedule);
    schedule->cell = malloc((reader->count + 1) * sizeof *schedule->cell);
    if (!schedule->cell)
        return out_of_memory(reader);
    for (int r = 0; r < reader->rows; r++) {
        pp_schedule_begin_rank(schedule, r);
        for (size_t k = reader->first[r]; k < reader->first[r + 1]; k++) {
            const struct pp_action_cell *cell = &reader->cells[k];
            size_t op = schedule->first[r + 1];
            if (!pp_is_compute(cell->action))
                continue;
            pp_push(schedule, (enum pp_kind)cell->action, (int)cell->stage,
                    (int)cell->microbatch);
            if (!schedule->ops)
                return out_of_memory(reader);
            schedule->ops[op].joined = cell->joined & 1;
            schedule->cell[op] = cell->column;
        }
    }
    return pp_schedule_end(schedule, reader->error);
}

static int make_schedule(struct reader *reader, struct pp_schedule *schedule)
{
    long stages, microbatches;
    if (reader->error->lines > 0 || measure(reader, &stages, &microbatches) != 0)
        return -1;
    if (pp_schedule_init(schedule, reader->rows, (int)stages, (int)microbatches,
                         PP_CUSTOM, reader->error) != 0)
        return -1;
    const char *slash = strrchr(reader->path, '/');
    pp_assign(schedule->name, sizeof schedule->name, "%s",
              slash ? slash + 1 : reader->path);
    pp_make_printable(schedule->name);
    if (build(reader, schedule) != 0)
        return -1;
    if (pp_verify(schedule, reader->path, reader->error) != 0)
        return -1;
    return pp_messages_check(schedule, reader->path, reader->cells, reader->first,
                             reader->error);
}

int pp_csv_read(struct pp_schedule *schedule, const char *path, struct pp_error *error)
{
    struct reader reader = {.path = path, .error = error};
    char *bytes = NULL;
    size_t size = 0;
    int result = -1;
    *schedule = (struct pp_schedule){0};
    *error = (struct pp_error){0};
    if (pp_input_whole(path, &bytes, &size, error) != 0)
        return -1;
    if (size > UINT32_MAX) {
        pp_fail(error, PP_BAD_INPUT, "'%s' is larger than 4 GiB", path);
        goto done;
    }
    reader.row_capacity = 64;
    reader.first = calloc(reader.row_capacity, sizeof *reader.first);
    if (!reader.first) {
        out_of_memory(&reader);
        goto done;
    }
    read_rows(&reader, bytes, bytes + size);
    result = make_schedule(&reader, schedule);

done:
    if (result != 0)
        pp_schedule_release(schedule);
    free(reader.cells);
    free(reader.first);
    free(bytes);
    return result;
}
