/* Orders made from nothing: the heuristic of Zero Bubble Pipeline Parallelism (Qi et
 * al., arXiv 2401.10241, §3.1), for any number of stages per rank.
 *
 *   warm-up   as many F as the limit lets a rank hold, before its first I
 *   steady    I before F, of F that of the last stage; W fills a gap that is long
 * enough limit     where no F fits, W makes room end       when F and I have run out, W
 *
 * Ops are placed one by one, the one that can start first before the others. */
#ifndef PP_SEARCH_CONSTRUCT_H
#define PP_SEARCH_CONSTRUCT_H

#include "search/orders.h"

/* What the paper leaves to be tried, as bits. */
enum pp_rule {
    PP_RULE_LATE = 1,  /* one more F before the first I, though that I has to wait */
    PP_RULE_TIGHT = 2, /* W also fills a gap that is shorter than it */
    PP_RULE_EVEN = 4,  /* no F while the next stage is more than one behind */
    PP_RULE_COMBINATIONS = 8
};

/* Each op looks at every rank once: beyond so many looks nothing is constructed, and no
 * orders are possible. */
#define PP_MOST_LOOKS 1e9

/* Fills the orders by these rules. With a guide, other orders of the same problem, F
 * and I stay in its order and only W is placed anew. Sets *possible to whether that
 * ended with all ops placed: stages may hold what others need. PP_ENVIRONMENT when out
 * of memory. */
int pp_construct(struct pp_orders *orders, const struct pp_orders *guide, int rules,
                 bool *possible, struct pp_error *error);

#endif
