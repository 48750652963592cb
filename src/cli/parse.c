/* argv → struct pp_options. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/words.h"
#include "cli/command.h"
#include "cli/formats.h"
#include "cli/lists.h"
#include "cli/option_table.h"

static int set_defaults(struct pp_options *options, struct pp_error *error)
{
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        if (pp_option_of(option, options->command) && option->start &&
            pp_option_set(options, option, option->start, error) != 0)
            return -1;
    }
    return 0;
}

static int unknown_command(const struct pp_command_row *commands, const char *word,
                           struct pp_error *error)
{
    const char *names[PP_COMMANDS + 1] = {NULL};
    char list[256];
    for (int c = 0; c < PP_COMMANDS; c++)
        names[c] = commands[c].name;
    const char *nearest = pp_names_nearest(names, word);
    pp_names_list(names, list, sizeof list);
    for (int c = 0; c < PP_COMMANDS; c++) {
        if (pp_names_in(commands[c].actions, word))
            return pp_fail(error, PP_BAD_INPUT,
                           "no command '%s': did you mean 'ppsim %s %s'?", word,
                           commands[c].name, word);
    }
    if (nearest)
        return pp_fail(error, PP_BAD_INPUT,
                       "no command '%s': did you mean '%s'? the commands are %s", word,
                       nearest, list);
    return pp_fail(error, PP_BAD_INPUT, "no command '%s': the commands are %s", word,
                   list);
}

/* Takes the command off argv. Where argv starts with an option, the command is run.
 * "help" before the command is --help. */
static int read_command(struct pp_options *options,
                        const struct pp_command_row *commands, int *argc, char ***argv,
                        struct pp_error *error)
{
    options->command = PP_RUN;
    while (*argc > 1 && strcmp((*argv)[1], "help") == 0) {
        options->help = true;
        (*argc)--;
        (*argv)++;
    }
    if (*argc < 2 || (*argv)[1][0] == '-')
        return 0;
    for (int c = 0; c < PP_COMMANDS; c++) {
        if (strcmp((*argv)[1], commands[c].name) == 0) {
            options->command = (enum pp_command)c;
            options->named = true;
            (*argc)--;
            (*argv)++;
            return 0;
        }
    }
    return unknown_command(commands, (*argv)[1], error);
}

/* word: as in argv, "--name" or "--name=value". */
static int unknown_option(const struct pp_options *options, const char *command,
                          const char *word, struct pp_error *error)
{
    const char **names;
    int count = 0;
    char name[64];
    bool elsewhere = false;
    if (strncmp(word, "--", 2) != 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "no option '%s': options start with '--', see 'ppsim %s --help'",
                       word, command);
    pp_assign(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    names = calloc((size_t)pp_option_count + 1, sizeof *names);
    if (!names)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the options");
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        bool same = strcmp(option->name, name) == 0;
        elsewhere |= same;
        if (!pp_option_of(option, options->command))
            continue;
        if (option->type == PP_FLAG && same) {
            free(names);
            return pp_fail(error, PP_BAD_INPUT, "'--%s' takes no value", name);
        }
        names[count++] = option->name;
    }
    const char *nearest = pp_names_nearest(names, name);
    free(names);
    if (elsewhere)
        return pp_fail(error, PP_BAD_INPUT,
                       "'ppsim %s' takes no '--%s': see 'ppsim %s --help'", command,
                       name, command);
    return pp_fail(error, PP_BAD_INPUT, "no option '--%s'%s%s%s: see 'ppsim %s --help'",
                   name, nearest ? " (did you mean '--" : "", nearest ? nearest : "",
                   nearest ? "'?)" : "", command);
}

/* An option that has no effect alone would be a mistake that nobody sees: without its
 * baseline a gate always passes. */
static int check_needs(const struct pp_options *options, struct pp_error *error)
{
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        const char *const *needs = option->needs;
        if (!options->given[i] || !needs[0] || pp_options_given(options, needs[0]) ||
            (needs[1] && pp_options_given(options, needs[1])))
            continue;
        return pp_fail(error, PP_BAD_INPUT, "'--%s' needs '--%s'%s%s%s", option->name,
                       needs[0], needs[1] ? " or '--" : "", needs[1] ? needs[1] : "",
                       needs[1] ? "'" : "");
    }
    return 0;
}

static int check_streams(const struct pp_options *options, struct pp_error *error)
{
    int on_stdout = pp_options_on_stdout(options);
    if (on_stdout > 1)
        return pp_fail(error, PP_BAD_INPUT,
                       "%d outputs go to standard output, '-': only one output may go "
                       "there",
                       on_stdout);
    return pp_formats_check(options, error);
}

/* What the command stands for, with these options and arguments. */
static int resolve_work(struct pp_options *options,
                        const struct pp_command_row *commands, struct pp_error *error)
{
    options->work = options->command;
    if (!commands[options->command].anew || options->argument_count > 0)
        return 0;
    const char *simulated = pp_options_given_for(options, PP_SIMULATE, PP_RUN);
    const char *trained = pp_options_given_for(options, PP_RUN, PP_SIMULATE);
    options->work = simulated ? PP_SIMULATE : PP_RUN;
    if (simulated && trained)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--%s' is for a simulation, '--%s' for a run: give one of them",
                       simulated, trained);
    return 0;
}

enum { ARGUMENT = 1, FIRST_ROW = 256 }; /* what getopt_long returns: see below */

/* Of two baselines only one would be judged: the other would seem to have passed. */
static int check_repeated(const struct pp_options *options, int row,
                          struct pp_error *error)
{
    const struct pp_option *option = &pp_option_table[row];
    bool repeatable =
        option->type == PP_FLAG || option->type == PP_TEXTS || option->type == PP_NAMES;
    if (!options->given[row] || option->role != PP_ROLE_JUDGING || repeatable)
        return 0;
    return pp_fail(error, PP_BAD_INPUT, "'--%s' is given twice: give it once",
                   option->name);
}

/* The command's options for getopt_long, which finds each by its row: two rows of one
 * name are never of one command. */
static struct option *list_options(enum pp_command command)
{
    struct option *list = calloc((size_t)pp_option_count + 1, sizeof *list);
    int count = 0;
    for (int i = 0; list && i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        if (pp_option_of(option, command))
            list[count++] = (struct option){
                .name = option->name,
                .has_arg = option->type == PP_FLAG ? no_argument : required_argument,
                .val = FIRST_ROW + i,
            };
    }
    return list;
}

/* Takes what getopt found at the word. */
static int take_word(struct pp_options *options, const char *command, const char *word,
                     int found, struct pp_error *error)
{
    int row = found - FIRST_ROW;
    if (found == ARGUMENT) {
        options->arguments[options->argument_count++] = optarg;
        return 0;
    }
    if (found == 'h') {
        options->help = true;
        return 0;
    }
    if (found == ':')
        return pp_fail(error, PP_BAD_INPUT, "'%s' needs a value", word);
    if (found == '?')
        return unknown_option(options, command, word, error);
    const struct pp_option *option = &pp_option_table[row];
    if (check_repeated(options, row, error) != 0)
        return -1;
    int status = options->lists && option->listed
                     ? pp_option_list(options, option, optarg, error)
                     : pp_option_set(options, option, optarg, error);
    if (status != 0)
        return -1;
    options->given[row] = true;
    return 0;
}

/* Goes on behind the first error: it is told in the formats that are asked for. */
static int read_words(struct pp_options *options, const struct option *list,
                      const char *command, int argc, char **argv,
                      struct pp_error *error)
{
    int found, status = 0;
    struct pp_error later;
    const char *word; /* the one that getopt is at */
    opterr = 0;
    optind = 0; /* start afresh: getopt keeps state */
    /* "-": arguments come in order, as option 1; ":": a missing value
     * is an error of its own. */
    while (word = argv[optind > 0 ? optind : 1],
           (found = getopt_long(argc, argv, "-:h", list, NULL)) != -1) {
        if (take_word(options, command, word, found, status == 0 ? error : &later) != 0)
            status = -1;
    }
    while (optind < argc)
        options->arguments[options->argument_count++] = argv[optind++];
    return status;
}

/* A list of one value is that value. */
static int set_single_values(struct pp_options *options, struct pp_error *error)
{
    for (int i = 0; options->lists && i < pp_option_count; i++) {
        const struct pp_list *list = &options->lists[i];
        if (list->count == 1 &&
            pp_option_set(options, &pp_option_table[i], list->values[0], error) != 0)
            return -1;
    }
    return 0;
}

/* What somebody who gives an argument probably wants. */
static const char *instead_of_argument(const struct pp_options *options,
                                       const struct pp_command_row *command)
{
    if (command->most_arguments > 0)
        return "";
    if (options->command == PP_GENERATE)
        return ": a model is given with '--load', a text with '--prompt'";
    if (options->command == PP_SERVE)
        return ": a model is given with '--load'";
    return ": a schedule is given with '--schedule'";
}

int pp_options_parse(struct pp_options *options, const struct pp_command_row *commands,
                     int argc, char **argv, struct pp_error *error)
{
    *options = (struct pp_options){
        .argv = argv,
        .given = calloc((size_t)pp_option_count, sizeof *options->given),
        .arguments = calloc((size_t)argc + 1, sizeof *options->arguments),
    };
    if (!options->given || !options->arguments)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the options");
    if (read_command(options, commands, &argc, &argv, error) != 0 ||
        set_defaults(options, error) != 0)
        return -1;
    const struct pp_command_row *command = &commands[options->command];
    if (options->command == PP_SWEEP)
        options->lists = calloc((size_t)pp_option_count, sizeof *options->lists);
    if (options->command == PP_SWEEP && !options->lists)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the options");
    struct option *list = list_options(options->command);
    int status = list ? read_words(options, list, command->name, argc, argv, error)
                      : pp_fail(error, PP_ENVIRONMENT, "out of memory for the options");
    free(list);
    if (status != 0 || set_single_values(options, error) != 0)
        return -1;
    if (options->argument_count > command->most_arguments)
        return pp_fail(error, PP_BAD_INPUT, "'ppsim %s' takes no argument '%s'%s",
                       command->name, options->arguments[command->most_arguments],
                       instead_of_argument(options, command));
    if (options->help)
        return 0;
    if (check_needs(options, error) != 0 || check_streams(options, error) != 0)
        return -1;
    return resolve_work(options, commands, error);
}

void pp_options_release(struct pp_options *options)
{
    free(options->given);
    free(options->arguments);
    free(options->checks.items);
    free(options->wheres.items);
    free(options->prompts.items);
    free(options->stops.items);
    for (int i = 0; options->lists && i < pp_option_count; i++)
        pp_list_release(&options->lists[i]);
    free(options->lists);
    free(options->formats.items);
    *options = (struct pp_options){0};
}
