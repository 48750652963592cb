/* One option: its words, its field, and its value from text. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/words.h"
#include "cli/formats.h"
#include "cli/lists.h"
#include "cli/option_table.h"

bool pp_option_of(const struct pp_option *option, enum pp_command command)
{
    return option->commands & 1 << command;
}

bool pp_option_decides_numbers(const struct pp_option *option)
{
    switch (option->effect) {
    case PP_DECIDES_NUMBERS:
        return true;
    case PP_KEEPS_NUMBERS:
        return false;
    case PP_EFFECT_OF_ROLE:
        break;
    }
    return option->role == PP_ROLE_MODEL || option->role == PP_ROLE_TRAINING;
}

const char *pp_option_key(const struct pp_option *option, char key[PP_OPTION_KEY])
{
    snprintf(key, PP_OPTION_KEY, "%s", option->name);
    for (char *c = key; *c; c++)
        *c = *c == '-' ? '_' : *c;
    return key;
}

const char *pp_option_word(const struct pp_option *option, int index)
{
    if (option->type == PP_NAME || option->type == PP_NAMES)
        return option->words(index).name;
    return option->type == PP_CHOICE ? option->choices[index].name : NULL;
}

const char *pp_option_help(const struct pp_option *option, char text[PP_OPTION_HELP])
{
    struct pp_word word;
    pp_assign(text, PP_OPTION_HELP, "%s", option->help);
    for (int i = 0; option->words && (word = option->words(i)).name; i++)
        pp_append(text, PP_OPTION_HELP, "%s %s (%s)", i > 0 ? "," : ":", word.name,
                  word.help);
    return text;
}

void *pp_option_field(const struct pp_options *options, const struct pp_option *option)
{
    return (char *)options + option->offset;
}

const char *pp_option_file(const struct pp_options *options,
                           const struct pp_option *option, int index)
{
    if (option->type != PP_NAMES)
        return NULL;
    const struct pp_texts *texts = pp_option_field(options, option);
    for (int i = 0; i < texts->count; i++) {
        const char *file = pp_format_of(texts->items[i]).file;
        if (file && index-- == 0)
            return file;
    }
    return NULL;
}

static const char *choice_name(const struct pp_option *option, int value)
{
    const struct pp_choice *choice = option->choices;
    while (choice->name && choice->value != value)
        choice++;
    return choice->name;
}

const char *pp_option_text(const struct pp_options *options,
                           const struct pp_option *option)
{
    bool is_text = option->type == PP_TEXT || option->type == PP_NAME;
    if (option->type == PP_CHOICE)
        return choice_name(option, *(const int *)pp_option_field(options, option));
    return is_text ? *(const char **)pp_option_field(options, option) : NULL;
}

/* Reads a whole text as a number; false if there is more to it. */
static bool read_number(const char *text, bool integer, double *number)
{
    char *end = NULL;
    errno = 0;
    *number = integer ? (double)strtoll(text, &end, 10) : strtod(text, &end);
    return end != text && *end == '\0' && errno == 0 && !isnan(*number);
}

static int set_number(const struct pp_option *option, void *at, const char *text,
                      struct pp_error *error)
{
    enum { WORTH_SAYING = 1 << 24 }; /* an upper bound below this helps a user */
    double number;
    bool integer = option->type != PP_REAL;
    bool valid = read_number(text, integer, &number);
    if (!valid || number < option->least || number > option->most) {
        const char *kind = integer ? "a whole number" : "a number";
        if (option->most >= WORTH_SAYING && !(number > option->most))
            return pp_fail(error, PP_BAD_INPUT,
                           "'--%s' must be %s of at least %.0f, not '%s'", option->name,
                           kind, option->least, text);
        return pp_fail(error, PP_BAD_INPUT,
                       "'--%s' must be %s from %.0f to %.0f, not '%s'", option->name,
                       kind, option->least, option->most, text);
    }
    if (option->type == PP_INT)
        *(int *)at = (int)number;
    else if (option->type == PP_LONG)
        *(long long *)at = strtoll(text, NULL, 10);
    else
        *(double *)at = number;
    return 0;
}

/* The index of the word, of length characters, among the valid ones; -1 if it is none
 * of them. */
static int find_word(const struct pp_option *option, const char *text, size_t length,
                     struct pp_error *error)
{
    enum { MOST_WORDS = 32 };
    const char *words[MOST_WORDS + 1] = {NULL}, *word;
    char list[512];
    for (int i = 0; i < MOST_WORDS && (word = pp_option_word(option, i)); i++) {
        if (strlen(word) == length && strncmp(word, text, length) == 0)
            return i;
        words[i] = word;
    }
    pp_names_list(words, list, sizeof list);
    return pp_fail(error, PP_BAD_INPUT, "'--%s' must be one of %s, not '%.*s'",
                   option->name, list, (int)length, text);
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

static int append_name(const struct pp_option *option, struct pp_texts *texts,
                       const char *text, struct pp_error *error)
{
    size_t length = strcspn(text, "=");
    if (find_word(option, text, length, error) < 0)
        return -1;
    if (text[length] == '=' && text[length + 1] == '\0')
        return pp_fail(error, PP_BAD_INPUT, "'--%s' '%s': a file is missing behind '='",
                       option->name, text);
    return append(texts, text, error);
}

static struct pp_list *list_of(const struct pp_options *options,
                               const struct pp_option *option)
{
    return options->lists ? &options->lists[option - pp_option_table] : NULL;
}

bool pp_option_varies(const struct pp_options *options, const struct pp_option *option)
{
    const struct pp_list *list = list_of(options, option);
    return list && list->count > 1;
}

static int add_given(struct pp_list *list, const char *text, struct pp_error *error)
{
    const char **given =
        realloc(list->given, ((size_t)list->given_count + 1) * sizeof *given);
    if (!given)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the options");
    list->given = given;
    list->given[list->given_count++] = text;
    return 0;
}

int pp_option_list(struct pp_options *options, const struct pp_option *option,
                   const char *text, struct pp_error *error)
{
    struct pp_list *list = list_of(options, option);
    bool by_comma = option->type != PP_TEXT || option->file == PP_FILES_OR_SCHEDULES;
    if (by_comma) /* given again, it replaces what was given */
        pp_list_release(list);
    if (add_given(list, text, error) != 0)
        return -1;
    if (option->file == PP_FILES_OR_SCHEDULES)
        return pp_list_names(list, option->name, text, error);
    if (option->type == PP_TEXT)
        return pp_list_texts(list, option->name, text, error);
    return pp_list_numbers(list, option->name, text, (long)option->least,
                           (long)option->most, error);
}

int pp_option_set(struct pp_options *options, const struct pp_option *option,
                  const char *text, struct pp_error *error)
{
    void *at = pp_option_field(options, option);
    int index;
    switch (option->type) {
    case PP_FLAG:
        *(bool *)at = true;
        return 0;
    case PP_INT:
    case PP_LONG:
    case PP_REAL:
        return set_number(option, at, text, error);
    case PP_CHOICE:
        index = find_word(option, text, strlen(text), error);
        if (index >= 0)
            *(int *)at = option->choices[index].value;
        return index >= 0 ? 0 : -1;
    case PP_NAME:
        index = find_word(option, text, strlen(text), error);
        if (index >= 0)
            *(const char **)at = option->words(index).name;
        return index >= 0 ? 0 : -1;
    case PP_TEXT:
        *(const char **)at = text;
        return 0;
    case PP_TEXTS:
        return append(at, text, error);
    case PP_NAMES:
        return append_name(option, at, text, error);
    }
    return 0;
}
