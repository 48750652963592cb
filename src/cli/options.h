/* The command line: how it is read into the options' values (option_values.h), and what
 * commands ask of them. What there is to know of each option stands in its row of
 * option_table.c. */
#ifndef PP_CLI_OPTIONS_H
#define PP_CLI_OPTIONS_H

#include <jansson.h>

#include "base/error.h"
#include "cli/option_values.h"

struct pp_command_row; /* command.h */

/* Reads argv. PP_BAD_INPUT names the option and what is valid: the bounds, the valid
 * words, or the nearest option of that name. The texts point into argv. */
int pp_options_parse(struct pp_options *options, const struct pp_command_row *commands,
                     int argc, char **argv, struct pp_error *error);
void pp_options_release(struct pp_options *options);

/* Every option of the command with its value, by name with '_' for '-'; of what a sweep
 * lists, the text or an array of the texts. A new object, NULL when out of memory. */
json_t *pp_options_config(const struct pp_options *options);

/* The same without what varies between the points of a sweep, and without outputs and
 * what the points are held against. */
json_t *pp_options_shared_config(const struct pp_options *options);

/* Does the option of this key of a config decide the result? Not one that says where
 * the result goes or what it is held against, nor --clock, for which the report's
 * environment says what it became. Keys that are no option's do. */
bool pp_options_decides(const char *key);

/* Does the option of this key say in which order ops run, and where stages are? A
 * schedule file says it itself. */
bool pp_options_orders(const char *key);

/* Is this the value that the option of this key has where it is not given? */
bool pp_options_default(const char *key, const json_t *value);

/* The options that make this work again, without outputs and what judges them: each
 * that is not at its default, as "--name=value", at most so many. Returns how many, for
 * the caller to free each; -1 when out of memory. */
int pp_options_again(const struct pp_options *options, char **arguments, int most);

/* Writes what was given of the cost model, other than --cost, as a headline says it:
 * "--link latency=5us, --slow 1:2". */
void pp_options_headline(const struct pp_options *options, char *text, size_t size);

/* How many outputs go to standard output. */
int pp_options_on_stdout(const struct pp_options *options);

/* Writes those options that another command takes too and that are not at their
 * defaults, as "--name=value", except where output goes and what judges it. Returns how
 * many, for the caller to free each; -1 when out of memory. */
int pp_options_pass_on(const struct pp_options *options, enum pp_command command,
                       char **arguments, int most);

/* The name of an option that was given and that one command takes, but not the other;
 * NULL if there is none. */
const char *pp_options_given_for(const struct pp_options *options,
                                 enum pp_command command, enum pp_command other);

/* Was the option, named as on the command line, given? */
bool pp_options_given(const struct pp_options *options, const char *name);

/* Takes the model's sizes over from the config of the report at path, whose costs are
 * those of that model. PP_BAD_INPUT where an option was given that says otherwise. */
int pp_options_take_sizes(struct pp_options *options, const json_t *config,
                          const char *path, struct pp_error *error);

/* Takes the value of a flag or a choice of this name over from a config, unless it was
 * given. */
void pp_options_take(struct pp_options *options, const json_t *config,
                     const char *name);

#endif
