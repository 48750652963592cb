/* Numbers with their units, as they stand in the text of an option: "5us" in
 * "latency=5us,bandwidth=10GB/s". What the text means otherwise is left open. */
#ifndef PP_CLI_QUANTITY_H
#define PP_CLI_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>

struct pp_quantity {
    double number;
    const char *unit; /* borrowed from the text, unit_length characters; may be none */
    int unit_length;
    size_t length; /* of number and unit in the text */
};

/* Reads a quantity that begins at the text; false if none does. */
bool pp_quantity_read(struct pp_quantity *quantity, const char *text);

/* The first quantity that begins at `at` or behind it, not within a word ("w2"); NULL
 * if there is none. text is the beginning of it all. */
const char *pp_quantity_next(struct pp_quantity *quantity, const char *text,
                             const char *at);

/* The quantity as a number of the other's unit: 1 ms in the unit of "5us" is 1000.
 * False if the units have nothing in common. */
bool pp_quantity_in(const struct pp_quantity *quantity, const struct pp_quantity *other,
                    double *number);

/* How many ns the quantity's unit is; 0 if it is no unit of time. */
double pp_quantity_ns(const struct pp_quantity *quantity);

#endif
