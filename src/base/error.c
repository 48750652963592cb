#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 0))) static void
append(struct pp_error *error, const char *format, va_list arguments)
{
    size_t used = strlen(error->text);
    size_t separator = used > 0 ? 1 : 0;
    if (used + separator + 2 > sizeof error->text)
        return;
    if (separator)
        error->text[used] = '\n';
    vsnprintf(error->text + used + separator, sizeof error->text - used - separator,
              format, arguments);
    error->lines++;
}

int(pp_fail)(struct pp_error *error, enum pp_status status, const char *format, ...)
{
    error->text[0] = '\0';
    error->lines = 0;
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    append(error, format, arguments);
    va_end(arguments);
    return -1;
}

int(pp_fail_also)(struct pp_error *error, enum pp_status status, const char *format,
                  ...)
{
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    append(error, format, arguments);
    va_end(arguments);
    return -1;
}
