/* The values of an option that a sweep may give several of.
 *
 * Whole numbers: "2,4,8", "4:64:x2" (4 8 16 32 64), "4:16:+4", "1:4" (step 1), and any
 * of these with commas between. Names: with commas between. Other texts are a value
 * each, in which "FROM:TO:xFACTOR" or "FROM:TO:+STEP" stands for every number of the
 * range: "latency=1us:100us:x10" for three texts; several ranges for every combination.
 * Such an option may be repeated, and has the values of all its texts. A value that is
 * listed again is listed once. */
#ifndef PP_CLI_LISTS_H
#define PP_CLI_LISTS_H

#include "base/error.h"
#include "cli/option_values.h"

enum { PP_MOST_LISTED = 1024 };

/* Each adds the values of one text. option is its name, "ranks", for the PP_BAD_INPUT
 * that says which column is wrong. Numbers must be least .. most, least >= 0. */
int pp_list_numbers(struct pp_list *list, const char *option, const char *text,
                    long least, long most, struct pp_error *error);
int pp_list_names(struct pp_list *list, const char *option, const char *text,
                  struct pp_error *error);
int pp_list_texts(struct pp_list *list, const char *option, const char *text,
                  struct pp_error *error);

void pp_list_release(struct pp_list *list);

#endif
