#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "cli/option_table.h"

static void *field(const struct pp_options *options, const struct row *row)
{
    return (char *)options + row->offset;
}

/* Reads a whole text as a number; false if there is more to it. */
static bool read_number(const char *text, bool integer, double *number)
{
    char *end = NULL;
    errno = 0;
    *number = integer ? (double)strtoll(text, &end, 10) : strtod(text, &end);
    return end != text && *end == '\0' && errno == 0 && !isnan(*number);
}

static int set_number(const struct row *row, void *at, const char *text,
                      struct pp_error *error)
{
    double number;
    bool integer = row->type != REAL;
    bool valid = read_number(text, integer, &number);
    if (!valid || number < row->least || number > row->most) {
        const char *kind = integer ? "a whole number" : "a number";
        if (isinf(row->most) || row->most >= 1 << 24)
            return pp_fail(error, PP_BAD_INPUT,
                           "'--%s' wants %s of at least %.0f, not '%s'", row->name,
                           kind, row->least, text);
        return pp_fail(error, PP_BAD_INPUT,
                       "'--%s' wants %s from %.0f to %.0f, not '%s'", row->name, kind,
                       row->least, row->most, text);
    }
    if (row->type == INT)
        *(int *)at = (int)number;
    else if (row->type == LONG)
        *(long long *)at = strtoll(text, NULL, 10);
    else
        *(double *)at = number;
    return 0;
}

static int set_choice(const struct row *row, int *at, const char *text,
                      struct pp_error *error)
{
    char list[256];
    for (int i = 0; i < MOST_CHOICES && row->choices[i]; i++) {
        if (strcmp(row->choices[i], text) == 0) {
            *at = i;
            return 0;
        }
    }
    pp_names_list(row->choices, list, sizeof list);
    return pp_fail(error, PP_BAD_INPUT, "'--%s' knows %s, not '%s'", row->name, list,
                   text);
}

static int append(struct pp_texts *texts, const char *text, struct pp_error *error)
{
    const char **items =
        realloc(texts->items, ((size_t)texts->count + 1) * sizeof *items);
    if (!items)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the options");
    texts->items = items;
    texts->items[texts->count++] = text;
    return 0;
}

static int set(struct pp_options *options, const struct row *row, const char *text,
               struct pp_error *error)
{
    void *at = field(options, row);
    switch (row->type) {
    case FLAG:
        *(bool *)at = true;
        return 0;
    case INT:
    case LONG:
    case REAL:
        return set_number(row, at, text, error);
    case CHOICE:
        return set_choice(row, at, text, error);
    case TEXT:
        *(const char **)at = text;
        return 0;
    case TEXTS:
        return append(at, text, error);
    }
    return 0;
}

static int set_defaults(struct pp_options *options, struct pp_error *error)
{
    for (int i = 0; i < ROWS; i++) {
        if (rows[i].name && rows[i].commands & 1 << options->command && rows[i].start &&
            set(options, &rows[i], rows[i].start, error) != 0)
            return -1;
    }
    return 0;
}

/* The command's name, if argv starts with one; run where it starts with an option.
 * Before it, help asks as --help does. */
static int read_command(struct pp_options *options, int *argc, char ***argv,
                        struct pp_error *error)
{
    char list[256];
    options->command = PP_RUN;
    if (*argc > 1 && strcmp((*argv)[1], "help") == 0) {
        options->help = true;
        (*argc)--;
        (*argv)++;
    }
    if (*argc < 2 || (*argv)[1][0] == '-')
        return 0;
    for (int c = 0; c < PP_COMMANDS; c++) {
        if (strcmp((*argv)[1], command_names[c]) == 0) {
            options->command = (enum pp_command)c;
            (*argc)--;
            (*argv)++;
            return 0;
        }
    }
    const char *nearest = pp_names_nearest(command_names, (*argv)[1]);
    pp_names_list(command_names, list, sizeof list);
    if (nearest)
        return pp_fail(error, PP_BAD_INPUT,
                       "no command '%s': did you mean '%s'? there are %s", (*argv)[1],
                       nearest, list);
    return pp_fail(error, PP_BAD_INPUT, "no command '%s': there are %s", (*argv)[1],
                   list);
}

static int unknown_option(enum pp_command command, const char *text,
                          struct pp_error *error)
{
    const char *names[ROWS + 1];
    int count = 0;
    char name[64];
    if (strncmp(text, "--", 2) != 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "no option '%s': options start with '--', see 'ppsim %s --help'",
                       text, command_names[command]);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text + 2, "="), text + 2);
    for (int i = 0; i < ROWS; i++) {
        if (!rows[i].name || !(rows[i].commands & 1 << command))
            continue;
        names[count++] = rows[i].name;
        if (rows[i].type == FLAG && strcmp(rows[i].name, name) == 0)
            return pp_fail(error, PP_BAD_INPUT, "'--%s' takes no value", name);
    }
    names[count] = NULL;
    const char *nearest = pp_names_nearest(names, name);
    for (int i = 0; i < ROWS; i++) { /* another command's? */
        if (rows[i].name && strcmp(rows[i].name, name) == 0)
            return pp_fail(error, PP_BAD_INPUT,
                           "'ppsim %s' takes no '--%s': see 'ppsim %s --help'",
                           command_names[command], name, command_names[command]);
    }
    return pp_fail(error, PP_BAD_INPUT, "no option '--%s'%s%s%s: see 'ppsim %s --help'",
                   name, nearest ? " (did you mean '--" : "", nearest ? nearest : "",
                   nearest ? "'?)" : "", command_names[command]);
}

bool pp_options_given(const struct pp_options *options, const char *name)
{
    for (int i = 0; i < ROWS; i++) {
        if (options->given[i] && strcmp(rows[i].name, name) == 0)
            return true;
    }
    return false;
}

const char *pp_options_given_for(const struct pp_options *options,
                                 enum pp_command command, enum pp_command other)
{
    for (int i = 0; i < ROWS; i++) {
        if (options->given[i] && rows[i].commands & 1 << command &&
            !(rows[i].commands & 1 << other))
            return rows[i].name;
    }
    return NULL;
}

/* An option that says nothing without another would be a mistake that nobody sees: a
 * gate without its baseline is always green. */
static int check_needs(const struct pp_options *options, struct pp_error *error)
{
    static const struct {
        const char *option, *needed;
    } needs[] = {{"tolerance", "baseline"},      {"update-baseline", "baseline"},
                 {"keep-data", "plot"},          {"picture", "plot"},
                 {"far-link", "ranks-per-node"}, {"ranks-per-node", "far-link"}};
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        if (pp_options_given(options, needs[i].option) &&
            !pp_options_given(options, needs[i].needed))
            return pp_fail(error, PP_BAD_INPUT, "'--%s' needs '--%s'", needs[i].option,
                           needs[i].needed);
    }
    const char *const outputs[] = {options->json, options->trace, options->paje,
                                   options->csv};
    int on_stdout = 0;
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
        on_stdout += outputs[i] && strcmp(outputs[i], "-") == 0;
    if (on_stdout > 1)
        return pp_fail(error, PP_BAD_INPUT,
                       "%d outputs go to standard output, '-': one may", on_stdout);
    bool judges = options->command == PP_RUN || options->command == PP_SIMULATE;
    if (judges && pp_options_given(options, "format") &&
        !pp_options_given(options, "check") && !pp_options_given(options, "baseline"))
        return pp_fail(error, PP_BAD_INPUT,
                       "'--format' needs something to judge: '--check' or "
                       "'--baseline'");
    return 0;
}

int pp_options_parse(struct pp_options *options, int argc, char **argv,
                     struct pp_error *error)
{
    struct option list[ROWS + 1];
    int count = 0, found;
    const char *word; /* the one that getopt is at */
    enum { ARGUMENT = 1, FIRST_ROW = 256 };
    *options = (struct pp_options){.argv = argv, .given = calloc(ROWS, sizeof(bool))};
    if (!options->given)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the options");
    if (read_command(options, &argc, &argv, error) != 0 ||
        set_defaults(options, error) != 0)
        return -1;
    for (int i = 0; i < ROWS; i++) {
        if (rows[i].name && rows[i].commands & 1 << options->command)
            list[count++] = (struct option){
                .name = rows[i].name,
                .has_arg = rows[i].type == FLAG ? no_argument : required_argument,
                .val = FIRST_ROW + i, /* told apart: an abbreviation may be ambiguous */
            };
    }
    list[count] = (struct option){0};
    options->arguments = calloc((size_t)argc + 1, sizeof *options->arguments);
    if (!options->arguments)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the options");

    opterr = 0;
    optind = 0; /* start afresh: getopt keeps state */
    /* "-": arguments come in order, as option 1; ":": a missing value is told apart. */
    while (word = argv[optind > 0 ? optind : 1],
           (found = getopt_long(argc, argv, "-:h", list, NULL)) != -1) {
        if (found == ARGUMENT)
            options->arguments[options->argument_count++] = optarg;
        else if (found == 'h')
            options->help = true;
        else if (found == ':')
            return pp_fail(error, PP_BAD_INPUT, "'%s' wants a value", word);
        else if (found == '?')
            return unknown_option(options->command, word, error);
        else if (set(options, &rows[found - FIRST_ROW], optarg, error) != 0)
            return -1;
        else
            options->given[found - FIRST_ROW] = true;
    }
    while (optind < argc)
        options->arguments[options->argument_count++] = argv[optind++];
    if (options->argument_count > most_arguments[options->command])
        return pp_fail(error, PP_BAD_INPUT, "'ppsim %s' takes no argument '%s'",
                       command_names[options->command],
                       options->arguments[most_arguments[options->command]]);
    return options->help ? 0 : check_needs(options, error);
}

void pp_options_release(struct pp_options *options)
{
    free(options->given);
    free(options->arguments);
    free(options->checks.items);
    *options = (struct pp_options){0};
}

static void help_row(const struct row *row, FILE *stream)
{
    enum { COLUMN = 32 };
    int used = fprintf(stream, "  --%s%s%s", row->name, row->value ? " " : "",
                       row->value ? row->value : "");
    fprintf(stream, "%*s%s", used < COLUMN ? COLUMN - used : 1, "", row->help);
    if (row->start && strcmp(row->start, "0") != 0)
        fprintf(stream, " (%s)", row->start);
    fputc('\n', stream);
}

void pp_options_help(const struct pp_options *options, FILE *stream)
{
    const char *title = NULL;
    int bit = 1 << options->command;
    fprintf(
        stream,
        "usage: ppsim [COMMAND] [OPTIONS]\n\n"
        "Executes pipeline-parallel training schedules, and measures, predicts and\n"
        "explains their bubbles.\n\nCommands:\n");
    for (int c = 0; c < PP_COMMANDS; c++)
        fprintf(stream, "  %-12s%s\n", command_names[c], command_help[c]);
    fprintf(stream, "\nOptions of 'ppsim %s' (defaults in brackets):\n",
            command_names[options->command]);
    for (int i = 0; i < ROWS; i++) {
        if (!rows[i].name) {
            title = rows[i].help;
            continue;
        }
        if (!(rows[i].commands & bit))
            continue;
        if (title)
            fprintf(stream, "\n%s\n", title);
        title = NULL;
        help_row(&rows[i], stream);
    }
    fprintf(
        stream,
        "\nExit status: 0 done, 1 a check or baseline failed, 2 bad usage or input,\n"
        "3 numbers wrong (verify, NaN), 4 the environment failed (MPI, disk, "
        "memory).\n");
}

static json_t *value_of(const struct pp_options *options, const struct row *row)
{
    const void *at = field(options, row);
    json_t *list;
    switch (row->type) {
    case FLAG:
        return json_boolean(*(const bool *)at);
    case INT:
        return json_integer(*(const int *)at);
    case LONG:
        return json_integer(*(const long long *)at);
    case REAL:
        return json_real(*(const double *)at);
    case CHOICE:
        return json_string(row->choices[*(const int *)at]);
    case TEXT:
        return *(char *const *)at ? json_string(*(char *const *)at) : json_null();
    case TEXTS:
        list = json_array();
        for (int i = 0; i < ((const struct pp_texts *)at)->count; i++)
            json_array_append_new(list,
                                  json_string(((const struct pp_texts *)at)->items[i]));
        return list;
    }
    return NULL;
}

/* '--seq-len' is 'seq_len' in the config. */
static void config_key(const struct row *row, char key[64])
{
    snprintf(key, 64, "%s", row->name);
    for (char *c = key; *c; c++)
        *c = *c == '-' ? '_' : *c;
}

json_t *pp_options_config(const struct pp_options *options)
{
    json_t *config = json_object();
    for (int i = 0; config && i < ROWS; i++) {
        char key[64];
        if (!rows[i].name || !(rows[i].commands & 1 << options->command) ||
            rows[i].offset == AT(help) || rows[i].offset == AT(version))
            continue;
        config_key(&rows[i], key);
        json_object_set_new(config, key, value_of(options, &rows[i]));
    }
    return config;
}

/* The model's sizes, which what ops take depends on. */
static bool is_model_size(const struct row *row)
{
    const size_t offsets[] = {AT(layers),  AT(d_model),         AT(heads),
                              AT(seq_len), AT(microbatch_size), AT(vocab)};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        if (row->name && row->offset == offsets[i])
            return true;
    }
    return false;
}

int pp_options_take_sizes(struct pp_options *options, const json_t *config,
                          const char *path, struct pp_error *error)
{
    for (int i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];
        char key[64];
        if (!is_model_size(row))
            continue;
        config_key(row, key);
        int *size = field(options, row);
        json_int_t found = json_integer_value(json_object_get(config, key));
        if (found < (json_int_t)row->least || found > (json_int_t)row->most)
            return pp_fail(error, PP_BAD_INPUT,
                           "'%s': 'config.%s' should be a whole number from %.0f to "
                           "%.0f",
                           path, key, row->least, row->most);
        if (options->given[i] && *size != (int)found)
            return pp_fail(error, PP_BAD_INPUT,
                           "'--%s' %d: the costs in '%s' were measured at %d: leave "
                           "the option out",
                           row->name, *size, path, (int)found);
        *size = (int)found;
    }
    return 0;
}

/* Was it left as the table says? */
static bool is_default(const struct pp_options *options, const struct row *row)
{
    struct pp_options untouched = {.command = options->command};
    struct pp_error error;
    if (row->start && set(&untouched, row, row->start, &error) != 0)
        return false;
    json_t *here = value_of(options, row), *there = value_of(&untouched, row);
    bool same = json_equal(here, there);
    json_decref(here);
    json_decref(there);
    return same;
}

static int write_argument(const struct pp_options *options, const struct row *row,
                          char *text, size_t size)
{
    const void *at = field(options, row);
    switch (row->type) {
    case FLAG:
        return snprintf(text, size, "--%s", row->name);
    case INT:
        return snprintf(text, size, "--%s=%d", row->name, *(const int *)at);
    case LONG:
        return snprintf(text, size, "--%s=%lld", row->name, *(const long long *)at);
    case REAL:
        return snprintf(text, size, "--%s=%.17g", row->name, *(const double *)at);
    case CHOICE:
        return snprintf(text, size, "--%s=%s", row->name,
                        row->choices[*(const int *)at]);
    case TEXT:
        return snprintf(text, size, "--%s=%s", row->name, *(char *const *)at);
    case TEXTS:
        break;
    }
    return -1;
}

int pp_options_pass_on(const struct pp_options *options, enum pp_command command,
                       char **arguments, int most)
{
    int count = 0;
    for (int i = 0; i < ROWS && count < most; i++) {
        char text[4096];
        bool shared = rows[i].name && rows[i].commands & 1 << options->command &&
                      rows[i].commands & 1 << command;
        if (!shared || rows[i].offset == AT(schedule) || rows[i].offset == AT(json) ||
            rows[i].offset == AT(csv) || rows[i].offset == AT(plot) ||
            rows[i].offset == AT(keep_data) || rows[i].offset == AT(quiet) ||
            is_default(options, &rows[i]))
            continue;
        if (write_argument(options, &rows[i], text, sizeof text) > 0 &&
            (arguments[count] = strdup(text)))
            count++;
    }
    return count;
}

const char *pp_command_name(enum pp_command command)
{
    return command_names[command];
}
