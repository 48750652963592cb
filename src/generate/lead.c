#include "generate/lead.h"

#include <stdlib.h>

#include "run/status.h"
#include "run/stop.h"

/* When tokens that a group awaits were there: on the last rank, and here. */
struct coming {
    int64_t ready, arrived;
};

struct lead {
    struct pp_roster roster;
    struct pp_worker *worker;
    struct pp_ring *ring;
    struct pp_source *source;
    struct coming *coming;         /* [groups] of the last batch that drew tokens */
    int32_t *tokens;               /* [most rows] of a batch */
    struct pp_batch_piece *pieces; /* [most parts] of a trace */
    int64_t returned;              /* batches */
    int64_t end;                   /* of this rank's last op */
    int most_under_way;
    struct pp_request request; /* that the cache has no room for yet, where */
    bool waits;                /* there is one */
    bool drains;               /* the source has no more */
    int stop;
    bool wrong;
    bool over; /* the last word has been round */
};

static int ranks_of(const struct lead *lead)
{
    return lead->worker->site->world.size;
}

static int64_t under_way(const struct lead *lead)
{
    return (int64_t)lead->roster.batches - lead->returned;
}

/* --- what comes back -------------------------------------------------------------- */

static void give_tokens(struct lead *lead, const struct pp_batch *batch)
{
    struct pp_source *source = lead->source;
    for (int i = 0; i < batch->head->part_count; i++) {
        const struct pp_batch_part *part = &batch->parts[i];
        const char *finish;
        if (!part->draws || batch->tokens[i] < 0 ||
            !pp_roster_draw(&lead->roster, part, batch->tokens[i], &finish))
            continue;
        if (source->token(source->data, part->id, batch->tokens[i], finish != NULL,
                          finish))
            pp_roster_end(&lead->roster, part->piece.slot);
    }
}

static void give_trace(struct lead *lead, const struct pp_batch *batch)
{
    const struct pp_batch_head *head = batch->head;
    if (!lead->source->batch)
        return;
    for (int i = 0; i < head->part_count; i++)
        lead->pieces[i] =
            (struct pp_batch_piece){batch->parts[i].id, batch->parts[i].piece.position,
                                    batch->parts[i].piece.count};
    lead->source->batch(lead->source->data, &(struct pp_batch_trace){
                                                .number = head->number,
                                                .prefill = head->prefill != 0,
                                                .group = head->group,
                                                .after = head->after,
                                                .rows = head->rows,
                                                .piece_count = head->part_count,
                                                .ranks = ranks_of(lead),
                                                .pieces = lead->pieces,
                                                .spans = batch->spans,
                                            });
}

/* A parcel has been round the ring. */
static void take_back(struct lead *lead, struct pp_parcel *parcel)
{
    struct pp_batch batch = pp_batch_in(parcel, ranks_of(lead));
    const struct pp_batch_head *head = batch.head;
    lead->stop = head->stop ? head->stop : lead->stop;
    lead->over = head->kind == PP_BATCH_END;
    if (head->kind == PP_BATCH) {
        lead->returned++;
        lead->wrong |= head->wrong != 0;
        lead->coming[head->group] =
            (struct coming){batch.spans[ranks_of(lead) - 1].end, parcel->arrived};
        give_tokens(lead, &batch);
        pp_roster_return(&lead->roster, &batch);
        give_trace(lead, &batch);
    }
    pp_ring_give(lead->ring, parcel);
}

static void wait_for_one(struct lead *lead)
{
    struct pp_op awaited = {.stage = (uint32_t)ranks_of(lead) - 1,
                            .kind = PP_F,
                            .microbatch = (uint32_t)lead->returned & 0xfffffff};
    take_back(lead, pp_ring_wait(lead->ring, awaited));
}

/* Waits until this many batches are under way at most; takes what else has come. */
static void collect(struct lead *lead, int64_t most)
{
    struct pp_parcel *parcel;
    while (under_way(lead) > most)
        wait_for_one(lead);
    while ((parcel = pp_ring_look(lead->ring)))
        take_back(lead, parcel);
}

/* --- what goes out ---------------------------------------------------------------- */

/* A parcel that says no more than its kind. */
static void send_word(struct lead *lead, enum pp_batch_kind kind)
{
    struct pp_parcel *parcel = pp_ring_new(lead->ring);
    struct pp_batch batch;
    *(struct pp_batch_head *)parcel->data = (struct pp_batch_head){.kind = kind};
    batch = pp_batch_in(parcel, ranks_of(lead));
    pp_batch_close(&batch, ranks_of(lead), 0);
    parcel->sent = lead->end;
    pp_ring_send(lead->ring, parcel);
}

/* Computes the group's batch of the kind here, and sends it on. */
static bool send_batch(struct lead *lead, int group, bool prefill)
{
    struct pp_parcel *parcel = pp_ring_new(lead->ring);
    struct coming came = {lead->end, lead->end};
    if (!pp_roster_compose(&lead->roster, group, prefill, parcel, lead->tokens)) {
        pp_ring_give(lead->ring, parcel);
        return false;
    }
    struct pp_batch batch = pp_batch_in(parcel, ranks_of(lead));
    if (batch.head->after >= 0)
        came = lead->coming[group];
    pp_worker_compute(lead->worker, &batch, lead->tokens, came.ready, came.arrived);
    lead->end = batch.spans[0].end;
    pp_ring_send(lead->ring, parcel);
    return true;
}

/* --- turns ------------------------------------------------------------------------ */

/* Takes requests as long as there is room. Returns whether one has come. */
static bool admit(struct lead *lead, bool idle)
{
    struct pp_source *source = lead->source;
    bool came = false;
    while (!lead->drains && pp_roster_room(&lead->roster)) {
        if (!lead->waits) {
            int answer = source->next(source->data, idle, &lead->request);
            lead->drains = answer < 0;
            lead->waits = answer > 0;
        }
        if (!lead->waits || !pp_roster_join(&lead->roster, &lead->request))
            break;
        lead->waits = idle = false;
        came = true;
    }
    return came;
}

/* Those of the group that are to leave. */
static void ask_cancelled(struct lead *lead, int group)
{
    struct pp_source *source = lead->source;
    for (int i = 0; source->cancelled && i < lead->roster.count; i++) {
        int slot = lead->roster.order[i];
        const struct pp_sequence *sequence = &lead->roster.sequences[slot];
        if (sequence->group == group && !sequence->ended &&
            source->cancelled(source->data, sequence->id))
            pp_roster_end(&lead->roster, slot);
    }
}

/* One turn of the group. Returns whether there was something to do. */
static bool take_turn(struct lead *lead, int group)
{
    int64_t drawn = lead->roster.groups[group].drawn;
    bool worked = false;
    collect(lead, lead->most_under_way);
    while (lead->returned <= drawn)
        wait_for_one(lead);
    ask_cancelled(lead, group);
    pp_roster_turn(&lead->roster, group);
    admit(lead, false);
    worked |= send_batch(lead, group, false);
    worked |= send_batch(lead, group, true);
    return worked;
}

static bool finished(const struct lead *lead)
{
    return lead->stop || lead->wrong ||
           (lead->drains && !lead->waits && lead->roster.count == 0);
}

/* Nothing is under way: the ranks sleep until a request comes. */
static void rest(struct lead *lead)
{
    send_word(lead, PP_BATCH_REST);
    pp_note_place(PP_OUTSIDE_OPS, 0);
    while (!lead->drains && !lead->stop && !admit(lead, true)) {
        collect(lead, 0);
        lead->stop = pp_stop_asked() ? pp_stop_asked() : lead->stop;
    }
}

static void lead_on(struct lead *lead)
{
    while (!finished(lead)) {
        bool worked = false;
        for (int g = 0; g < lead->roster.config.groups && !finished(lead); g++) {
            worked |= take_turn(lead, g);
            lead->stop = pp_stop_asked() ? pp_stop_asked() : lead->stop;
        }
        if (worked)
            continue;
        collect(lead, 0);
        if (lead->roster.count == 0 && !finished(lead))
            rest(lead);
    }
    collect(lead, 0);
}

int pp_lead(const struct pp_roster_config *config, struct pp_worker *worker,
            struct pp_ring *ring, struct pp_source *source, int *stopped,
            struct pp_error *error)
{
    size_t groups = (size_t)config->groups;
    size_t rows = (size_t)pp_roster_most_rows(config);
    size_t parts = (size_t)pp_roster_most_parts(config);
    struct lead lead = {.worker = worker, .ring = ring, .source = source};
    /* More than turns ever need: every group's two batches, and a stage's lead. */
    lead.most_under_way = 2 * (config->groups + worker->site->world.size);
    lead.coming = calloc(groups, sizeof *lead.coming);
    lead.tokens = calloc(rows, sizeof *lead.tokens);
    lead.pieces = calloc(parts, sizeof *lead.pieces);
    int status = pp_roster_init(&lead.roster, config, error);
    if (status == 0 && (!lead.coming || !lead.tokens || !lead.pieces))
        status = pp_fail(error, PP_ENVIRONMENT, "out of memory for batches");
    if (status == 0) {
        lead.end = pp_clock_now(&worker->site->clock);
        lead_on(&lead);
    }
    send_word(&lead, PP_BATCH_END);
    while (!lead.over)
        wait_for_one(&lead);
    if (lead.wrong)
        status = pp_fail(error, PP_WRONG_NUMBERS,
                         "a logit is not finite: the model's weights are too large, or "
                         "hold NaN");
    *stopped = lead.stop;
    pp_roster_release(&lead.roster);
    free(lead.coming);
    free(lead.tokens);
    free(lead.pieces);
    return status;
}

void pp_follow(struct pp_worker *worker, struct pp_ring *ring)
{
    int ranks = worker->site->world.size;
    struct pp_op awaited = {.stage = (uint32_t)worker->site->world.rank - 1,
                            .kind = PP_F};
    enum pp_batch_kind kind = PP_BATCH;
    while (kind != PP_BATCH_END) {
        struct pp_parcel *parcel =
            kind == PP_BATCH_REST ? pp_ring_rest(ring) : pp_ring_wait(ring, awaited);
        struct pp_batch batch = pp_batch_in(parcel, ranks);
        kind = (enum pp_batch_kind)batch.head->kind;
        if (pp_stop_asked())
            batch.head->stop = pp_stop_asked();
        if (kind == PP_BATCH) {
            pp_worker_compute(worker, &batch, NULL, parcel->sent, parcel->arrived);
            awaited.microbatch = (uint32_t)(batch.head->number + 1) & 0xfffffff;
        }
        pp_ring_send(ring, parcel);
    }
}
