/* Numbers as text. */
#ifndef PP_REPORT_NUMBERS_H
#define PP_REPORT_NUMBERS_H

#include <stdint.h>

/* Writes value * 10^-places exactly, without trailing zeros: (1500, 3) is 1.5. With
 * places = 9, ns become seconds; with 3, microseconds. 0 <= places <= 18. Returns where
 * it begins in the buffer, which it fills to the end. */
enum { PP_DECIMAL_TEXT = 32 };
char *pp_decimal_text(int64_t value, int places, char buffer[PP_DECIMAL_TEXT]);

/* The shortest decimal that reads back as the same double. Returns buffer. */
enum { PP_REAL_TEXT = 32 };
char *pp_real_text(double value, char buffer[PP_REAL_TEXT]);

/* A duration for people, three significant digits and the unit: "1.25 ms". Returns
 * buffer. */
enum { PP_DURATION_TEXT = 32 };
char *pp_duration_text(double ns, char buffer[PP_DURATION_TEXT]);

/* The unit in which durations up to this many ns read well, and its ns. */
struct pp_time_unit {
    const char *name; /* "ns", "us", "ms", "s" */
    double ns;
};
struct pp_time_unit pp_time_unit(double ns);

#endif
