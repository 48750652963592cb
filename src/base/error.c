#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/words.h"

__attribute__((format(printf, 2, 0))) static void
add_line(struct pp_error *error, const char *format, va_list arguments)
{
    size_t used = strlen(error->text);
    if (used + 3 > sizeof error->text)
        return;
    if (used > 0)
        pp_append(error->text, sizeof error->text, "\n");
    size_t line = strlen(error->text);
    pp_append_list(error->text, sizeof error->text, format, arguments);
    /* A terminal would obey what arguments and files hold, a newline begin a line. */
    pp_make_printable(error->text + line);
    error->lines++;
}

int(pp_fail)(struct pp_error *error, enum pp_status status, const char *format, ...)
{
    error->text[0] = '\0';
    error->lines = 0;
    error->row = 0;
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    add_line(error, format, arguments);
    va_end(arguments);
    return -1;
}

int(pp_fail_also)(struct pp_error *error, enum pp_status status, const char *format,
                  ...)
{
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    add_line(error, format, arguments);
    va_end(arguments);
    return -1;
}

enum pp_status pp_status_of(int number)
{
    bool environment = number == ENOSPC || number == EDQUOT || number == EROFS ||
                       number == EIO || number == ENOMEM || number == EMFILE ||
                       number == ENFILE;
    return environment ? PP_ENVIRONMENT : PP_BAD_INPUT;
}

void pp_error_about_row(struct pp_error *error, int row)
{
    if (error->lines > 0 && error->row == 0)
        error->row = row;
}
