#include "cli/sweep_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/words.h"
#include "report/numbers.h"

static const char shape_header[] = "schedule,ranks,chunks,microbatches";
static const char figures_header[] =
    ",theory,simulated,measured,measured_min,measured_max,makespan_s,tokens_per_s,"
    "peak_in_flight,peak_activation_bytes";
static const char first_word[] = "# ppsim.sweep/1 ";
enum { NUMBERS = 9 }; /* after the shape */

static double *number(struct pp_sweep_point *point, int index)
{
    double *const numbers[NUMBERS] = {
        &point->theory,       &point->simulated,      &point->measured,
        &point->measured_min, &point->measured_max,   &point->makespan_s,
        &point->tokens_per_s, &point->peak_in_flight, &point->peak_activation_bytes};
    return numbers[index];
}

/* Takes the next cell off the row: its text without quotes, which is written over the
 * row. NULL behind the last cell. */
static char *next_cell(char **row)
{
    char *at = *row, *text = at, *end = at;
    if (!at)
        return NULL;
    for (bool quoted = *at == '"', first = true; *at; first = false) {
        if (quoted && *at == '"' && (first || at[1] != '"')) {
            at++;
            quoted = first;
            continue;
        }
        if (!quoted && *at == ',')
            break;
        at += quoted && *at == '"';
        *end++ = *at++;
    }
    *row = *at ? at + 1 : NULL;
    *end = '\0';
    return text;
}

static void put_cell(const char *text, FILE *file)
{
    bool quoted = strpbrk(text, ",\"") != NULL;
    fputs(quoted ? "\"" : "", file);
    for (; *text; text++)
        fprintf(file, *text == '"' ? "\"%c" : "%c", *text);
    fputs(quoted ? "\"" : "", file);
}

enum { SHAPE = 4, MOST_CELLS = SHAPE + PP_MOST_COLUMNS + NUMBERS };

static bool same_point(const struct pp_sweep *sweep, const struct pp_sweep_point *point,
                       char *const *cells)
{
    const int numbers[] = {point->ranks, point->chunks, point->microbatches};
    if (strcmp(point->schedule, cells[0]) != 0)
        return false;
    for (int i = 0; i < SHAPE - 1; i++) {
        if (strtol(cells[1 + i], NULL, 10) != numbers[i])
            return false;
    }
    for (int c = 0; c < sweep->column_count; c++) {
        const char *cell = pp_sweep_cell(sweep, point, c);
        if (strcmp(cells[SHAPE + c], cell ? cell : "") != 0)
            return false;
    }
    return true;
}

/* Reads a row into its point; false if it is not a row. */
static bool read_row(char *line, struct pp_sweep *sweep)
{
    char *cells[MOST_CELLS] = {0}, *rest = line, *end;
    int wanted = SHAPE + sweep->column_count + NUMBERS;
    double numbers[NUMBERS];
    assert(wanted >= SHAPE + NUMBERS && wanted <= MOST_CELLS);
    for (int i = 0; i < wanted; i++) {
        if (!(cells[i] = next_cell(&rest)))
            return false;
    }
    for (int i = 0; i < NUMBERS; i++) {
        const char *cell = cells[wanted - NUMBERS + i];
        numbers[i] = strtod(cell, &end);
        if (*end)
            return false;
        if (!*cell)
            numbers[i] = NAN;
    }
    for (int i = 0; i < sweep->count && !rest; i++) {
        struct pp_sweep_point *point = &sweep->points[i];
        if (!same_point(sweep, point, cells))
            continue;
        for (int k = 0; k < NUMBERS; k++)
            *number(point, k) = numbers[k];
        point->done = true;
    }
    return !rest;
}

/* The line above the rows: a new text, NULL when out of memory. */
static char *make_header(const struct pp_sweep *sweep)
{
    char *header = NULL;
    size_t size;
    FILE *stream = open_memstream(&header, &size);
    if (!stream)
        return NULL;
    fputs(shape_header, stream);
    for (int c = 0; c < sweep->column_count; c++)
        fprintf(stream, ",%s", sweep->columns[c].name);
    fputs(figures_header, stream);
    if (fclose(stream) == 0)
        return header;
    free(header);
    return NULL;
}

/* Fails, naming each option that differs: its value in the older file, and now. */
static int refuse_options(const char *path, const char *older, const json_t *config,
                          struct pp_error *error)
{
    json_t *was = json_loads(older, JSON_DECODE_ANY, NULL);
    json_t *keys = json_object();
    char difference[1024] = "";
    const char *key;
    json_t *value;
    json_object_update(keys, (json_t *)config);
    json_object_update(keys, was);
    json_object_foreach(keys, key, value)
    {
        json_t *then = json_object_get(was, key), *now = json_object_get(config, key);
        if (json_equal(then, now))
            continue;
        char *before = then ? pp_json_dump(then, JSON_ENCODE_ANY) : NULL;
        char *after = now ? pp_json_dump(now, JSON_ENCODE_ANY) : NULL;
        pp_append(difference, sizeof difference, "%s'%s' %s, now %s",
                  difference[0] ? "; " : "", key, before ? before : "null",
                  after ? after : "null");
        free(before);
        free(after);
    }
    json_decref(keys);
    json_decref(was);
    return pp_fail(error, PP_BAD_INPUT,
                   "'%s' is from a sweep with other options (%s): give another '--csv'",
                   path, difference);
}

/* Does the file begin as a sweep's file does? It may have been cut off anywhere. */
static bool begins_well(FILE *file)
{
    char start[sizeof first_word];
    size_t length = fread(start, 1, strlen(first_word), file);
    rewind(file);
    return memcmp(start, first_word, length) == 0;
}

/* Reads the rows of an older file. *whole is where its last complete line ends, 0 if
 * the two lines above the rows are not complete. */
static int read_rows(FILE *file, const char *path, const char *head, const char *header,
                     const json_t *config, struct pp_sweep *sweep, long *whole,
                     struct pp_error *error)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    long end = 0;
    int row = 0, status = 0;
    *whole = 0;
    if (!begins_well(file))
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' exists and is not a sweep's file: give another '--csv'",
                       path);
    while (status == 0 && (length = getline(&line, &size, file)) > 0) {
        if (line[length - 1] != '\n')
            break; /* incomplete: its point will be made again */
        line[length - 1] = '\0';
        if (length > 1 && line[length - 2] == '\r')
            line[length - 2] = '\0'; /* saved by a spreadsheet */
        if (row == 0 && strcmp(line, head) != 0)
            status = refuse_options(path, line + strlen(first_word), config, error);
        else if ((row == 1 && strcmp(line, header) != 0) ||
                 (row >= 2 && !read_row(line, sweep)))
            status = pp_fail(error, PP_BAD_INPUT, "'%s', line %d: not a row of a sweep",
                             path, row + 1);
        end += length;
        *whole = row > 0 ? end : 0;
        row++;
    }
    free(line);
    return status;
}

/* Reads the rows that are there, cuts off an incomplete one, and leaves the file ready
 * for the next one. */
static int resume(FILE *file, const char *path, const char *head, const char *header,
                  const json_t *config, struct pp_sweep *sweep, struct pp_error *error)
{
    struct stat status;
    long whole = 0;
    /* A pipe or a device has no rows to read. */
    bool regular = fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode);
    if (regular &&
        read_rows(file, path, head, header, config, sweep, &whole, error) != 0)
        return -1;
    if ((regular &&
         (fseek(file, whole, SEEK_SET) != 0 || ftruncate(fileno(file), whole) != 0)) ||
        (whole == 0 && fprintf(file, "%s\n%s\n", head, header) < 0) ||
        fflush(file) != 0)
        return pp_fail(error, PP_ENVIRONMENT, "cannot write '%s': %s", path,
                       strerror(errno));
    return 0;
}

int pp_sweep_file_open(FILE **file, const char *path, const json_t *config,
                       struct pp_sweep *sweep, struct pp_error *error)
{
    char *text = NULL, *head = NULL, *header = make_header(sweep);
    int result = -1;
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    *file = NULL;
    if (descriptor < 0) {
        free(header);
        return pp_fail(error, PP_BAD_INPUT, "cannot write '%s': %s", path,
                       strerror(errno));
    }
    *file = fdopen(descriptor, "r+");
    text = pp_json_dump(config, JSON_COMPACT | JSON_SORT_KEYS);
    if (!*file || !text || !header || asprintf(&head, "%s%s", first_word, text) < 0) {
        head = NULL;
        pp_fail(error, PP_ENVIRONMENT, "out of memory for '%s'", path);
        goto done;
    }
    result = resume(*file, path, head, header, config, sweep, error);
done:
    if (!*file)
        close(descriptor);
    else if (result != 0) {
        fclose(*file);
        *file = NULL;
    }
    free(text);
    free(head);
    free(header);
    return result;
}

static void put_row(const struct pp_sweep *sweep, const struct pp_sweep_point *point,
                    FILE *file)
{
    struct pp_sweep_point copy = *point;
    char text[PP_REAL_TEXT];
    put_cell(point->schedule, file);
    fprintf(file, ",%d,%d,%d", point->ranks, point->chunks, point->microbatches);
    for (int c = 0; c < sweep->column_count; c++) {
        const char *cell = pp_sweep_cell(sweep, point, c);
        fputc(',', file);
        put_cell(cell ? cell : "", file);
    }
    for (int i = 0; i < NUMBERS; i++) {
        double value = *number(&copy, i);
        fprintf(file, ",%s", isnan(value) ? "" : pp_real_text(value, text));
    }
    fputc('\n', file);
}

int pp_sweep_file_add(FILE *file, const char *path, const struct pp_sweep *sweep,
                      const struct pp_sweep_point *point, struct pp_error *error)
{
    put_row(sweep, point, file);
    if (fflush(file) == 0)
        return 0;
    return pp_fail(error, PP_ENVIRONMENT, "cannot write '%s': %s", path,
                   strerror(errno));
}

int pp_sweep_write_csv(const struct pp_sweep *sweep, struct pp_error *error)
{
    char *header = make_header(sweep);
    if (!header)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a table");
    puts(header);
    free(header);
    for (int i = 0; i < sweep->count; i++) {
        if (sweep->points[i].done)
            put_row(sweep, &sweep->points[i], stdout);
    }
    if (fflush(stdout) == 0)
        return 0;
    return pp_fail(error, PP_ENVIRONMENT, "cannot write to standard output: %s",
                   strerror(errno));
}
