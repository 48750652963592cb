/* Questions to the options, answered from the table's rows. */
#include "cli/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/words.h"
#include "cli/option_table.h"

bool pp_options_given(const struct pp_options *options, const char *name)
{
    for (int i = 0; i < pp_option_count; i++) {
        if (options->given[i] && strcmp(pp_option_table[i].name, name) == 0)
            return true;
    }
    return false;
}

const char *pp_options_given_for(const struct pp_options *options,
                                 enum pp_command command, enum pp_command other)
{
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        if (options->given[i] && pp_option_of(option, command) &&
            !pp_option_of(option, other))
            return option->name;
    }
    return NULL;
}

int pp_options_on_stdout(const struct pp_options *options)
{
    int count = 0;
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        const char *path = pp_option_text(options, option);
        count += pp_option_of(option, options->command) &&
                 option->file == PP_FILE_STREAMED && path && strcmp(path, "-") == 0;
    }
    return count;
}

void pp_options_headline(const struct pp_options *options, char *text, size_t size)
{
    text[0] = '\0';
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        if (!option->headline || !options->given[i])
            continue;
        const char *value = pp_option_text(options, option);
        pp_append(text, size, "%s--%s %.*s", text[0] ? ", " : "", option->name,
                  (int)pp_whole_characters(value, strnlen(value, 60)), value);
    }
    pp_make_printable(text);
}

/* The first row of this key, NULL where it is no option's. */
static const struct pp_option *find_key(const char *key)
{
    char own[PP_OPTION_KEY];
    for (int i = 0; i < pp_option_count; i++) {
        if (strcmp(pp_option_key(&pp_option_table[i], own), key) == 0)
            return &pp_option_table[i];
    }
    return NULL;
}

bool pp_options_decides(const char *key)
{
    const struct pp_option *option = find_key(key);
    return !option || (option->role != PP_ROLE_OUTPUT &&
                       option->role != PP_ROLE_JUDGING && !option->resolved);
}

bool pp_options_orders(const char *key)
{
    const struct pp_option *option = find_key(key);
    return option && option->role == PP_ROLE_ORDER;
}

int pp_options_take_sizes(struct pp_options *options, const json_t *config,
                          const char *path, struct pp_error *error)
{
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        char key[PP_OPTION_KEY];
        if (option->role != PP_ROLE_MODEL || option->type != PP_INT)
            continue;
        int *size = pp_option_field(options, option);
        json_int_t found =
            json_integer_value(json_object_get(config, pp_option_key(option, key)));
        if (found < (json_int_t)option->least || found > (json_int_t)option->most)
            return pp_fail(error, PP_BAD_INPUT,
                           "'%s': 'config.%s' should be a whole number from %.0f to "
                           "%.0f",
                           path, key, option->least, option->most);
        if (options->given[i] && *size != (int)found)
            return pp_fail(error, PP_BAD_INPUT,
                           "'--%s' %d: the costs in '%s' were measured at %d: leave "
                           "the option out",
                           option->name, *size, path, (int)found);
        *size = (int)found;
    }
    return 0;
}

void pp_options_take(struct pp_options *options, const json_t *config, const char *name)
{
    struct pp_error error;
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        const json_t *found = json_object_get(config, name);
        if (strcmp(option->name, name) != 0 || options->given[i] ||
            !pp_option_of(option, options->command))
            continue;
        if (option->type == PP_FLAG)
            *(bool *)pp_option_field(options, option) = json_is_true(found);
        else if (json_is_string(found))
            pp_option_set(options, option, json_string_value(found), &error);
    }
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : !a && !b;
}

/* Does the option have this value? An answer that needs no memory. */
static bool has_value(const struct pp_options *options, const struct pp_option *option,
                      const json_t *value)
{
    const void *at = pp_option_field(options, option);
    switch (option->type) {
    case PP_FLAG:
        return json_is_boolean(value) && json_is_true(value) == *(const bool *)at;
    case PP_INT:
        return json_is_integer(value) && json_integer_value(value) == *(const int *)at;
    case PP_LONG:
        return json_is_integer(value) &&
               json_integer_value(value) == *(const long long *)at;
    case PP_REAL:
        return json_is_real(value) && json_real_value(value) == *(const double *)at;
    case PP_CHOICE:
    case PP_TEXT:
    case PP_NAME:
        return (json_is_string(value) || json_is_null(value)) &&
               same_text(json_string_value(value), pp_option_text(options, option));
    case PP_TEXTS:
    case PP_NAMES:
        break;
    }
    return false;
}

/* Is it the value that the table begins with? */
static bool is_start(const struct pp_option *option, const json_t *value)
{
    struct pp_options untouched = {0};
    struct pp_error error;
    if (option->type == PP_TEXTS || option->type == PP_NAMES ||
        (option->start &&
         pp_option_set(&untouched, option, option->start, &error) != 0))
        return false;
    return has_value(&untouched, option, value);
}

bool pp_options_default(const char *key, const json_t *value)
{
    const struct pp_option *option = find_key(key);
    return option && is_start(option, value);
}

/* "--name=value", a new text, unless the value is the one that the table begins with,
 * or there is no one value. Returns how many texts that are, -1 when out of memory. */
static int argument_of(const struct pp_options *options, const struct pp_option *option,
                       char **argument)
{
    json_t *value = pp_option_json(options, option);
    char *number = NULL;
    int length = 0;
    if (!value)
        return -1;
    *argument = NULL;
    if (json_is_array(value) || is_start(option, value))
        length = 0;
    else if (json_is_true(value))
        length = asprintf(argument, "--%s", option->name);
    else if (json_is_string(value))
        length = asprintf(argument, "--%s=%s", option->name, json_string_value(value));
    else if (json_is_number(value)) {
        number = pp_json_dump(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
        length = number ? asprintf(argument, "--%s=%s", option->name, number) : -1;
    }
    free(number);
    json_decref(value);
    return length < 0 ? -1 : length > 0;
}

/* The same of an option that may be given several times: a text for each. */
static int arguments_of(const struct pp_options *options,
                        const struct pp_option *option, char **arguments, int most)
{
    const struct pp_texts *texts = pp_option_field(options, option);
    int count = 0;
    if (option->type != PP_TEXTS)
        return argument_of(options, option, arguments);
    for (; count < texts->count && count < most; count++) {
        if (asprintf(&arguments[count], "--%s=%s", option->name, texts->items[count]) >=
            0)
            continue;
        while (count > 0)
            free(arguments[--count]);
        return -1;
    }
    return count;
}

int pp_options_pass_on(const struct pp_options *options, enum pp_command command,
                       char **arguments, int most)
{
    const unsigned without = 1U << PP_ROLE_OUTPUT | 1U << PP_ROLE_JUDGING;
    int count = 0;
    for (int i = 0; i < pp_option_count && count < most; i++) {
        const struct pp_option *option = &pp_option_table[i];
        if (without & 1U << option->role || !pp_option_of(option, options->command) ||
            !pp_option_of(option, command))
            continue;
        int made = arguments_of(options, option, &arguments[count], most - count);
        if (made < 0) {
            while (count > 0)
                free(arguments[--count]);
            return -1;
        }
        count += made;
    }
    return count;
}

int pp_options_again(const struct pp_options *options, char **arguments, int most)
{
    return pp_options_pass_on(options, options->command, arguments, most);
}
