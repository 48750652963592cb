/* A row of the catalogue: all that is known of one schedule. */
#ifndef PP_SCHEDULES_SCHEDULER_H
#define PP_SCHEDULES_SCHEDULER_H

#include "schedule/schedule.h"

/* What a schedule is asked for. */
struct pp_shape {
    int ranks;        /* p >= 1 */
    int chunks;       /* v >= 1 stages per rank, of one weight copy */
    int microbatches; /* m >= 1 */
    int group_size;   /* N of interleaved schedules; 0: the schedule chooses */

    /* Of schedules that decode; m counts the microbatches that decode a token. */
    int groups;        /* g; 0: the schedule chooses */
    int prompt_chunks; /* microbatches of each group's prompt; 0: none */
    int rows;          /* of a microbatch that decodes: sequences of a group; 0: 1 */
    int prompt_rows;   /* of one of a prompt; 0: 1 */
};

/* The sizes of a shape that a schedule may constrain. */
enum pp_size { PP_SIZE_RANKS, PP_SIZE_CHUNKS, PP_SIZE_MICROBATCHES };

/* Equal stages' costs, in ns per whole rank (a chunk takes 1/v of them): what closed
 * forms are written in. A form uses backward where its schedule runs B, input and
 * weight where it runs I and W; nothing says that B takes as long as both. */
struct pp_equal_costs {
    double forward, backward, input, weight;
    double hop;      /* latency of one message, which occupies nobody */
    double feedback; /* in decoding: of the tokens' message, from the last stage to the
                      * first; forward is then that of microbatches that decode */
};

/* A closed form: the bubble, and how to read it. */
struct pp_theory {
    double bubble;   /* ns of idle on the critical rank */
    double makespan; /* ns, = what each rank computes + bubble */
    bool exact;      /* equals the simulation; else an approximation, said so: the
                      * bubble is within a tenth of the simulated makespan */
    bool by_span;    /* counted within a rank's own span (span_fraction) */
};

enum { PP_MAX_ALIASES = 4 };

struct pp_scheduler {
    const char *name;
    const char *aliases[PP_MAX_ALIASES]; /* NULL where there are fewer */
    const char *summary;                 /* one line */

    /* What people choose by, in p, v and m, for 'ppsim schedules list'; a test holds it
     * against the simulation. Bubble and memory are in microbatches of a whole rank, at
     * tF = tI = tW, tB = 2 tF, without hops, p | m, m >= 2p, groups of p: the idle time
     * of the longest span, and what the rank that holds most holds. "up to" leads a
     * bound that some p reach. */
    const char *bubble, *memory;
    const char *messages;   /* of one microbatch, both ways */
    const char *constraint; /* conditions with ", " between them; NULL: none */
    const char *source;     /* of the closed form: paper and section */

    enum pp_placement placement;
    int default_chunks; /* v when --chunks is not given */
    bool takes_chunks;  /* any v; else default_chunks is the only one */

    /* What the schedule needs where a shape cannot work, in words that follow "needs",
     * and which size is at fault; NULL where it can. The nearest sizes that do work are
     * found by asking again (pp_schedule_check). NULL: all shapes work. */
    const char *(*needs)(const struct pp_shape *shape, enum pp_size *fault);

    /* N where the shape leaves it open; NULL: it takes microbatches one by one. */
    int (*best_group_size)(const struct pp_shape *shape);

    /* Of a schedule that decodes: g where the shape leaves it open; and what makes the
     * schedule decode (pp_schedule_decode), before its ops are written. NULL in
     * training: 'run', the search and 'all' know those only. */
    int (*best_groups)(const struct pp_shape *shape);
    int (*feed_back)(struct pp_schedule *schedule, const struct pp_shape *shape,
                     struct pp_error *error);

    /* Writes the ops of one rank, in order, with pp_push. */
    void (*generate)(struct pp_schedule *schedule, int rank);

    /* In its place, for schedules whose ranks are laid out together: writes the ops of
     * all ranks. PP_ENVIRONMENT when out of memory. */
    int (*generate_all)(struct pp_schedule *schedule, struct pp_error *error);

    /* The closed form for equal costs; returns false and sets *why where none
     * applies. NULL: none known. */
    bool (*theory)(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   struct pp_theory *theory, const char **why);

    /* A property test holds the form against the simulation, over many shapes and
     * costs; reports say where none does. */
    bool checked;
};

static inline bool pp_row_decodes(const struct pp_scheduler *row)
{
    return row->feed_back != NULL;
}

#endif
