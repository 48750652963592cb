#include "doctor/finding.h"

#include <stdarg.h>

#include "base/words.h"

void pp_find(struct pp_finding *finding, enum pp_health health, const char *format, ...)
{
    va_list arguments;
    finding->health = health;
    va_start(arguments, format);
    pp_assign_list(finding->found, sizeof finding->found, format, arguments);
    va_end(arguments);
    pp_make_printable(finding->found);
}

void pp_advise(struct pp_finding *finding, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    pp_assign_list(finding->advice, sizeof finding->advice, format, arguments);
    va_end(arguments);
    pp_make_printable(finding->advice);
}

const char *pp_health_name(enum pp_health health)
{
    static const char *const names[] = {
        [PP_FINE] = "ok", [PP_DOUBTFUL] = "warning", [PP_WRONG] = "wrong"};
    return names[health];
}
