/* Numbers with units, as options give them: "5us", "0.1", "10GB/s", "312TFLOPS". */
#ifndef PP_BASE_UNITS_H
#define PP_BASE_UNITS_H

#include <stddef.h>

struct pp_unit {
    const char *name; /* "" is the unit of a bare number; NULL ends the list */
    double factor;
};

extern const struct pp_unit pp_durations[];  /* to ns; a bare number is ms */
extern const struct pp_unit pp_bandwidths[]; /* to bytes per second */
extern const struct pp_unit pp_flop_rates[]; /* to floating-point operations per s */
extern const struct pp_unit pp_no_units[];   /* a bare number */

/* Parses the length characters at text: a number >= 0, then one of the units (upper and
 * lower case are told apart only where both exist). Returns NULL, or what is wrong,
 * with what would be right, as the second half of a message ("is negative"). */
const char *pp_parse_quantity(const char *text, size_t length,
                              const struct pp_unit *units, double *value);

#endif
