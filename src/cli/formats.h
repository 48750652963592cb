/* Where verdicts go: --format KIND[=FILE], as often as is wanted. */
#ifndef PP_CLI_FORMATS_H
#define PP_CLI_FORMATS_H

#include "cli/options.h"
#include "report/gate/verdict.h"

/* A value of --format. */
struct pp_format {
    const struct pp_verdict_format *kind;
    const char *file; /* NULL: printed */
};
struct pp_format pp_format_of(const char *value);

/* Is any of them printed? */
bool pp_formats_print(const struct pp_options *options);

/* Does one of them have standard output for itself? */
bool pp_formats_take_stdout(const struct pp_options *options);

/* PP_BAD_INPUT where two would be printed that cannot stand beside each other. */
int pp_formats_check(const struct pp_options *options, struct pp_error *error);

#endif
