#include "schedule/messages.h"

#include <stdlib.h>

#include "schedule/walk.h"

/* What the rows read so far have done with an output. */
enum { MADE = 1, SENT = 2, RECEIVED = 4, USED = 8 };

struct checker {
    const struct pp_schedule *schedule;
    const char *path;
    unsigned char *state; /* [2][stages][microbatches] by the op that makes it */
    bool communicates;    /* the file has communication cells at all */
    struct pp_error *error;
};

static void refuse(struct checker *checker, int rank, const struct pp_action_cell *cell,
                   const char *problem)
{
    char text[PP_CELL_TEXT];
    if (checker->error->lines < PP_MOST_PROBLEMS)
        pp_fail_also(checker->error, PP_BAD_INPUT, "'%s', rank %d, cell %u (%s): %s",
                     checker->path, rank, cell->column + 1, pp_cell_text(cell, text),
                     problem);
    pp_error_about_row(checker->error, rank + 1);
}

/* The output that the cell makes, sends, receives or uses: an F or I of the stage that
 * makes it. Sending and making name that stage, receiving and using the one after. */
static struct pp_op output_of(const struct pp_action_cell *cell)
{
    bool forward = cell->action == PP_ACTION_F || cell->action == PP_SEND_F ||
                   cell->action == PP_RECV_F;
    return (struct pp_op){
        .stage = cell->stage,
        .kind = forward ? PP_F : PP_I,
        .microbatch = cell->microbatch & (PP_MAX_MICROBATCHES - 1),
    };
}

static unsigned char *state_of(struct checker *checker, struct pp_op op)
{
    return &checker->state[pp_output_index(checker->schedule, op)];
}

static void check_send(struct checker *checker, int rank,
                       const struct pp_action_cell *cell)
{
    const struct pp_schedule *schedule = checker->schedule;
    struct pp_op op = output_of(cell), consumer;
    if (!pp_consumer(schedule, op, &consumer)) {
        refuse(checker, rank, cell, "no stage needs this output: leave it out");
        return;
    }
    if (pp_op_rank(schedule, consumer) == rank) {
        refuse(checker, rank, cell,
               "the stage that needs this output is on the same rank: leave it out");
        return;
    }
    unsigned char *state = state_of(checker, op);
    if (*state & SENT)
        refuse(checker, rank, cell, "is sent twice");
    else if (!(*state & MADE))
        refuse(checker, rank, cell, "must come after the op whose output it sends");
    *state |= SENT;
}

static void check_receive(struct checker *checker, int rank,
                          const struct pp_action_cell *cell)
{
    const struct pp_schedule *schedule = checker->schedule;
    struct pp_op producer;
    if (!pp_producer(schedule, output_of(cell), &producer)) {
        refuse(checker, rank, cell, "this stage has no such input: leave it out");
        return;
    }
    if (pp_op_rank(schedule, producer) == rank) {
        refuse(checker, rank, cell,
               "the stage that makes this input is on the same rank: leave it out");
        return;
    }
    unsigned char *state = state_of(checker, producer);
    if (*state & RECEIVED)
        refuse(checker, rank, cell, "is received twice");
    else if (*state & USED)
        refuse(checker, rank, cell, "must come before the op that needs it");
    *state |= RECEIVED;
}

static void check_compute(struct checker *checker, int rank,
                          const struct pp_action_cell *cell)
{
    const struct pp_schedule *schedule = checker->schedule;
    struct pp_op op = output_of(cell), producer;
    if (cell->action == PP_ACTION_W)
        return;
    *state_of(checker, op) |= MADE;
    if (!pp_producer(schedule, op, &producer) || pp_op_rank(schedule, producer) == rank)
        return;
    unsigned char *state = state_of(checker, producer);
    *state |= USED;
}

/* Checks one cell, of a stage and microbatch that exist. */
static void check_cell(struct checker *checker, int rank,
                       const struct pp_action_cell *cell)
{
    if (pp_is_compute(cell->action))
        check_compute(checker, rank, cell);
    else if (cell->action == PP_SEND_F || cell->action == PP_SEND_B)
        check_send(checker, rank, cell);
    else if (pp_is_message(cell->action))
        check_receive(checker, rank, cell);
}

/* Is the stage, of the microbatch's copy where the cell has one, on the rank? */
static bool is_held(const struct pp_schedule *schedule, int rank,
                    const struct pp_action_cell *cell)
{
    bool held = false;
    if (pp_is_compute(cell->action) || pp_is_message(cell->action))
        return pp_op_rank(schedule, output_of(cell)) == rank;
    for (int c = 0; c < schedule->copies; c++)
        held |= schedule->rank_of[pp_place(schedule, c, (int)cell->stage)] == rank;
    return held;
}

static void check_rows(struct checker *checker, const struct pp_action_cell *cells,
                       const size_t *first)
{
    const struct pp_schedule *schedule = checker->schedule;
    for (int r = 0; r < schedule->ranks; r++) {
        for (size_t k = first[r]; k < first[r + 1]; k++) {
            const struct pp_action_cell *cell = &cells[k];
            checker->communicates |= pp_is_message(cell->action);
            if ((int)cell->stage >= schedule->stages)
                refuse(checker, r, cell, "no such stage: no op of it is in the file");
            else if ((int)cell->microbatch >= schedule->microbatches)
                refuse(checker, r, cell,
                       "no such microbatch: no op on it is in the file");
            else if (!is_held(schedule, r, cell))
                refuse(checker, r, cell, "the stage is on another rank");
            else
                check_cell(checker, r, cell);
        }
    }
}

/* What a row could not see alone: whether both ends of every message are there. */
static void check_ends(struct checker *checker, const struct pp_action_cell *cells,
                       const size_t *first)
{
    const struct pp_schedule *schedule = checker->schedule;
    for (int r = 0; r < schedule->ranks; r++) {
        for (size_t k = first[r]; k < first[r + 1]; k++) {
            struct pp_op op = output_of(&cells[k]), consumer;
            if (!pp_is_compute(cells[k].action) || cells[k].action == PP_ACTION_W ||
                !pp_consumer(schedule, op, &consumer) ||
                pp_op_rank(schedule, consumer) == r)
                continue;
            unsigned state = *state_of(checker, op);
            if (!(state & SENT))
                refuse(checker, r, &cells[k],
                       op.kind == PP_F
                           ? "its output is not sent: a SEND_F must follow"
                           : "its output is not sent: a SEND_B must follow");
            else if (!(state & RECEIVED))
                refuse(checker, r, &cells[k],
                       "its output is sent but not received: the next stage's row must "
                       "have the RECV before the op that needs it");
        }
    }
}

int pp_messages_check(const struct pp_schedule *schedule, const char *path,
                      const struct pp_action_cell *cells, const size_t *first,
                      struct pp_error *error)
{
    *error = (struct pp_error){0};
    struct checker checker = {
        .schedule = schedule,
        .path = path,
        .state = calloc(2 * (size_t)schedule->stages, (size_t)schedule->microbatches),
        .error = error,
    };
    if (!checker.state)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory to check '%s'", path);
    check_rows(&checker, cells, first);
    if (checker.communicates && error->lines == 0)
        check_ends(&checker, cells, first);
    free(checker.state);
    return error->lines == 0 ? 0 : -1;
}
