/* FROM..TO in the text of an option: a quantity that is searched through. */
#ifndef PP_CLI_INTERVAL_H
#define PP_CLI_INTERVAL_H

#include "cli/option_table.h"
#include "cli/quantity.h"

struct pp_interval {
    const struct pp_option *option;
    const char *text; /* borrowed; the interval is `length` characters at `at` */
    const char *at;
    size_t length;
    struct pp_quantity from; /* borrows the text */
    double to;               /* in from's unit */
    double ns;               /* of the unit; 0: no time */
};

/* Finds the interval in the values that a sweep lists: returns how many there are, and
 * the last of them; -1 for one that is malformed. */
int pp_interval_find(struct pp_interval *interval, const struct pp_options *options,
                     struct pp_error *error);

/* The number nearest to this one that the search looks at: times are whole ns, other
 * numbers have 9 digits. */
double pp_interval_round(const struct pp_interval *interval, double number);

/* "12.5us" */
enum { PP_INTERVAL_TEXT = 64 };
const char *pp_interval_number(const struct pp_interval *interval, double number,
                               char text[PP_INTERVAL_TEXT]);

/* The option's text with the number in place of the interval; a new text, NULL when out
 * of memory. */
char *pp_interval_text(const struct pp_interval *interval, double number);

/* Writes numbers from the one end to the other, by equal factors where the ends differ
 * much, else by equal steps. */
void pp_interval_grid(const struct pp_interval *interval, double *numbers, int count);

#endif
