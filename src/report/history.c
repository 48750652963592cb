#include "report/history.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/words.h"
#include "report/numbers.h"

/* The columns before the figures. */
static const char own_columns[] =
    "time,label,configuration,clock,schedule,ranks,microbatches,verdict";
enum { OWN_COLUMNS = 8, MOST_COLUMNS = OWN_COLUMNS + 2 * PP_MOST_FIGURES };

/* What a header says. */
struct header {
    int columns;
    const struct pp_figure *figures[MOST_COLUMNS]; /* NULL: of no figure known here */
};

static bool has_own_columns(const char *line)
{
    size_t length = strlen(own_columns);
    return strncmp(line, own_columns, length) == 0 &&
           (line[length] == ',' || line[length] == '\0');
}

/* Reads the header; false where it is none. */
static bool read_header(struct header *header, const char *line)
{
    const char *at = line;
    *header = (struct header){0};
    if (!has_own_columns(line))
        return false;
    while (header->columns < MOST_COLUMNS) {
        size_t length = strcspn(at, ",");
        if (header->columns >= OWN_COLUMNS)
            header->figures[header->columns] = pp_figure_find(at, length);
        header->columns++;
        if (at[length] == '\0')
            return true;
        at += length + 1;
    }
    return false;
}

/* Two names of one figure would be two columns of the same numbers. */
static bool is_alias(const struct pp_figure *figure)
{
    return figure > pp_figures && figure[-1].value == figure->value;
}

static void write_header(FILE *stream)
{
    fputs(own_columns, stream);
    for (const struct pp_figure *figure = pp_figures; figure->name; figure++) {
        if (!is_alias(figure))
            fprintf(stream, ",%s", figure->name);
    }
    fputc('\n', stream);
}

/* Cuts the line's end off. */
static void end_line(char *line)
{
    line[strcspn(line, "\r\n")] = '\0';
}

static int cannot_read(const char *path, struct pp_error *error)
{
    int number = errno;
    return pp_fail(error, pp_status_of(number), "cannot read '%s': %s", path,
                   strerror(number));
}

/* Reads the first line of a file: 1, 0 where it is empty, -1 where it is no header. */
static int first_line(FILE *file, struct header *header, const char *path,
                      struct pp_error *error)
{
    char *line = NULL;
    size_t size = 0;
    int found = 0;
    if (getline(&line, &size, file) > 0) {
        end_line(line);
        found = read_header(header, line) ? 1 : -1;
        if (found < 0)
            pp_fail(error, PP_BAD_INPUT,
                    "'%s' is no history of ppsim: its first line should begin '%s'",
                    path, own_columns);
    } else if (!feof(file)) {
        found = cannot_read(path, error);
    }
    free(line);
    return found;
}

bool pp_history_is(const char *path)
{
    char start[sizeof own_columns + 1] = "";
    struct stat status; /* of a pipe nothing must be read that others need */
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool read_any = file >= 0 && read(file, start, sizeof start - 1) > 0;
    if (file >= 0)
        close(file);
    end_line(start);
    return read_any && has_own_columns(start);
}

int pp_history_check(const char *path, struct pp_error *error)
{
    struct header header;
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return cannot_read(path, error);
    int found = first_line(file, &header, path, error);
    fclose(file);
    return found < 0 ? -1 : 0;
}

/* Takes the next field off the line, without its quotes. NULL behind the last. */
static char *next_field(char **rest)
{
    char *field = *rest, *to = field, *from = field;
    bool quoted = from && *from == '"';
    if (!field)
        return NULL;
    if (!quoted) {
        from += strcspn(from, ",");
        to = from;
    } else {
        from++;
        while (*from && (*from != '"' || from[1] == '"')) {
            from += *from == '"'; /* "" is one */
            *to++ = *from++;
        }
        from += *from == '"';
    }
    *rest = *from == ',' ? from + 1 : NULL;
    *to = '\0';
    return field;
}

/* A number, or nothing: NaN. */
static bool read_number(const char *field, double *value)
{
    char *end;
    *value = (double)NAN;
    if (*field == '\0')
        return true;
    *value = strtod(field, &end);
    return *end == '\0' && isfinite(*value);
}

static bool read_count(const char *field, int *count)
{
    double value;
    bool read =
        read_number(field, &value) && value >= 1 && value <= PP_MAX_MICROBATCHES;
    *count = read ? (int)value : 0;
    return read;
}

/* Reads a row; returns the name of the column that is wrong, NULL where none is. */
static const char *read_row(struct pp_history_row *row, char *line,
                            const struct header *header)
{
    char *fields[MOST_COLUMNS], *rest = line;
    *row = (struct pp_history_row){0};
    for (int i = 0; i < PP_MOST_FIGURES; i++)
        row->figures[i] = (double)NAN;
    for (int i = 0; i < header->columns; i++) {
        fields[i] = next_field(&rest);
        if (!fields[i])
            return "the last";
    }
    if (rest)
        return "one behind the last";
    pp_assign(row->time, sizeof row->time, "%s", fields[0]);
    pp_assign(row->label, sizeof row->label, "%s", fields[1]);
    pp_assign(row->configuration, sizeof row->configuration, "%s", fields[2]);
    pp_assign(row->clock, sizeof row->clock, "%s", fields[3]);
    pp_assign(row->schedule, sizeof row->schedule, "%s", fields[4]);
    pp_assign(row->verdict, sizeof row->verdict, "%s", fields[7]);
    if (!read_count(fields[5], &row->ranks))
        return "ranks";
    if (!read_count(fields[6], &row->microbatches))
        return "microbatches";
    for (int i = OWN_COLUMNS; i < header->columns; i++) {
        const struct pp_figure *figure = header->figures[i];
        if (figure && !read_number(fields[i], &row->figures[figure - pp_figures]))
            return figure->name;
    }
    return NULL;
}

static struct pp_history_row *add_row(struct pp_history *history)
{
    size_t size = ((size_t)history->count + 1) * sizeof *history->rows;
    struct pp_history_row *rows = realloc(history->rows, size);
    if (!rows)
        return NULL;
    history->rows = rows;
    return &rows[history->count++];
}

static int read_rows(struct pp_history *history, FILE *file,
                     const struct header *header, const char *path,
                     struct pp_error *error)
{
    char *line = NULL;
    size_t size = 0;
    int status = 0;
    for (int number = 2; status == 0 && getline(&line, &size, file) > 0; number++) {
        end_line(line);
        if (line[0] == '\0')
            continue;
        struct pp_history_row *row = add_row(history);
        const char *wrong = row ? read_row(row, line, header) : NULL;
        if (!row)
            status = pp_fail(error, PP_ENVIRONMENT, "out of memory for '%s'", path);
        else if (wrong)
            status = pp_fail(error, PP_BAD_INPUT,
                             "'%s', line %d: column '%s' is missing or wrong", path,
                             number, wrong);
    }
    if (status == 0 && !feof(file))
        status = cannot_read(path, error);
    free(line);
    return status;
}

int pp_history_read(struct pp_history *history, const char *path,
                    struct pp_error *error)
{
    struct header header;
    FILE *file = fopen(path, "re");
    *history = (struct pp_history){0};
    if (!file)
        return cannot_read(path, error);
    flock(fileno(file), LOCK_SH); /* no half row of somebody who appends one */
    int found = first_line(file, &header, path, error);
    if (found > 0)
        found = read_rows(history, file, &header, path, error);
    fclose(file);
    return found;
}

void pp_history_release(struct pp_history *history)
{
    free(history->rows);
    *history = (struct pp_history){0};
}

void pp_history_row_of(struct pp_history_row *row, const struct pp_report *report,
                       const char *label, const char *configuration,
                       const char *verdict)
{
    time_t now = time(NULL);
    struct tm utc;
    *row = (struct pp_history_row){
        .ranks = report->schedule.ranks,
        .microbatches = report->schedule.microbatches,
    };
    gmtime_r(&now, &utc);
    strftime(row->time, sizeof row->time, "%Y-%m-%dT%H:%M:%SZ", &utc);
    pp_assign(row->label, sizeof row->label, "%s", label ? label : "");
    pp_make_printable(row->label);
    pp_assign(row->configuration, sizeof row->configuration, "%s", configuration);
    pp_assign(row->clock, sizeof row->clock, "%s", report->environment.clock);
    pp_assign(row->schedule, sizeof row->schedule, "%s", report->schedule.name);
    pp_assign(row->verdict, sizeof row->verdict, "%s", verdict);
    for (const struct pp_figure *figure = pp_figures; figure->name; figure++)
        row->figures[figure - pp_figures] = pp_figure_value(figure, report, -1);
}

static void write_text(const char *text, FILE *stream)
{
    bool quoted = text[strcspn(text, ",\"")] != '\0';
    fputs(quoted ? "\"" : "", stream);
    for (; *text; text++)
        fprintf(stream, *text == '"' ? "\"\"" : "%c", *text);
    fputs(quoted ? "\"" : "", stream);
}

static void write_row(const struct pp_history_row *row, const struct header *header,
                      FILE *stream)
{
    const char *const texts[] = {row->time, row->label, row->configuration, row->clock,
                                 row->schedule};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_text(texts[i], stream);
        fputc(',', stream);
    }
    fprintf(stream, "%d,%d,%s", row->ranks, row->microbatches, row->verdict);
    for (int i = OWN_COLUMNS; i < header->columns; i++) {
        const struct pp_figure *figure = header->figures[i];
        double value = figure ? row->figures[figure - pp_figures] : (double)NAN;
        char number[PP_REAL_TEXT];
        fprintf(stream, ",%s", isfinite(value) ? pp_real_text(value, number) : "");
    }
    fputc('\n', stream);
}

/* The bytes to append to a file of this header, or with a header to an empty one. A new
 * text; NULL when out of memory. */
static char *text_of(const struct pp_history_row *row, struct header *header,
                     bool empty, bool broken)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    if (empty) {
        write_header(stream);
        fflush(stream);
        char *line = strndup(text, size - 1);
        bool read = line && read_header(header, line);
        free(line);
        if (!read) {
            fclose(stream);
            free(text);
            return NULL;
        }
    }
    if (broken) /* an editor left the last line without its end */
        fputc('\n', stream);
    write_row(row, header, stream);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

/* Does the file, which is not empty, lack the end of its last line? */
static bool lacks_end(FILE *file)
{
    return fseek(file, -1, SEEK_END) == 0 && fgetc(file) != '\n';
}

/* 0, or the errno: then nothing was added to the file of that size. */
static int append_text(int fd, const char *text, off_t size)
{
    size_t length = strlen(text), at = 0;
    while (at < length) {
        ssize_t put = write(fd, text + at, length - at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            int number = errno;
            if (at > 0 && ftruncate(fd, size) != 0)
                return errno;
            return number;
        }
        at += (size_t)put;
    }
    return fsync(fd) == 0 || errno == EINVAL || errno == EROFS ? 0 : errno;
}

/* With the file locked: nobody else reads or writes it meanwhile. */
static int append_locked(FILE *file, const char *path, const struct pp_history_row *row,
                         struct pp_error *error)
{
    struct stat status;
    struct header header;
    int found = first_line(file, &header, path, error);
    if (found < 0)
        return -1;
    if (fstat(fileno(file), &status) != 0)
        return cannot_read(path, error);
    char *text = text_of(row, &header, found == 0, found > 0 && lacks_end(file));
    if (!text)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a row of '%s'", path);
    int number = append_text(fileno(file), text, status.st_size);
    free(text);
    if (number != 0)
        return pp_fail(error, PP_ENVIRONMENT, "cannot write '%s': %s", path,
                       strerror(number));
    return 0;
}

int pp_history_append(const char *path, const struct pp_history_row *row,
                      struct pp_error *error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "a+");
    int status = -1;
    if (file && flock(fd, LOCK_EX) == 0)
        status = append_locked(file, path, row, error);
    else
        pp_fail(error, PP_ENVIRONMENT, "cannot write '%s': %s", path, strerror(errno));
    if (file)
        fclose(file); /* nothing is buffered; gives the lock back */
    else if (fd >= 0)
        close(fd);
    return status;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Of the values that are known; NaN where none is. */
static double median(double *values, int count)
{
    if (count == 0)
        return (double)NAN;
    qsort(values, (size_t)count, sizeof *values, by_value);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* Is the row one that later results are held against? */
static bool counts(const struct pp_history_row *row, const char *configuration,
                   const char *clock)
{
    return strcmp(row->configuration, configuration) == 0 &&
           (!clock || strcmp(row->clock, clock) == 0) &&
           strcmp(row->verdict, "fail") != 0;
}

int pp_history_medians(const struct pp_history *history, const char *configuration,
                       const char *clock, int last, double figures[PP_MOST_FIGURES])
{
    double *values = malloc(((size_t)history->count + 1) * sizeof *values);
    int rows = 0;
    if (!values)
        return -1;
    for (int f = 0; f < PP_MOST_FIGURES; f++) {
        int known = 0;
        rows = 0;
        for (int i = history->count - 1; i >= 0 && rows < last; i--) {
            const struct pp_history_row *row = &history->rows[i];
            if (!counts(row, configuration, clock))
                continue;
            rows++;
            if (!isnan(row->figures[f]))
                values[known++] = row->figures[f];
        }
        figures[f] = median(values, known);
    }
    free(values);
    return rows;
}

const char *pp_history_other_schedule(const struct pp_history *history,
                                      const char *configuration, const char *clock,
                                      int last, const char *schedule)
{
    for (int i = history->count - 1; i >= 0 && last > 0; i--) {
        const struct pp_history_row *row = &history->rows[i];
        if (!counts(row, configuration, clock))
            continue;
        if (strcmp(row->schedule, schedule) != 0)
            return row->schedule;
        last--;
    }
    return NULL;
}
