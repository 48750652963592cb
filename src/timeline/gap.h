/* The gaps in a rank's work, and what went on while they lasted. */
#ifndef PP_TIMELINE_GAP_H
#define PP_TIMELINE_GAP_H

#include "timeline/critical.h"

/* A gap before an op. */
struct pp_gap {
    int64_t op;          /* the op that started late */
    int64_t from;        /* ns, end of the op before, or the start of the step */
    struct pp_wait wait; /* before a rank's first op: how warmup splits */
};

/* The longest gaps of a rank, longest first; writes at most most of them to gaps and
 * returns how many there are. */
int pp_longest_gaps(const struct pp_path *path, int rank, int most,
                    struct pp_gap *gaps);

/* The chain of ops and messages that ended in the start of the gap's op, as far back as
 * the gap reaches, fills the gap without a break. Its parts: */
enum pp_part_kind {
    PP_RAN,  /* ops ran, */
    PP_SENT, /* messages were on their way, */
    PP_LATE  /* or ops had not started, though nothing kept them */
};
struct pp_part {
    enum pp_part_kind kind;
    int64_t ns;    /* of the gap */
    int64_t until; /* when the last of it ended */
    int64_t first,
        last;     /* the first and the last op that ran, was sent for, was late */
    size_t count; /* ops or messages */
    int rank;     /* of last */
    int ranks;    /* how many ranks it sums up */
};

/* A reason must account for this share of the gap, and names this many parts at most.
 */
#define PP_REASON_SHARE 0.5
enum { PP_REASON_PARTS = 3 };

/* Working space for reasons. */
struct pp_reasons {
    const struct pp_path *path; /* borrowed */
    struct pp_part *parts;      /* [3][ranks], owned */
};

/* PP_ENVIRONMENT when out of memory. */
int pp_reasons_init(struct pp_reasons *reasons, const struct pp_path *path,
                    struct pp_error *error);
void pp_reasons_release(struct pp_reasons *reasons);

/* Why the gap lasted: the longest parts, longest first, until they are PP_REASON_SHARE
 * of it together. The parts are those of one rank each; of all ranks together where it
 * would take more than PP_REASON_PARTS of them. Returns how many. */
int pp_gap_reason(struct pp_reasons *reasons, const struct pp_gap *gap,
                  struct pp_part named[PP_REASON_PARTS]);

#endif
