#include "report/numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

char *pp_decimal_text(int64_t value, int places, char buffer[PP_DECIMAL_TEXT])
{
    char *at = buffer + PP_DECIMAL_TEXT - 1;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    *at = '\0';
    while (places > 0 && rest % 10 == 0) {
        rest /= 10;
        places--;
    }
    for (int digit = 0; digit <= places || rest > 0; digit++) {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
        if (digit + 1 == places)
            *--at = '.';
    }
    if (value < 0)
        *--at = '-';
    return at;
}

char *pp_real_text(double value, char buffer[PP_REAL_TEXT])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(buffer, PP_REAL_TEXT, "%.*g", digits, value);
        if (strtod(buffer, NULL) == value)
            break;
    }
    return buffer;
}

struct pp_time_unit pp_time_unit(double ns)
{
    static const struct pp_time_unit units[] = {
        {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};
    int i = 0;
    while (i < 3 && fabs(ns) < units[i].ns)
        i++;
    return units[i];
}

char *pp_duration_text(double ns, char buffer[PP_DURATION_TEXT])
{
    struct pp_time_unit unit = pp_time_unit(ns);
    double value = ns / unit.ns;
    int decimals = fabs(value) >= 100 ? 0 : fabs(value) >= 10 ? 1 : 2;
    snprintf(buffer, PP_DURATION_TEXT, "%.*f %s", unit.ns > 1 ? decimals : 0, value,
             unit.name);
    return buffer;
}
