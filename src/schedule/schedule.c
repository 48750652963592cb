#include "schedule/schedule.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/pages.h"

static int stage_rank(enum pp_placement placement, int ranks, int stage)
{
    int lap = stage / ranks;
    int step = stage % ranks;
    switch (placement) {
    case PP_LOOP:
        return step;
    case PP_V:
        return lap % 2 == 0 ? step : ranks - 1 - step;
    case PP_CUSTOM:
        break;
    }
    return -1;
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
    if (!schedule->rank_of || !schedule->chunk_of || !schedule->first ||
        !schedule->ops) {
        pp_schedule_release(schedule);
        return pp_fail(error, PP_ENVIRONMENT,
                       "out of memory for a schedule of %d stages and %d microbatches",
                       stages, microbatches);
    }
    pp_large_pages(schedule->ops, schedule->capacity * sizeof *schedule->ops);
    for (int s = 0; s < stages; s++)
        schedule->rank_of[s] = stage_rank(placement, ranks, s);
    if (placement != PP_CUSTOM)
        pp_schedule_place(schedule);
    return 0;
}

void pp_schedule_release(struct pp_schedule *schedule)
{
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
    schedule->chunks = 0;
    for (int s = 0; s < schedule->stages; s++) {
        schedule->chunk_of[s] = (int)held[schedule->rank_of[s]]++;
        if (schedule->chunk_of[s] >= schedule->chunks)
            schedule->chunks = schedule->chunk_of[s] + 1;
    }
    for (int r = 0; r <= schedule->ranks; r++)
        held[r] = 0;
}

int pp_schedule_stage(const struct pp_schedule *schedule, int rank, int chunk)
{
    for (int s = 0; s < schedule->stages; s++) {
        if (schedule->rank_of[s] == rank && schedule->chunk_of[s] == chunk)
            return s;
    }
    return -1;
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
    int *met = calloc((size_t)schedule->ranks, sizeof *met);
    for (int s = 0; met && s < schedule->stages; s++)
        met[schedule->rank_of[s]]++;
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
    static const char *const names[] = {
        [PP_LOOP] = "loop", [PP_V] = "v", [PP_CUSTOM] = NULL};
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

bool pp_schedule_joins(const struct pp_schedule *schedule)
{
    for (size_t k = 0; k < pp_schedule_ops(schedule); k++) {
        if (schedule->ops[k].joined)
            return true;
    }
    return false;
}
