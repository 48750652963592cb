#include "base/units.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST = 63 };

const struct pp_unit pp_durations[] = {
    {"", 1e6}, {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {NULL, 0},
};

const struct pp_unit pp_bandwidths[] = {
    {"", 1},           {"B/s", 1},          {"kB/s", 1e3},       {"MB/s", 1e6},
    {"GB/s", 1e9},     {"TB/s", 1e12},      {"KiB/s", 0x1p10},   {"MiB/s", 0x1p20},
    {"GiB/s", 0x1p30}, {"kbit/s", 1e3 / 8}, {"Mbit/s", 1e6 / 8}, {"Gbit/s", 1e9 / 8},
    {NULL, 0},
};

const struct pp_unit pp_flop_rates[] = {
    {"", 1},          {"MFLOPS", 1e6},  {"GFLOPS", 1e9},
    {"TFLOPS", 1e12}, {"PFLOPS", 1e15}, {NULL, 0},
};

const struct pp_unit pp_no_units[] = {{"", 1}, {NULL, 0}};

static const char *unknown_unit(const struct pp_unit *units)
{
    if (units == pp_durations)
        return "has an unknown unit: use ns, us, ms (if none is given) or s";
    if (units == pp_bandwidths)
        return "has an unknown unit: use B/s, kB/s, MB/s, GB/s, TB/s, KiB/s, MiB/s, "
               "GiB/s, kbit/s, Mbit/s or Gbit/s";
    if (units == pp_flop_rates)
        return "has an unknown unit: use MFLOPS, GFLOPS, TFLOPS, PFLOPS or none";
    return "has text after the number";
}

/* "Gb/s" could be either of two: bits and bytes are told apart by their case. */
static bool same_unit(const char *name, const char *text)
{
    if (strstr(name, "B/s"))
        return strcmp(name, text) == 0 ||
               (name[0] == 'k' && text[0] == 'K' && strcmp(name + 1, text + 1) == 0);
    return strcasecmp(name, text) == 0;
}

const char *pp_parse_quantity(const char *text, size_t length,
                              const struct pp_unit *units, double *value)
{
    char copy[LONGEST + 1];
    if (length == 0)
        return "is missing";
    if (length > LONGEST)
        return "is too long for a number";
    memcpy(copy, text, length);
    copy[length] = '\0';

    const char *digits = copy + (copy[0] == '-');
    /* What strtod takes beside numbers as people write them: nan, inf, hexadecimal. */
    if (!isdigit((unsigned char)digits[0]) &&
        !(digits[0] == '.' && isdigit((unsigned char)digits[1])))
        return "is not a number";
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
        return "is not a decimal number";
    char *end;
    double number = strtod(copy, &end);
    if (copy[0] == '-')
        return "is negative";
    const struct pp_unit *unit = units;
    while (unit->name && !same_unit(unit->name, end))
        unit++;
    if (!unit->name)
        return unknown_unit(units);
    *value = number * unit->factor;
    return isfinite(*value) ? NULL : "is too large";
}
