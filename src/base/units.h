/* The units that options take behind a number: "5us", "10GB/s", "312TFLOPS", "30%".
 * Upper and lower case are the same, except that B is a byte and never b, a bit. */
#ifndef PP_BASE_UNITS_H
#define PP_BASE_UNITS_H

#include <stddef.h>

/* A number in the unit is number * times / over in the base unit: divided where the
 * factor is less than 1, for 0.01 is no double and 100 is. */
struct pp_unit {
    const char *name; /* NULL ends the list */
    double times, over;
};

struct pp_units {
    const struct pp_unit *list;
    const char *bare; /* the unit of a bare number; NULL: the base unit, without name */
};

extern const struct pp_units pp_milliseconds; /* to ns; a bare number is ms */
extern const struct pp_units pp_seconds;      /* to ns; a bare number is s */
extern const struct pp_units pp_bandwidths;   /* to bytes per second */
extern const struct pp_units pp_flop_rates;   /* to floating-point operations per s */
extern const struct pp_units pp_bytes;
extern const struct pp_units pp_fractions; /* 30% is 0.3 */
extern const struct pp_units pp_no_units;

/* The unit of that name, which is length characters long; of none where length is 0.
 * NULL where there is no such unit. */
const struct pp_unit *pp_unit_find(const struct pp_units *units, const char *name,
                                   size_t length);

/* Writes what is valid into text: "ns, us, ms (if none is given) or s". */
void pp_units_list(const struct pp_units *units, char *text, size_t size);

#endif
