#include "schedule/copies.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_COPIES = 1024 };

struct copies {
    struct pp_schedule *schedule;
    const char *path;
    const struct pp_action_cell *cells;
    const size_t *first;
    int *ranks;      /* [microbatches][stages] where each op runs; -1: nowhere yet */
    int *copy_of;    /* [microbatches] */
    int *first_of;   /* [copies] the first microbatch of each */
    size_t *reduced; /* [stages] of one row: index of the REDUCE_GRAD; 0: none */
    struct pp_error *error;
};

static bool makes_weights(enum pp_action action)
{
    return action == PP_ACTION_B || action == PP_ACTION_W;
}

/* One copy: each stage is where its first op is. Returns whether a stage is reduced in
 * two rows. */
static bool place_first(struct pp_schedule *schedule,
                        const struct pp_action_cell *cells, const size_t *first)
{
    bool several = false;
    for (int s = 0; s < schedule->stages; s++)
        schedule->chunk_of[s] = schedule->rank_of[s] = -1;
    /* chunk_of serves as the row of the stage's reduction. */
    int *reduced = schedule->chunk_of;
    for (int r = 0; r < schedule->ranks; r++) {
        for (size_t k = first[r]; k < first[r + 1]; k++) {
            const struct pp_action_cell *cell = &cells[k];
            if ((int)cell->stage >= schedule->stages)
                continue;
            if (pp_is_compute(cell->action) && schedule->rank_of[cell->stage] < 0)
                schedule->rank_of[cell->stage] = r;
            if (cell->action != PP_REDUCE_GRAD)
                continue;
            several |= reduced[cell->stage] >= 0 && reduced[cell->stage] != r;
            reduced[cell->stage] = r;
        }
    }
    return several;
}

/* Where each stage runs each microbatch: its forward tells. */
static int find_ranks(struct copies *copies)
{
    const struct pp_schedule *schedule = copies->schedule;
    size_t stages = (size_t)schedule->stages;
    size_t pairs = stages * (size_t)schedule->microbatches;
    for (size_t at = 0; at < pairs; at++)
        copies->ranks[at] = -1;
    for (int r = 0; r < schedule->ranks; r++) {
        for (size_t k = copies->first[r]; k < copies->first[r + 1]; k++) {
            const struct pp_action_cell *cell = &copies->cells[k];
            int *rank = &copies->ranks[cell->microbatch * stages + cell->stage];
            if (cell->action == PP_ACTION_F ||
                (pp_is_compute(cell->action) && *rank < 0))
                *rank = r;
        }
    }
    for (size_t at = 0; at < pairs; at++) {
        if (copies->ranks[at] < 0 && copies->error->lines < PP_MOST_PROBLEMS)
            pp_fail_also(copies->error, PP_BAD_INPUT,
                         "'%s': no row runs stage %zu on microbatch %zu", copies->path,
                         at % stages, at / stages);
    }
    return copies->error->lines > 0 ? -1 : 0;
}

/* Microbatches that run on the same ranks belong to the same copy. */
static int group(struct copies *copies)
{
    struct pp_schedule *schedule = copies->schedule;
    size_t stages = (size_t)schedule->stages, bytes = stages * sizeof *copies->ranks;
    int count = 0;
    for (int i = 0; i < schedule->microbatches; i++) {
        const int *own = &copies->ranks[(size_t)i * stages];
        int copy = 0;
        while (copy < count &&
               memcmp(own, &copies->ranks[(size_t)copies->first_of[copy] * stages],
                      bytes) != 0)
            copy++;
        if (copy == MOST_COPIES)
            return pp_fail(copies->error, PP_BAD_INPUT,
                           "'%s': the microbatches run on more than %d different lists "
                           "of ranks, one for each weight copy",
                           copies->path, MOST_COPIES);
        if (copy == count)
            copies->first_of[count++] = i;
        copies->copy_of[i] = copy;
    }
    if (pp_schedule_copy_weights(schedule, count, copies->copy_of, copies->error) != 0)
        return -1;
    for (int c = 0; c < count; c++)
        memcpy(&schedule->rank_of[pp_place(schedule, c, 0)],
               &copies->ranks[(size_t)copies->first_of[c] * stages], bytes);
    return 0;
}

/* Every row reduces each stage that it holds behind the stage's last weight op. */
static void check_row(struct copies *copies, int rank)
{
    const struct pp_schedule *schedule = copies->schedule;
    for (int s = 0; s < schedule->stages; s++)
        copies->reduced[s] = 0;
    for (size_t k = copies->first[rank]; k < copies->first[rank + 1]; k++) {
        const struct pp_action_cell *cell = &copies->cells[k];
        if (cell->action == PP_REDUCE_GRAD && (int)cell->stage < schedule->stages)
            copies->reduced[cell->stage] = k;
    }
    for (size_t k = copies->first[rank + 1]; k > copies->first[rank]; k--) {
        const struct pp_action_cell *cell = &copies->cells[k - 1];
        char text[PP_CELL_TEXT];
        if (!makes_weights(cell->action) || copies->reduced[cell->stage] >= k ||
            copies->error->lines >= PP_MOST_PROBLEMS)
            continue;
        pp_fail_also(
            copies->error, PP_BAD_INPUT,
            "'%s', rank %d, cell %u (%s): %uREDUCE_GRAD must follow: the stage "
            "has copies on several ranks, whose gradients are summed",
            copies->path, rank, cell->column + 1, pp_cell_text(cell, text),
            cell->stage);
        pp_error_about_row(copies->error, rank + 1);
        copies->reduced[cell->stage] = k; /* once for each stage */
    }
}

static int check_reductions(struct copies *copies)
{
    for (int r = 0; r < copies->schedule->ranks; r++)
        check_row(copies, r);
    return copies->error->lines > 0 ? -1 : 0;
}

int pp_copies_place(struct pp_schedule *schedule, const char *path,
                    const struct pp_action_cell *cells, const size_t *first,
                    struct pp_error *error)
{
    if (!place_first(schedule, cells, first))
        return 0;
    size_t stages = (size_t)schedule->stages, m = (size_t)schedule->microbatches;
    struct copies copies = {
        .schedule = schedule,
        .path = path,
        .cells = cells,
        .first = first,
        .ranks = malloc(stages * m * sizeof *copies.ranks),
        .copy_of = malloc(m * sizeof *copies.copy_of),
        .first_of = malloc(MOST_COPIES * sizeof *copies.first_of),
        .reduced = malloc(stages * sizeof *copies.reduced),
        .error = error,
    };
    int status = -1;
    if (!copies.ranks || !copies.copy_of || !copies.first_of || !copies.reduced)
        pp_fail(error, PP_ENVIRONMENT, "out of memory to read '%s'", path);
    else if (find_ranks(&copies) == 0 && group(&copies) == 0)
        status = check_reductions(&copies);
    free(copies.ranks);
    free(copies.copy_of);
    free(copies.first_of);
    free(copies.reduced);
    return status;
}
