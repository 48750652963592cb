#include "cli/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/output.h"
#include "base/words.h"
#include "report/export/json.h"
#include "report/numbers.h"

static const char header[] =
    "schedule,ranks,chunks,microbatches,theory,simulated,measured,measured_min,"
    "measured_max,makespan_s,tokens_per_s,peak_in_flight,peak_activation_bytes";
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

/* Reads a row into the point of its shape; false if it is not a row. */
static bool read_row(char *line, struct pp_sweep_point *points, int count)
{
    struct pp_sweep_point row = {.done = true};
    int used = 0;
    if (sscanf(line, "%255[^,],%d,%d,%d%n", row.schedule, &row.ranks, &row.chunks,
               &row.microbatches, &used) != 4)
        return false;
    char *at = line + used;
    for (int i = 0; i < NUMBERS; i++) {
        char *end;
        if (*at != ',')
            return false;
        *number(&row, i) = strtod(at + 1, &end);
        if (end == at + 1)
            *number(&row, i) = (double)NAN; /* an empty cell */
        at = end;
    }
    if (*at != '\0')
        return false;
    for (int i = 0; i < count; i++) {
        if (strcmp(points[i].schedule, row.schedule) == 0 &&
            points[i].ranks == row.ranks && points[i].chunks == row.chunks &&
            points[i].microbatches == row.microbatches)
            points[i] = row;
    }
    return true;
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
        char *before = then ? json_dumps(then, JSON_ENCODE_ANY) : NULL;
        char *after = now ? json_dumps(now, JSON_ENCODE_ANY) : NULL;
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
static int read_rows(FILE *file, const char *path, const char *head,
                     const json_t *config, struct pp_sweep_point *points, int count,
                     long *whole, struct pp_error *error)
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
                 (row >= 2 && !read_row(line, points, count)))
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
static int resume(FILE *file, const char *path, const char *head, const json_t *config,
                  struct pp_sweep_point *points, int count, struct pp_error *error)
{
    struct stat status;
    long whole = 0;
    /* A pipe or a device has no rows to read. */
    bool regular = fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode);
    if (regular &&
        read_rows(file, path, head, config, points, count, &whole, error) != 0)
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
                       struct pp_sweep_point *points, int count, struct pp_error *error)
{
    char *text = NULL, *head = NULL;
    int result = -1;
    *file = NULL;
    if (strcmp(path, "-") == 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--csv' '-': a sweep resumes from its file: give it a name");
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return pp_fail(error, PP_BAD_INPUT, "cannot write '%s': %s", path,
                       strerror(errno));
    *file = fdopen(descriptor, "r+");
    text = json_dumps(config, JSON_COMPACT | JSON_SORT_KEYS);
    if (!*file || !text || asprintf(&head, "%s%s", first_word, text) < 0) {
        head = NULL;
        pp_fail(error, PP_ENVIRONMENT, "out of memory for '%s'", path);
        goto done;
    }
    result = resume(*file, path, head, config, points, count, error);
done:
    if (!*file)
        close(descriptor);
    else if (result != 0) {
        fclose(*file);
        *file = NULL;
    }
    free(text);
    free(head);
    return result;
}

int pp_sweep_file_add(FILE *file, const char *path, const struct pp_sweep_point *point,
                      struct pp_error *error)
{
    struct pp_sweep_point copy = *point;
    char text[PP_REAL_TEXT];
    fprintf(file, "%s,%d,%d,%d", point->schedule, point->ranks, point->chunks,
            point->microbatches);
    for (int i = 0; i < NUMBERS; i++) {
        double value = *number(&copy, i);
        fprintf(file, ",%s", isnan(value) ? "" : pp_real_text(value, text));
    }
    fputc('\n', file);
    if (fflush(file) == 0)
        return 0;
    return pp_fail(error, PP_ENVIRONMENT, "cannot write '%s': %s", path,
                   strerror(errno));
}

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *point_json(const struct pp_sweep_point *point)
{
    json_t *object = json_pack(
        "{s:o, s:i, s:i, s:i}", "schedule", pp_json_text(point->schedule), "ranks",
        point->ranks, "chunks", point->chunks, "microbatches", point->microbatches);
    if (!point->done) {
        json_object_set_new(object, "status", json_integer(point->status));
        json_object_set_new(object, "reason", pp_json_text(point->reason));
        return object;
    }
    json_object_set_new(
        object, "bubble",
        json_pack(
            "{s:o, s:o, s:o, s:o, s:o}", "theory", real_or_null(point->theory),
            "predicted", real_or_null(point->simulated), "fraction",
            real_or_null(isnan(point->measured) ? point->simulated : point->measured),
            "min", real_or_null(point->measured_min), "max",
            real_or_null(point->measured_max)));
    json_object_set_new(object, "makespan_s", real_or_null(point->makespan_s));
    json_object_set_new(object, "tokens_per_s", real_or_null(point->tokens_per_s));
    json_object_set_new(object, "peak_in_flight", real_or_null(point->peak_in_flight));
    json_object_set_new(object, "peak_activation_bytes",
                        real_or_null(point->peak_activation_bytes));
    return object;
}

int pp_sweep_write_json(const struct pp_sweep_point *points, int count,
                        const json_t *config, const char *path, struct pp_error *error)
{
    struct pp_output output;
    json_t *done = json_array(), *invalid = json_array();
    json_t *root = json_pack("{s:s, s:O, s:o, s:o}", "schema", "ppsim.sweep/1",
                             "config", config, "points", done, "invalid", invalid);
    for (int i = 0; i < count; i++)
        json_array_append_new(points[i].done ? done : invalid, point_json(&points[i]));
    int status = pp_output_open(&output, path, error);
    if (status == 0 &&
        json_dumpf(root, output.stream, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) != 0)
        status = pp_fail(error, PP_ENVIRONMENT, "cannot write '%s'", path);
    if (status == 0) {
        fputc('\n', output.stream);
        status = pp_output_commit(&output, error);
    } else {
        pp_output_abandon(&output);
    }
    json_decref(root);
    return status;
}
