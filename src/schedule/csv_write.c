#include "schedule/csv.h"
#include "schedule/lower.h"

/* Writes an action with what stands around it: a comma before all but the row's first,
 * and for a joined pair (first;second)OVERLAP_F_B. */
static void write_action(FILE *stream, struct pp_action_cell cell, bool first,
                         bool second_of_pair)
{
    char text[PP_CELL_TEXT];
    if (!first)
        putc(second_of_pair ? ';' : ',', stream);
    if (cell.joined)
        putc('(', stream);
    fputs(pp_cell_text(&cell, text), stream);
    if (second_of_pair)
        fputs(")OVERLAP_F_B", stream);
}

static void write_reduction(FILE *stream, uint32_t stage)
{
    const struct pp_action_cell cell = {.stage = stage, .action = PP_REDUCE_GRAD};
    write_action(stream, cell, false, false);
}

static void write_compute(const struct pp_schedule *schedule, FILE *stream)
{
    for (int r = 0; r < schedule->ranks; r++) {
        bool joined = false;
        for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k++) {
            struct pp_op op = schedule->ops[k];
            struct pp_action_cell cell = {
                .stage = op.stage,
                .microbatch = op.microbatch,
                .action = (uint8_t)op.kind,
                .joined = op.joined,
            };
            write_action(stream, cell, k == schedule->first[r], joined);
            /* Behind a pair, not within it. */
            if (joined && pp_reduces_after(schedule, r, k - 1))
                write_reduction(stream, schedule->ops[k - 1].stage);
            if (!op.joined && pp_reduces_after(schedule, r, k))
                write_reduction(stream, op.stage);
            joined = op.joined;
        }
        putc('\n', stream);
    }
}

static int write_lowered(const struct pp_schedule *schedule, FILE *stream,
                         struct pp_error *error)
{
    struct pp_lowered lowered;
    if (pp_lower(&lowered, schedule, error) != 0)
        return -1;
    for (int r = 0; r < schedule->ranks; r++) {
        bool joined = false;
        for (size_t k = lowered.first[r]; k < lowered.first[r + 1]; k++) {
            write_action(stream, lowered.cells[k], k == lowered.first[r], joined);
            joined = lowered.cells[k].joined;
        }
        putc('\n', stream);
    }
    pp_lowered_release(&lowered);
    return 0;
}

int pp_csv_write(const struct pp_schedule *schedule, FILE *stream, bool communication,
                 struct pp_error *error)
{
    if (pp_decodes(schedule))
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' decodes: CSV has no place for the tokens that go back to "
                       "the first stage; '--format json' has",
                       schedule->name);
    if (communication)
        return write_lowered(schedule, stream, error);
    write_compute(schedule, stream);
    return 0;
}
