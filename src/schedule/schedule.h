/* The schedule: who computes what, in which order. Plain data, written by a
 * generator (schedules/) or a file (csv.h), accepted by verify.h, and interpreted by
 * the run (real numerics over MPI) and by the simulation (a cost model).
 *
 * A schedule lists compute ops only. Sends and receives follow from the
 * dependencies, which are the same for every schedule:
 *     F(s, i)  needs F(s-1, i)                      s > 0
 *     B(s, i)  needs F(s, i) and B or I (s+1, i)    s < stages-1
 *     I(s, i)  like B
 *     W(s, i)  needs I(s, i)
 * The letters are those of torch.distributed.pipelining: F forward, B whole
 * backward, I backward for the input only, W backward for the weights only.
 *
 * The weights may be there more than once, on the same ranks or on others: each copy
 * has its own microbatches, and the gradients of a stage's copies are summed once each
 * of them has done its last weight op. That sum, R, follows from the copies as messages
 * follow from the dependencies: no schedule lists it.
 *
 * A schedule may decode: it generates tokens, and has forwards only. The last stage's
 * output is the tokens that it samples; they go back to the first stage, where a later
 * microbatch begins with them:
 *     F(0, i)  also needs F(S-1, after[i])          after[i] >= 0
 * A microbatch is then a batch of rows: a piece of a prompt (prefill), or one token of
 * each sequence of a group (decode). */
#ifndef PP_SCHEDULE_SCHEDULE_H
#define PP_SCHEDULE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum pp_kind { PP_F, PP_B, PP_I, PP_W };
enum { PP_KINDS = 4 };

/* One compute action of one stage on one microbatch. */
struct pp_op {
    uint32_t stage;
    uint32_t kind : 3;   /* enum pp_kind */
    uint32_t joined : 1; /* overlaps with the op that follows it on this rank: both
                          * wait for both inputs, both release their outputs when the
                          * second ends (DualPipe, arXiv 2412.19437) */
    uint32_t microbatch : 28;
};

enum { PP_MAX_MICROBATCHES = 1 << 28, PP_MAX_RANKS = 1 << 16 };

/* What the microbatches of a schedule that decodes are, as far as their cost goes: ops
 * of one stage and class take alike. */
struct pp_class {
    char label[16]; /* "prefill" or "decode" */
    int rows;       /* >= 1 that go through the stages together: of a prompt its tokens,
                     * of a group its sequences */
};
extern const char pp_prefill[], pp_decode[]; /* the labels */

/* stage -> rank. PP_LOOP: s mod p. PP_V: 0..p-1, p-1..0, 0..p-1, … PP_MIRRORED: two
 * weight copies, the first as PP_LOOP, the second from the last rank to the first.
 * PP_CUSTOM: as a file says. */
enum pp_placement { PP_LOOP, PP_V, PP_MIRRORED, PP_CUSTOM };

/* "loop", "v" or "mirrored"; NULL for PP_CUSTOM. */
const char *pp_placement_name(enum pp_placement placement);

struct pp_schedule {
    char name[64]; /* of the catalogue's row, or the file's base name */
    int ranks;     /* p */
    int stages;    /* S */
    int chunks;    /* v: the most stages of one copy that one rank holds */
    int held;      /* the most stages of all copies that one rank holds */
    int microbatches;
    int copies;     /* of the weights: at least 1. Each microbatch belongs to one: its
                     * ops run where that copy's stages are */
    int group_size; /* N of schedules in groups, 0 elsewhere */
    enum pp_placement placement;
    int *copy_of; /* [microbatches] the copy that each belongs to; NULL: one copy */
    /* Where it decodes (pp_schedule_decode); NULL and 0 in training. */
    int *after;    /* [microbatches] the one whose sampled tokens it begins with; of
                    * several the last on stage S-1; -1: none */
    int *then;     /* [microbatches] the other way round: the one that begins with its
                    * tokens; -1: none */
    int *group_of; /* [microbatches] whose sequences it is of: from 0 */
    int *class_of; /* [microbatches] into classes */
    struct pp_class *classes; /* [class_count] */
    int class_count;
    int groups; /* more than any of group_of */

    int *rank_of;      /* [copies][stages] */
    int *chunk_of;     /* [copies][stages] index of the stage among those of its rank:
                        * those of the first copy, then those of the next */
    size_t *first;     /* [ranks + 1] ops of rank r: ops[first[r] .. first[r+1]-1] */
    struct pp_op *ops; /* [first[ranks]] */
    uint32_t *cell;    /* [first[ranks]] 0-based cell of the file's row each op stood
                        * in; NULL for generated schedules */
    size_t capacity;   /* of ops, while it is written */
    int writing;       /* the rank whose ops are being written */
};

/* Sets up an empty schedule with the given placement (PP_CUSTOM: all stages on rank
 * -1, to be filled in by the caller, then pp_schedule_place). PP_MIRRORED gives the
 * first half of the microbatches to the first copy, the rest to the second; all others
 * have one copy. Zeroed memory is an empty schedule that may be released.
 * PP_ENVIRONMENT when out of memory. */
int pp_schedule_init(struct pp_schedule *schedule, int ranks, int stages,
                     int microbatches, enum pp_placement placement,
                     struct pp_error *error);
void pp_schedule_release(struct pp_schedule *schedule);

/* Gives an empty schedule of one copy as many as asked, with all stages on rank -1
 * until the caller has filled in rank_of and called pp_schedule_place. copy_of
 * [microbatches] is copied. PP_ENVIRONMENT when out of memory. */
int pp_schedule_copy_weights(struct pp_schedule *schedule, int copies,
                             const int *copy_of, struct pp_error *error);

/* What makes a schedule decode: as in struct pp_schedule. */
struct pp_decoding {
    const int *after, *group_of, *class_of; /* [microbatches] */
    const struct pp_class *classes;         /* [class_count] */
    int class_count;
};

/* Makes an empty schedule of one copy decode: copies all, and finds then and groups;
 * pp_verify refuses what makes no sense. PP_ENVIRONMENT when out of memory. */
int pp_schedule_decode(struct pp_schedule *schedule, const struct pp_decoding *decoding,
                       struct pp_error *error);

static inline bool pp_decodes(const struct pp_schedule *schedule)
{
    return schedule->after != NULL;
}

/* The microbatch's class; NULL in training. */
const struct pp_class *pp_class_of(const struct pp_schedule *schedule,
                                   uint32_t microbatch);

/* Recomputes chunk_of, chunks and held from rank_of. */
void pp_schedule_place(struct pp_schedule *schedule);

/* Where a stage of a copy stands in rank_of and chunk_of. */
static inline size_t pp_place(const struct pp_schedule *schedule, int copy, int stage)
{
    return (size_t)copy * (size_t)schedule->stages + (size_t)stage;
}

/* The copy that a microbatch belongs to. */
static inline int pp_copy_of(const struct pp_schedule *schedule, uint32_t microbatch)
{
    return schedule->copy_of ? schedule->copy_of[microbatch] : 0;
}

/* The place of the weights that an op works with. */
static inline size_t pp_op_place(const struct pp_schedule *schedule, struct pp_op op)
{
    return pp_place(schedule, pp_copy_of(schedule, op.microbatch), (int)op.stage);
}

/* The rank that runs an op, whether or not it is in the schedule. */
static inline int pp_op_rank(const struct pp_schedule *schedule, struct pp_op op)
{
    return schedule->rank_of[pp_op_place(schedule, op)];
}

/* The place of the k-th stage on the rank (its chunk k), or -1. */
int pp_schedule_chunk(const struct pp_schedule *schedule, int rank, int chunk);

/* How many stages of all copies the rank holds. */
int pp_schedule_held(const struct pp_schedule *schedule, int rank);

/* How many stages of its copy a microbatch meets on each rank, [copies][ranks]. The
 * caller frees it; NULL when out of memory. */
int *pp_schedule_stages_met(const struct pp_schedule *schedule);

/* Writing: ranks in ascending order, each between begin and the next begin or end.
 * pp_push reserves room as it goes; out of memory is reported by end. */
void pp_schedule_begin_rank(struct pp_schedule *schedule, int rank);
void pp_push(struct pp_schedule *schedule, enum pp_kind kind, int stage,
             int microbatch);
/* Joins the op that was pushed last with the one that is pushed next. */
void pp_join(struct pp_schedule *schedule);
int pp_schedule_end(struct pp_schedule *schedule, struct pp_error *error);

/* Finds copy_of for a schedule of several copies whose ops and rank_of are known: each
 * microbatch belongs to the first copy on whose ranks all its ops stand; pp_verify
 * tells where there is none. PP_ENVIRONMENT when out of memory. */
int pp_schedule_find_copies(struct pp_schedule *schedule, struct pp_error *error);

/* Does R of the stage follow the k-th op of the rank: is it the last weight op of its
 * stage there, in a schedule of several copies? */
bool pp_reduces_after(const struct pp_schedule *schedule, int rank, size_t k);

/* Does it hold joined pairs? */
bool pp_schedule_joins(const struct pp_schedule *schedule);

static inline size_t pp_schedule_ops(const struct pp_schedule *schedule)
{
    return schedule->first[schedule->ranks];
}

static inline char pp_kind_letter(enum pp_kind kind)
{
    return "FBIW"[kind];
}

/* In words: "forward", "backward", "backward input", "backward weight". */
const char *pp_kind_name(enum pp_kind kind);

/* Does executing this op release its stage's input gradient (B or I)? */
static inline bool pp_is_backward(enum pp_kind kind)
{
    return kind == PP_B || kind == PP_I;
}

/* Is a microbatch's backward over with this op (B or W)? */
static inline bool pp_ends_backward(enum pp_kind kind)
{
    return kind == PP_B || kind == PP_W;
}

/* By how much an op changes the activations that its rank holds, in stages times
 * microbatches: by as many more from the op's start on (F), by as many fewer from its
 * end on (B and W; I still leaves W what it needs). In decoding F holds them until its
 * own end: what it leaves behind is keys and values. */
struct pp_in_flight {
    int from_start, at_end;
};
static inline struct pp_in_flight pp_in_flight(const struct pp_schedule *schedule,
                                               enum pp_kind kind)
{
    bool forward = kind == PP_F, frees = pp_ends_backward(kind);
    return (struct pp_in_flight){
        .from_start = forward,
        .at_end = -(frees || (forward && pp_decodes(schedule))),
    };
}

/* Writes an op as torch does ("3F12"); returns buffer. */
enum { PP_OP_TEXT = 32 };
char *pp_op_text(struct pp_op op, char buffer[PP_OP_TEXT]);

#endif
