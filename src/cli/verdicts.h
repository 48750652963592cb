/* Verdicts, and what kept something from being judged, in every --format. */
#ifndef PP_CLI_VERDICTS_H
#define PP_CLI_VERDICTS_H

#include "cli/options.h"
#include "report/gate/verdict.h"

/* Prints the verdicts in every format that is asked for, as text where none is to be
 * printed. A file is whole or not there. */
int pp_verdicts_print(const struct pp_options *options,
                      const struct pp_verdicts *verdicts, struct pp_error *error);

/* Prints the error for people, and for machines as the one failed case: of what should
 * have been judged, and could not be. Returns the error's status. */
int pp_refuse(const struct pp_options *options, const struct pp_error *error);

#endif
