/* The command line: the value of every option, and what commands ask of them. What
 * there is to know of each option stands in its row of option_table.c. */
#ifndef PP_CLI_OPTIONS_H
#define PP_CLI_OPTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "cli/lists.h"

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

struct pp_command_row; /* command.h */

/* Every option's value. Texts are borrowed from argv, NULL where not given. */
struct pp_options {
    enum pp_command command; /* as given: it decides which options there are */
    enum pp_command work;    /* what is done: of explain without a report, run's work or
                              * simulate's */
    char **argv;             /* as given, for telling how to run it again */
    const char **arguments;  /* [argument_count] what is not an option */
    int argument_count;
    bool *given; /* of each row of the table: was it on the command line? */
    bool named;  /* argv starts with the command */
    bool help, version;

    const char *schedule, *placement;
    struct pp_list microbatches_list, ranks_list, chunks_list; /* of a sweep */
    int microbatches, ranks, chunks, group_size;               /* 0: not given */
    int layers, d_model, heads, seq_len, microbatch_size, vocab;
    const char *layer_split;
    bool untied;
    int steps, warmup_steps;
    double lr, weight_decay, clip_norm;
    int optimizer; /* enum pp_optimizer_kind */
    long long seed;
    const char *data, *load, *save, *save_grads;
    int clock; /* enum pp_clock_choice */
    int threads;
    const char *link;
    bool verify;
    const char *cost, *costs, *device, *slow, *jitter, *far_link;
    int ranks_per_node;
    bool timeline, quiet, force, update_baseline, really_run;
    const char *json, *trace, *paje, *csv, *plot, *keep_data;
    const char *picture;
    int color;          /* enum pp_color */
    int format;         /* enum pp_verdict_format */
    int show_format;    /* enum pp_show */
    int compare_format; /* enum pp_compare */
    const char *baseline, *tolerance;
    struct pp_texts checks;
};

enum pp_color { PP_COLOR_AUTO, PP_COLOR_ALWAYS, PP_COLOR_NEVER };
enum pp_compare { PP_COMPARE_TEXT, PP_COMPARE_MARKDOWN };
enum pp_show { PP_SHOW_GRID, PP_SHOW_CSV, PP_SHOW_CSV_COMMS, PP_SHOW_JSON };

/* Reads argv. PP_BAD_INPUT names the option and what is valid: the bounds, the valid
 * words, or the nearest option of that name. The texts point into argv. */
int pp_options_parse(struct pp_options *options, const struct pp_command_row *commands,
                     int argc, char **argv, struct pp_error *error);
void pp_options_release(struct pp_options *options);

/* Every option of the command with its value, by name with '_' for '-'. A new object,
 * NULL when out of memory. */
json_t *pp_options_config(const struct pp_options *options);

/* The same without what differs between the points of a sweep, and without outputs. */
json_t *pp_options_shared_config(const struct pp_options *options);

/* Does the option of this key of a config decide the result? Not one that says where
 * the result goes or what it is held against, nor --clock, for which the report's
 * environment says what it became. Keys that are no option's do. */
bool pp_options_decides(const char *key);

/* Writes what was given of the cost model, other than --cost, as a headline says it:
 * "--link latency=5us, --slow 1:2". */
void pp_options_headline(const struct pp_options *options, char *text, size_t size);

/* How many outputs go to standard output. */
int pp_options_on_stdout(const struct pp_options *options);

/* Writes those options that another command takes too and that are not at their
 * defaults, as "--name=value", except where output goes. Returns how many; the caller
 * frees each. */
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

#endif
