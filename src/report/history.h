/* A history: a CSV file with a row per result, to which results are appended and which
 * later ones are held against. Its header:
 *
 *     time,label,configuration,clock,schedule,ranks,microbatches,verdict,bubble,...
 *
 * The figures' columns have the figures' names, with numbers in seconds, bytes and
 * fractions, empty where unknown; of a figure per rank, the largest. A column of no
 * figure that this version knows is left empty, and passed over. */
#ifndef PP_REPORT_HISTORY_H
#define PP_REPORT_HISTORY_H

#include "report/figure.h"

enum { PP_MOST_FIGURES = 32 };

/* A hash of what a result came from (report/gate/configuration.h): 16 digits. */
enum { PP_CONFIGURATION_TEXT = 17 };

struct pp_history_row {
    char time[32];   /* ISO 8601, UTC */
    char label[128]; /* as given */
    char configuration[PP_CONFIGURATION_TEXT];
    char clock[16];
    char schedule[64];
    int ranks, microbatches;
    char verdict[8];                 /* "pass", "fail", or empty: nothing was judged */
    double figures[PP_MOST_FIGURES]; /* as in pp_figures; NaN where unknown */
};

struct pp_history {
    struct pp_history_row *rows; /* [count] in the file's order, owned */
    int count;
};

/* Is it a regular file that begins as a history does? */
bool pp_history_is(const char *path);

/* PP_BAD_INPUT names the file, the line and what is wrong. */
int pp_history_read(struct pp_history *history, const char *path,
                    struct pp_error *error);
void pp_history_release(struct pp_history *history);

/* Could a row be appended? PP_BAD_INPUT where the file is there and is no history. */
int pp_history_check(const char *path, struct pp_error *error);

/* The report's row, of now. label may be NULL. */
void pp_history_row_of(struct pp_history_row *row, const struct pp_report *report,
                       const char *label, const char *configuration,
                       const char *verdict);

/* Appends the row, whole or not at all, to the file, which is made with its header if
 * it is not there or empty. Others may append at the same time. PP_ENVIRONMENT where it
 * cannot be written. */
int pp_history_append(const char *path, const struct pp_history_row *row,
                      struct pp_error *error);

/* Fills in the median of each figure over the last rows, at most `last`, of this
 * configuration and clock (NULL: of any) that did not fail; NaN where none of them
 * knows it. Returns how many rows those are; -1 when out of memory. */
int pp_history_medians(const struct pp_history *history, const char *configuration,
                       const char *clock, int last, double figures[PP_MOST_FIGURES]);

/* The last of these rows whose schedule has another name; NULL where none has. */
const char *pp_history_other_schedule(const struct pp_history *history,
                                      const char *configuration, const char *clock,
                                      int last, const char *schedule);

#endif
