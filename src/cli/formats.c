#include "cli/formats.h"

#include <string.h>

struct pp_format pp_format_of(const char *value)
{
    const char *sign = strchr(value, '=');
    return (struct pp_format){
        .kind = pp_verdict_format_find(value, strcspn(value, "=")),
        .file = sign && strcmp(sign, "=-") != 0 ? sign + 1 : NULL,
    };
}

bool pp_formats_print(const struct pp_options *options)
{
    for (int i = 0; i < options->formats.count; i++) {
        if (!pp_format_of(options->formats.items[i]).file)
            return true;
    }
    return false;
}

bool pp_formats_take_stdout(const struct pp_options *options)
{
    bool taken = false;
    for (int i = 0; i < options->formats.count; i++) {
        struct pp_format format = pp_format_of(options->formats.items[i]);
        if (!format.file && format.kind->for_people)
            return false;
        taken |= !format.file;
    }
    return taken;
}

int pp_formats_check(const struct pp_options *options, struct pp_error *error)
{
    const struct pp_verdict_format *first = NULL;
    for (int i = 0; i < options->formats.count; i++) {
        struct pp_format format = pp_format_of(options->formats.items[i]);
        if (format.file)
            continue;
        if (first && !(first->of_lines && format.kind->of_lines))
            return pp_fail(error, PP_BAD_INPUT,
                           "'--format' %s and %s both go to standard output: give one "
                           "of them a file, as in '%s=FILE'",
                           first->name, format.kind->name, format.kind->name);
        first = format.kind;
    }
    return 0;
}
