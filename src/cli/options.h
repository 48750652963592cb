/* The command line. One table (options.c) drives parsing, bounds, defaults, --help and
 * the `config` echoed into the report. */
#ifndef PP_CLI_OPTIONS_H
#define PP_CLI_OPTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

enum pp_command {
    PP_RUN,
    PP_SIMULATE,
    PP_SCHEDULES,
    PP_EXPLAIN,
    PP_COMPARE,
    PP_PLOT,
    PP_SWEEP,
    PP_COMMANDS
};

/* An option that may be given several times. */
struct pp_texts {
    const char **items;
    int count;
};

/* Every option's value. Texts are borrowed from argv, NULL where not given. */
struct pp_options {
    enum pp_command command;
    char **argv;            /* as given, for telling how to run it again */
    const char **arguments; /* [argument_count] what is not an option */
    int argument_count;
    bool *given; /* of each row of the table: was it on the command line? */
    bool help, version;

    const char *schedule, *placement;
    const char *microbatches_list, *ranks_list, *chunks_list; /* of a sweep */
    int microbatches, ranks, chunks, group_size;              /* 0: not given */
    int layers, d_model, heads, seq_len, microbatch_size, vocab;
    const char *layer_split;
    bool untied;
    int steps, warmup_steps;
    double lr, weight_decay, clip_norm;
    int optimizer;
    long long seed;
    const char *data, *load, *save, *save_grads;
    int clock, threads;
    const char *link;
    bool verify;
    const char *cost, *costs, *device, *slow, *jitter, *far_link;
    int ranks_per_node;
    bool timeline, quiet, force, update_baseline, really_run;
    const char *json, *trace, *paje, *csv, *plot, *keep_data;
    int color, format, picture;
    int show_format, compare_format;
    const char *baseline, *tolerance;
    struct pp_texts checks;
};

enum pp_color { PP_COLOR_AUTO, PP_COLOR_ALWAYS, PP_COLOR_NEVER };
enum pp_format {
    PP_FORMAT_TEXT,
    PP_FORMAT_TAP,
    PP_FORMAT_JUNIT,
    PP_FORMAT_GHA,
    PP_FORMAT_MARKDOWN
};

enum pp_compare { PP_COMPARE_TEXT, PP_COMPARE_MARKDOWN };
enum pp_show { PP_SHOW_GRID, PP_SHOW_CSV, PP_SHOW_CSV_COMMS, PP_SHOW_JSON };

/* Reads argv. PP_BAD_INPUT names the option and what is valid: the bounds, the valid
 * words, or the nearest option of that name. The texts point into argv. */
int pp_options_parse(struct pp_options *options, int argc, char **argv,
                     struct pp_error *error);
void pp_options_release(struct pp_options *options);

/* --help, for the options' command. */
void pp_options_help(const struct pp_options *options, FILE *stream);

/* Every option of the command with its value, by name with '_' for '-'. A new object,
 * NULL when out of memory. */
json_t *pp_options_config(const struct pp_options *options);

/* Writes those options that another command takes too and that are not at their
 * defaults, as "--name=value", except the schedule's and where output goes. Returns how
 * many; the caller frees each. */
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

const char *pp_command_name(enum pp_command command);

#endif
