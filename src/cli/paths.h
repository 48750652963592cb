/* The files that the options name. */
#ifndef PP_CLI_PATHS_H
#define PP_CLI_PATHS_H

#include "cli/options.h"

/* Can everything that the options ask for be written, and is nothing lost by it? Asked
 * before the work starts. PP_BAD_INPUT names the file and what is wrong. */
int pp_output_paths_check(const struct pp_options *options, struct pp_error *error);

/* Removes what ranks that were killed have left beside what they were to write. */
void pp_output_paths_tidy(const struct pp_options *options);

/* Is the output of this path no other output, and no input? */
bool pp_output_path_is_alone(const struct pp_options *options, const char *path);

#endif
