/* What a sweep's points are held against, and put in order by: --where, --check, --best
 * and --sort. */
#ifndef PP_CLI_SWEEP_JUDGE_H
#define PP_CLI_SWEEP_JUDGE_H

#include "cli/options.h"
#include "report/gate/check.h"
#include "report/sweep.h"

/* An expression, and which of the sweep's judged figures is its. */
struct pp_expression {
    struct pp_check check;
    int figure;
};

struct pp_judge {
    struct pp_expression *checks, *wheres; /* [count] owned */
    int check_count, where_count;
    int sort; /* figure to sort by; -1 */
};

/* Reads the options, and tells the sweep which figures to keep of each point. */
int pp_judge_init(struct pp_judge *judge, struct pp_sweep *sweep,
                  const struct pp_options *options, struct pp_error *error);
void pp_judge_release(struct pp_judge *judge);

/* Sets the judged figures of points that were read from the sweep's file at path.
 * PP_BAD_INPUT for a figure that it does not hold. */
int pp_judge_recall(struct pp_sweep *sweep, const char *path, struct pp_error *error);

/* Drops points that are done and for which a --where does not hold; PP_BAD_INPUT where
 * none is left. Judges the others. */
int pp_judge_points(const struct pp_judge *judge, struct pp_sweep *sweep,
                    struct pp_error *error);

/* Best first; what has no value comes last. */
int pp_judge_sort(const struct pp_judge *judge, struct pp_sweep *sweep,
                  struct pp_error *error);

/* Prints the verdicts, one per check and point: in the text format only those that
 * failed, which the table has no room for. Sets *passed, which is left alone if all
 * have. */
int pp_judge_print(const struct pp_judge *judge, const struct pp_sweep *sweep,
                   const struct pp_options *options, bool *passed,
                   struct pp_error *error);

#endif
