/* Which split of the layers would shorten a report's step most. */
#ifndef PP_PREDICT_SPLIT_H
#define PP_PREDICT_SPLIT_H

#include "report/report.h"

struct pp_split_advice {
    bool known;      /* false: the report does not say its split, or its costs alone do
                      * not give its step */
    bool better;     /* a split was found that saves at least 1 % */
    char split[512]; /* as --layer-split takes it: "5,2,5,4" */
    double now_s, then_s;           /* makespans, both predicted */
    double now_bubble, then_bubble; /* likewise */
};

/* Tries the even split and the balanced one, and from the best on single layers moved
 * from one stage to another, as long as that helps (and the simulations take a few
 * seconds). message_bytes is of every message. PP_BAD_INPUT where the report lacks a
 * cost, PP_ENVIRONMENT when out of memory. */
int pp_predict_split(const struct pp_report *report, double message_bytes,
                     struct pp_split_advice *advice, struct pp_error *error);

#endif
