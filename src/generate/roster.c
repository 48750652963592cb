#include "generate/roster.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int pp_roster_init(struct pp_roster *roster, const struct pp_roster_config *config,
                   struct pp_error *error)
{
    size_t slots = (size_t)config->slots, most = (size_t)config->context + 1;
    *roster = (struct pp_roster){.config = *config};
    roster->sequences = calloc(slots, sizeof *roster->sequences);
    roster->groups = calloc((size_t)config->groups, sizeof *roster->groups);
    roster->tokens = calloc(slots * most, sizeof *roster->tokens);
    roster->freed = calloc(slots, sizeof *roster->freed);
    roster->order = calloc(slots, sizeof *roster->order);
    if (!roster->sequences || !roster->groups || !roster->tokens || !roster->freed ||
        !roster->order) {
        pp_roster_release(roster);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d sequences",
                       config->slots);
    }
    for (size_t slot = 0; slot < slots; slot++)
        roster->sequences[slot].tokens = roster->tokens + slot * most;
    for (int g = 0; g < config->groups; g++)
        roster->groups[g] = (struct pp_group){.drawn = -1, .awaited = -1};
    return 0;
}

void pp_roster_release(struct pp_roster *roster)
{
    free(roster->sequences);
    free(roster->groups);
    free(roster->tokens);
    free(roster->freed);
    free(roster->order);
    *roster = (struct pp_roster){0};
}

/* --- joining and leaving ---------------------------------------------------------- */

int pp_roster_blocks(const struct pp_roster_config *config, int prompt_count,
                     int max_tokens)
{
    /* The last token is never fed back. */
    int room = config->context - prompt_count, more = max_tokens - 1;
    return pp_cache_blocks_of(prompt_count + (more < room ? more : room));
}

bool pp_roster_room(const struct pp_roster *roster)
{
    return roster->count < roster->config.slots;
}

static int smallest_group(const struct pp_roster *roster)
{
    int smallest = 0;
    for (int g = 1; g < roster->config.groups; g++) {
        if (roster->groups[g].size < roster->groups[smallest].size)
            smallest = g;
    }
    return smallest;
}

bool pp_roster_join(struct pp_roster *roster, const struct pp_request *request)
{
    const struct pp_roster_config *config = &roster->config;
    int slot = 0, count = request->prompt_count;
    int blocks = pp_roster_blocks(config, count, request->max_tokens);
    assert(count >= 1 && count <= config->context && request->max_tokens >= 1);
    if (!pp_roster_room(roster) || roster->blocks + blocks > config->blocks)
        return false;
    while (roster->sequences[slot].used)
        slot++;
    struct pp_sequence *sequence = &roster->sequences[slot];
    *sequence = (struct pp_sequence){
        .id = request->id,
        .used = true,
        .group = smallest_group(roster),
        .blocks = blocks,
        .tokens = sequence->tokens,
        .prompt_count = count,
        .length = count,
        .max_tokens = request->max_tokens,
        .index = request->index,
        .sampling = request->sampling,
    };
    memcpy(sequence->tokens, request->prompt, (size_t)count * sizeof(int32_t));
    roster->groups[sequence->group].size++;
    roster->blocks += blocks;
    roster->order[roster->count++] = slot;
    return true;
}

/* The sequence at this place in the order. */
static struct pp_sequence *sequence_at(const struct pp_roster *roster, int place)
{
    return &roster->sequences[roster->order[place]];
}

static void leave(struct pp_roster *roster, int place)
{
    struct pp_sequence *sequence = sequence_at(roster, place);
    sequence->used = false;
    roster->groups[sequence->group].size--;
    roster->blocks -= sequence->blocks;
    if (sequence->fed > 0) /* else the ranks know nothing of it */
        roster->freed[roster->freed_count++] = roster->order[place];
    roster->count--;
    memmove(roster->order + place, roster->order + place + 1,
            (size_t)(roster->count - place) * sizeof *roster->order);
}

void pp_roster_turn(struct pp_roster *roster, int group)
{
    struct pp_group *turn = &roster->groups[group];
    for (int place = roster->count - 1; place >= 0; place--) {
        const struct pp_sequence *sequence = sequence_at(roster, place);
        if (sequence->ended && sequence->group == group && sequence->under_way == 0)
            leave(roster, place);
    }
    if (turn->drawn >= 0)
        turn->awaited = turn->drawn;
    turn->drawn = -1;
}

void pp_roster_end(struct pp_roster *roster, int slot)
{
    roster->sequences[slot].ended = true;
}

/* --- composing -------------------------------------------------------------------- */

int pp_roster_most_parts(const struct pp_roster_config *config)
{
    return config->slots;
}

int pp_roster_most_rows(const struct pp_roster_config *config)
{
    return config->slots > config->chunk ? config->slots : config->chunk;
}

/* The rows that the sequence has for a batch of the kind that takes so many more. Of a
 * sequence whose last token is under way there are none. */
static int rows_for(const struct pp_sequence *sequence, int group, bool prefill,
                    int most)
{
    int left = sequence->length - sequence->fed;
    bool prefills = sequence->fed < sequence->prompt_count;
    if (sequence->ended || sequence->group != group || prefills != prefill)
        return 0;
    return left < most ? left : most;
}

static void add_part(struct pp_roster *roster, struct pp_batch *batch, int rows,
                     struct pp_sequence *sequence, int32_t *tokens)
{
    struct pp_batch_head *head = batch->head;
    memcpy(tokens + head->rows, sequence->tokens + sequence->fed,
           (size_t)rows * sizeof *tokens);
    batch->parts[head->part_count++] = (struct pp_batch_part){
        .id = sequence->id,
        .piece = {(int)(sequence - roster->sequences), sequence->fed, rows},
        .index = sequence->index,
        .draws = sequence->fed + rows == sequence->length,
        .sampling = sequence->sampling,
    };
    head->rows += rows;
    sequence->fed += rows;
    sequence->under_way++;
}

/* Parts first, freed slots behind them: once it is known how many there are. */
static void close_head(struct pp_roster *roster, struct pp_batch *batch, int group)
{
    struct pp_batch_head *head = batch->head;
    struct pp_group *turn = &roster->groups[group];
    bool draws = false;
    for (int i = 0; i < head->part_count; i++)
        draws |= batch->parts[i].draws;
    head->freed_count = roster->freed_count;
    memcpy(batch->parts + head->part_count, roster->freed,
           (size_t)roster->freed_count * sizeof *roster->freed);
    roster->freed_count = 0;
    head->number = roster->batches++;
    head->after = turn->awaited;
    turn->awaited = -1;
    if (draws)
        turn->drawn = (int64_t)head->number;
}

bool pp_roster_compose(struct pp_roster *roster, int group, bool prefill,
                       struct pp_parcel *parcel, int32_t *tokens)
{
    struct pp_batch_head *head = (struct pp_batch_head *)parcel->data;
    *head =
        (struct pp_batch_head){.kind = PP_BATCH, .prefill = prefill, .group = group};
    struct pp_batch batch = pp_batch_in(parcel, 0);
    int most = prefill ? roster->config.chunk : roster->config.slots;
    for (int place = 0; place < roster->count; place++) {
        struct pp_sequence *sequence = sequence_at(roster, place);
        int rows = rows_for(sequence, group, prefill, most - head->rows);
        if (rows > 0)
            add_part(roster, &batch, rows, sequence, tokens);
    }
    if (head->part_count == 0)
        return false;
    close_head(roster, &batch, group);
    return true;
}

/* --- what comes back -------------------------------------------------------------- */

/* Why the sequence ends with the token that it has just got, or NULL. */
static const char *finish_of(const struct pp_roster *roster,
                             const struct pp_sequence *sequence, int32_t token)
{
    if (token == roster->config.end_token)
        return "end";
    bool enough = sequence->length - sequence->prompt_count == sequence->max_tokens;
    return enough || sequence->length > roster->config.context ? "length" : NULL;
}

bool pp_roster_draw(struct pp_roster *roster, const struct pp_batch_part *part,
                    int32_t token, const char **finish)
{
    struct pp_sequence *sequence = &roster->sequences[part->piece.slot];
    if (sequence->ended)
        return false;
    sequence->tokens[sequence->length++] = token;
    *finish = finish_of(roster, sequence, token);
    sequence->ended = *finish != NULL;
    return true;
}

void pp_roster_return(struct pp_roster *roster, const struct pp_batch *batch)
{
    for (int i = 0; i < batch->head->part_count; i++)
        roster->sequences[batch->parts[i].piece.slot].under_way--;
}
