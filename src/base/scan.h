/* Reads the text that an option was given, from left to right. Each function reads
 * what its name says at the place that was reached and goes on behind it; where
 * something else is there, it returns -1 with a PP_BAD_INPUT that names the option, its
 * text and the column (from 1, in characters):
 *
 *     '--cost' 'f=1,b=x', column 7, key 'b': 'x' is not a number
 */
#ifndef PP_BASE_SCAN_H
#define PP_BASE_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/units.h"

/* Initialise option, text and error with PP_SCANNER. */
struct pp_scanner {
    const char *option; /* "cost" */
    const char *text;   /* all of it */
    const char *at;     /* what comes next */
    const char *key;    /* of the item that is being read, for messages; or NULL */
    unsigned given;     /* a bit for each key that pp_scan_key has read */
    struct pp_error *error;
};
#define PP_SCANNER(option_, text_, error_)                                             \
    ((struct pp_scanner){                                                              \
        .option = (option_), .text = (text_), .at = (text_), .error = (error_)})

/* Fails with the message for the place at, which lies in the text. Returns -1. */
__attribute__((format(printf, 3, 4))) int
pp_scan_fail(const struct pp_scanner *scanner, const char *at, const char *format, ...);

bool pp_scan_at_end(const struct pp_scanner *scanner);
/* 0 at the end of the text; fails elsewhere. */
int pp_scan_end(const struct pp_scanner *scanner);
void pp_scan_blanks(struct pp_scanner *scanner);

/* Reads the sign if it comes next, and returns whether it did. */
bool pp_scan_sign(struct pp_scanner *scanner, const char *sign);

/* Reads up to the first of the characters in stops, or the end; returns the length of
 * what was read, which begins where the scanner was. */
size_t pp_scan_until(struct pp_scanner *scanner, const char *stops);

/* A whole number from least to most, least >= 0; what it is is for the message: "want a
 * rank from 0 to 3". */
int pp_scan_whole(struct pp_scanner *scanner, const char *what, long least, long most,
                  long *value);

/* A decimal number >= 0 without a unit. */
int pp_scan_number(struct pp_scanner *scanner, double *value);
/* The unit of a number that was read, or none, with blanks around it; converts *value
 * to the base unit. Sets *given, unless NULL: was there one? */
int pp_scan_unit(struct pp_scanner *scanner, const struct pp_units *units,
                 double *value, bool *given);
/* Both. */
int pp_scan_quantity(struct pp_scanner *scanner, const struct pp_units *units,
                     double *value);
/* The same, greater than 0. */
int pp_scan_positive(struct pp_scanner *scanner, const struct pp_units *units,
                     double *value);

/* The next key of a list "key=value,key,key=value": reads the comma before it, if it is
 * not the first, the key and its '='. Sets *key, an index into keys, which NULL ends,
 * and *valued, unless NULL: was there a '='? Returns 1, 0 at the end of the text, -1
 * for a key that is unknown or given twice, or where something else than a comma comes.
 */
int pp_scan_key(struct pp_scanner *scanner, const char *const *keys, int *key,
                bool *valued);

#endif
