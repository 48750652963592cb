#include "schedule/schedule.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

static int stage_rank(enum pp_placement placement, int ranks, int copy, int stage)
{
    int lap = stage / ranks;
    int step = stage % ranks;
    switch (placement) {
    case PP_LOOP:
        return step;
    case PP_MIRRORED:
        return copy == 0 ? step : ranks - 1 - step;
    case PP_V:
        return lap % 2 == 0 ? step : ranks - 1 - step;
    case PP_CUSTOM:
        break;
    }
    return -1;
}

static int no_memory(struct pp_schedule *schedule, struct pp_error *error)
{
    int stages = schedule->stages, microbatches = schedule->microbatches;
    pp_schedule_release(schedule);
    return pp_fail(error, PP_ENVIRONMENT,
                   "out of memory for a schedule of %d stages and %d microbatches",
                   stages, microbatches);
}

/* Two copies, each with half of the microbatches. */
static int mirror(struct pp_schedule *schedule, struct pp_error *error)
{
    int m = schedule->microbatches;
    int *copy_of = malloc((size_t)m * sizeof *copy_of);
    if (!copy_of)
        return no_memory(schedule, error);
    for (int i = 0; i < m; i++)
        copy_of[i] = i >= (m + 1) / 2;
    int status = pp_schedule_copy_weights(schedule, 2, copy_of, error);
    free(copy_of);
    return status;
}

int pp_schedule_init(struct pp_schedule *schedule, int ranks, int stages,
                     int microbatches, enum pp_placement placement,
                     struct pp_error *error)
{
    assert(ranks >= 1 && stages >= 1 && microbatches >= 1);
    *schedule = (struct pp_schedule){
        .ranks = ranks,
        .stages = stages,
        .microbatches = microbatches,
        .copies = 1,
        .placement = placement,
        .writing = -1,
    };
    schedule->rank_of = calloc((size_t)stages, sizeof *schedule->rank_of);
    schedule->chunk_of = malloc((size_t)stages * sizeof *schedule->chunk_of);
    schedule->first = calloc((size_t)ranks + 1, sizeof *schedule->first);
    /* Room for F, I and W of every (stage, microbatch): what a valid schedule needs
     * at most. Memory that stays unwritten is never touched. */
    schedule->capacity = 3 * (size_t)stages * (size_t)microbatches;
    schedule->ops = malloc(schedule->capacity * sizeof *schedule->ops);
    if (!schedule->rank_of || !schedule->chunk_of || !schedule->first || !schedule->ops)
        return no_memory(schedule, error);
    pp_large_pages(schedule->ops, schedule->capacity * sizeof *schedule->ops);
    if (placement == PP_MIRRORED && mirror(schedule, error) != 0)
        return -1;
    for (int c = 0; c < schedule->copies; c++) {
        for (int s = 0; s < stages; s++)
            schedule->rank_of[pp_place(schedule, c, s)] =
                stage_rank(placement, ranks, c, s);
    }
    if (placement != PP_CUSTOM)
        pp_schedule_place(schedule);
    return 0;
}

int pp_schedule_copy_weights(struct pp_schedule *schedule, int copies,
                             const int *copy_of, struct pp_error *error)
{
    size_t places = (size_t)copies * (size_t)schedule->stages;
    size_t microbatches = (size_t)schedule->microbatches;
    free(schedule->rank_of);
    free(schedule->chunk_of);
    schedule->copies = copies;
    schedule->rank_of = malloc(places * sizeof *schedule->rank_of);
    schedule->chunk_of = malloc(places * sizeof *schedule->chunk_of);
    schedule->copy_of = malloc(microbatches * sizeof *schedule->copy_of);
    if (!schedule->rank_of || !schedule->chunk_of || !schedule->copy_of)
        return no_memory(schedule, error);
    memcpy(schedule->copy_of, copy_of, microbatches * sizeof *copy_of);
    for (size_t at = 0; at < places; at++)
        schedule->rank_of[at] = -1;
    return 0;
}

void pp_schedule_release(struct pp_schedule *schedule)
{
    free(schedule->copy_of);
    free(schedule->after);
    free(schedule->then);
    free(schedule->group_of);
    free(schedule->class_of);
    free(schedule->classes);
    free(schedule->rank_of);
    free(schedule->chunk_of);
    free(schedule->first);
    free(schedule->ops);
    free(schedule->cell);
    *schedule = (struct pp_schedule){0};
}

void pp_schedule_place(struct pp_schedule *schedule)
{
    /* first is not in use yet: it serves as the count of stages per rank. */
    size_t *held = schedule->first;
    schedule->chunks = schedule->held = 0;
    for (int c = 0; c < schedule->copies; c++) {
        for (int s = 0; s < schedule->stages; s++) {
            size_t at = pp_place(schedule, c, s);
            int rank = schedule->rank_of[at];
            schedule->chunk_of[at] = (int)held[rank]++;
            if (schedule->chunk_of[at] >= schedule->held)
                schedule->held = schedule->chunk_of[at] + 1;
        }
    }
    for (int r = 0; r <= schedule->ranks; r++)
        held[r] = 0;
    for (int c = 0; c < schedule->copies; c++) {
        const int *rank_of = &schedule->rank_of[pp_place(schedule, c, 0)];
        for (int s = 0; s < schedule->stages; s++) {
            if ((int)++held[rank_of[s]] > schedule->chunks)
                schedule->chunks = (int)held[rank_of[s]];
        }
        for (int r = 0; r <= schedule->ranks; r++)
            held[r] = 0;
    }
}

int pp_schedule_chunk(const struct pp_schedule *schedule, int rank, int chunk)
{
    for (int at = 0; at < schedule->copies * schedule->stages; at++) {
        if (schedule->rank_of[at] == rank && schedule->chunk_of[at] == chunk)
            return at;
    }
    return -1;
}

int pp_schedule_held(const struct pp_schedule *schedule, int rank)
{
    int held = 0;
    for (int at = 0; at < schedule->copies * schedule->stages; at++)
        held += schedule->rank_of[at] == rank;
    return held;
}

void pp_schedule_begin_rank(struct pp_schedule *schedule, int rank)
{
    schedule->writing = rank;
    schedule->first[rank + 1] = schedule->first[rank];
}

void pp_push(struct pp_schedule *schedule, enum pp_kind kind, int stage, int microbatch)
{
    size_t *end = &schedule->first[schedule->writing + 1];
    if (*end == schedule->capacity && schedule->ops) {
        schedule->capacity *= 2;
        struct pp_op *ops =
            realloc(schedule->ops, schedule->capacity * sizeof *schedule->ops);
        if (!ops)
            free(schedule->ops);
        schedule->ops = ops;
    }
    if (!schedule->ops) /* out of memory: pp_schedule_end will say so */
        return;
    schedule->ops[(*end)++] = (struct pp_op){
        .stage = (uint32_t)stage,
        .kind = kind,
        .microbatch = (uint32_t)microbatch & (PP_MAX_MICROBATCHES - 1),
    };
}

int *pp_schedule_stages_met(const struct pp_schedule *schedule)
{
    size_t ranks = (size_t)schedule->ranks;
    int *met = calloc((size_t)schedule->copies * ranks, sizeof *met);
    for (int c = 0; met && c < schedule->copies; c++) {
        for (int s = 0; s < schedule->stages; s++)
            met[(size_t)c * ranks +
                (size_t)schedule->rank_of[pp_place(schedule, c, s)]]++;
    }
    return met;
}

void pp_join(struct pp_schedule *schedule)
{
    if (schedule->ops)
        schedule->ops[schedule->first[schedule->writing + 1] - 1].joined = 1;
}

int pp_schedule_end(struct pp_schedule *schedule, struct pp_error *error)
{
    schedule->writing = -1;
    if (!schedule->ops)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a schedule");
    return 0;
}

const char *pp_placement_name(enum pp_placement placement)
{
    static const char *const names[] = {[PP_LOOP] = "loop",
                                        [PP_V] = "v",
                                        [PP_MIRRORED] = "mirrored",
                                        [PP_CUSTOM] = NULL};
    return names[placement];
}

const char *pp_kind_name(enum pp_kind kind)
{
    static const char *const names[PP_KINDS] = {"forward", "backward", "backward input",
                                                "backward weight"};
    return names[kind];
}

char *pp_op_text(struct pp_op op, char buffer[PP_OP_TEXT])
{
    snprintf(buffer, PP_OP_TEXT, "%u%c%u", op.stage, pp_kind_letter(op.kind),
             op.microbatch);
    return buffer;
}

int pp_schedule_find_copies(struct pp_schedule *schedule, struct pp_error *error)
{
    free(schedule->copy_of);
    schedule->copy_of =
        calloc((size_t)schedule->microbatches, sizeof *schedule->copy_of);
    if (!schedule->copy_of)
        return no_memory(schedule, error);
    /* Each pass rules out what does not fit an op; a later copy may not fit an op that
     * was passed before. */
    bool moved = true;
    while (moved) {
        moved = false;
        for (int r = 0; r < schedule->ranks; r++) {
            for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k++) {
                struct pp_op op = schedule->ops[k];
                if ((int)op.microbatch >= schedule->microbatches ||
                    (int)op.stage >= schedule->stages)
                    continue;
                int *copy = &schedule->copy_of[op.microbatch];
                if (pp_op_rank(schedule, op) != r && *copy + 1 < schedule->copies) {
                    ++*copy;
                    moved = true;
                }
            }
        }
    }
    return 0;
}

bool pp_reduces_after(const struct pp_schedule *schedule, int rank, size_t k)
{
    struct pp_op op = schedule->ops[k];
    if (schedule->copies == 1 || !pp_ends_backward(op.kind))
        return false;
    /* The next one is rarely far. */
    for (k++; k < schedule->first[rank + 1]; k++) {
        if (schedule->ops[k].stage == op.stage &&
            pp_ends_backward(schedule->ops[k].kind))
            return false;
    }
    return true;
}

bool pp_schedule_joins(const struct pp_schedule *schedule)
{
    for (size_t k = 0; k < pp_schedule_ops(schedule); k++) {
        if (schedule->ops[k].joined)
            return true;
    }
    return false;
}
