/* Lists of numbers: "2,4,8", "4:64:x2" (4 8 16 32 64), "4:16:+4", "1:4" (step 1), and
 * any of these with commas between; a number listed again is listed once. */
#ifndef PP_CLI_LISTS_H
#define PP_CLI_LISTS_H

#include "base/error.h"

enum { PP_MOST_LISTED = 1024 };

struct pp_list {
    const char *text; /* as given; borrowed, NULL: not given */
    int items[PP_MOST_LISTED];
    int count;
};

/* Numbers must be least .. most, least >= 1. option is its name, "ranks", for the
 * PP_BAD_INPUT that says which column is wrong. */
int pp_list_parse(struct pp_list *list, const char *option, const char *text, int least,
                  int most, struct pp_error *error);

#endif
