#include "base/units.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/words.h"

static const struct pp_unit durations[] = {
    {"ns", 1, 1}, {"us", 1e3, 1}, {"ms", 1e6, 1}, {"s", 1e9, 1}, {NULL, 0, 0},
};

static const struct pp_unit bandwidths[] = {
    {"B/s", 1, 1},        {"kB/s", 1e3, 1},     {"MB/s", 1e6, 1},
    {"GB/s", 1e9, 1},     {"TB/s", 1e12, 1},    {"KiB/s", 0x1p10, 1},
    {"MiB/s", 0x1p20, 1}, {"GiB/s", 0x1p30, 1}, {"kbit/s", 1e3, 8},
    {"Mbit/s", 1e6, 8},   {"Gbit/s", 1e9, 8},   {NULL, 0, 0},
};

static const struct pp_unit flop_rates[] = {
    {"FLOPS", 1, 1},     {"MFLOPS", 1e6, 1},  {"GFLOPS", 1e9, 1},
    {"TFLOPS", 1e12, 1}, {"PFLOPS", 1e15, 1}, {NULL, 0, 0},
};

static const struct pp_unit bytes[] = {
    {"B", 1, 1},        {"kB", 1e3, 1},     {"MB", 1e6, 1},
    {"GB", 1e9, 1},     {"TB", 1e12, 1},    {"KiB", 0x1p10, 1},
    {"MiB", 0x1p20, 1}, {"GiB", 0x1p30, 1}, {NULL, 0, 0},
};

static const struct pp_unit fractions[] = {{"%", 1, 100}, {NULL, 0, 0}};
static const struct pp_unit none[] = {{NULL, 0, 0}};

const struct pp_units pp_milliseconds = {durations, "ms"};
const struct pp_units pp_seconds = {durations, "s"};
const struct pp_units pp_bandwidths = {bandwidths, "B/s"};
const struct pp_units pp_flop_rates = {flop_rates, "FLOPS"};
const struct pp_units pp_bytes = {bytes, "B"};
const struct pp_units pp_fractions = {fractions, NULL};
const struct pp_units pp_no_units = {none, NULL};

static bool same_letter(char of_unit, char given)
{
    if (of_unit == 'B')
        return given == 'B';
    return tolower((unsigned char)of_unit) == tolower((unsigned char)given);
}

static bool same_name(const char *unit, const char *name, size_t length)
{
    if (strlen(unit) != length)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!same_letter(unit[i], name[i]))
            return false;
    }
    return true;
}

const struct pp_unit *pp_unit_find(const struct pp_units *units, const char *name,
                                   size_t length)
{
    static const struct pp_unit base = {"", 1, 1};
    if (length == 0 && !units->bare)
        return &base;
    if (length == 0)
        return pp_unit_find(units, units->bare, strlen(units->bare));
    for (const struct pp_unit *unit = units->list; unit->name; unit++) {
        if (same_name(unit->name, name, length))
            return unit;
    }
    return NULL;
}

void pp_units_list(const struct pp_units *units, char *text, size_t size)
{
    text[0] = '\0';
    for (const struct pp_unit *unit = units->list; unit->name; unit++) {
        bool bare = units->bare && strcmp(unit->name, units->bare) == 0;
        bool last = units->bare && !unit[1].name;
        const char *separator = unit == units->list ? "" : last ? " or " : ", ";
        pp_append(text, size, "%s%s%s", separator, unit->name,
                  bare ? " (if none is given)" : "");
    }
    if (!units->bare)
        pp_append(text, size, "%snone", text[0] ? " or " : "");
}
