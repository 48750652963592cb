#include "generate/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "generate/groups.h"
#include "generate/lead.h"
#include "generate/reading.h"
#include "model/partition.h"
#include "run/fit.h"

struct engine {
    struct pp_engine_config own;           /* of rank 0 what only that one knows */
    const struct pp_engine_config *config; /* own */
    struct pp_engine_result *result;
    struct pp_site site;
    struct pp_weights weights;
    int *layers_of; /* [ranks] */
    struct pp_roster_config roster;
    struct pp_worker worker;
    struct pp_ring ring;
    struct pp_stage_time time; /* of this rank's stage, s; NaN: not asked */
    struct pp_reading reading;
};

/* All that follows is collective, in this order. */

static int agree(struct engine *engine, int status, struct pp_error *error)
{
    return pp_agree(&engine->site.world, status, error);
}

/* Rank 0 knows the source, and so how much room it needs. */
static void take_sizes(struct engine *engine)
{
    struct pp_engine_config *own = &engine->own;
    int sizes[] = {own->groups, own->slots, own->prefill_chunk, own->blocks,
                   own->end_token};
    pp_broadcast(&engine->site.world, sizes, sizeof sizes, 0);
    own->groups = sizes[0];
    own->slots = sizes[1];
    own->prefill_chunk = sizes[2];
    own->blocks = sizes[3];
    own->end_token = sizes[4];
}

/* A stage's work is what it reads: all its weights, for each batch. Of wte the first
 * stage reads a row per token alone. */
static int split(struct engine *engine, struct pp_error *error)
{
    const struct pp_model_config *model = &engine->weights.config;
    int stages = engine->site.world.size, status = -1;
    double C = model->d_model, layer = 12 * C * C;
    struct pp_stage_work *work = calloc((size_t)stages, sizeof *work);
    engine->layers_of = calloc((size_t)stages, sizeof *engine->layers_of);
    if (!work || !engine->layers_of) {
        pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages", stages);
        goto done;
    }
    for (int s = 0; s < stages; s++)
        work[s] =
            (struct pp_stage_work){s, layer, s == stages - 1 ? C * model->vocab : 0};
    status = pp_partition(model, engine->config->layer_split, stages, work,
                          engine->layers_of, error);
done:
    free(work);
    return status;
}

static int open_model(struct engine *engine, struct pp_error *error)
{
    const struct pp_engine_config *config = engine->config;
    int status = pp_weights_open(&engine->weights, config->model, config->heads, error);
    if (status == 0)
        status = split(engine, error);
    return agree(engine, status, error);
}

/* Of a decode batch, where the slots are shared out evenly. */
static size_t usual_message(const struct engine *engine)
{
    int ranks = engine->site.world.size;
    int rows = (engine->config->slots + ranks - 1) / ranks;
    return pp_batch_bytes(rows, 0, ranks) +
           (size_t)rows * (size_t)engine->weights.config.d_model * sizeof(float);
}

static int set_up_site(struct engine *engine, struct pp_error *error)
{
    return pp_site_init(&engine->site,
                        &(struct pp_site_config){
                            .clock = engine->config->clock,
                            .link_latency_s = engine->config->link_latency_s,
                            .link_bandwidth = engine->config->link_bandwidth,
                            .message_bytes = usual_message(engine),
                        },
                        error);
}

static int set_up_worker(struct engine *engine, struct pp_error *error)
{
    const struct pp_engine_config *config = engine->config;
    int context = engine->weights.config.seq_len, rank = engine->site.world.rank;
    int blocks = pp_cache_blocks_of(context);
    engine->roster = (struct pp_roster_config){
        .groups = 1,
        .slots = config->slots,
        .blocks = config->blocks > 0 && config->blocks < blocks * config->slots
                      ? config->blocks
                      : blocks * config->slots,
        .chunk = config->prefill_chunk,
        .context = context,
        .end_token = config->end_token,
    };
    struct pp_worker_config own = {
        .layers = engine->layers_of[rank],
        .slots = config->slots,
        .blocks = engine->roster.blocks,
        .most_parts = pp_roster_most_parts(&engine->roster),
        .most_rows = pp_roster_most_rows(&engine->roster),
    };
    for (int s = 0; s < rank; s++)
        own.first_layer += engine->layers_of[s];
    double bytes =
        pp_worker_bytes(&own, &engine->weights.config, rank, engine->site.world.size);
    if (pp_world_has(&engine->site.world, bytes,
                     "take fewer or shorter sequences at once, or more machines",
                     error) != 0)
        return -1;
    int status =
        pp_worker_init(&engine->worker, &engine->site, &own, &engine->weights, error);
    return agree(engine, status, error);
}

static int set_up_ring(struct engine *engine, struct pp_error *error)
{
    const struct pp_roster_config *roster = &engine->roster;
    size_t rows = (size_t)pp_roster_most_rows(roster);
    size_t bytes = pp_batch_bytes(pp_roster_most_parts(roster), roster->slots,
                                  engine->site.world.size) +
                   rows * (size_t)engine->weights.config.d_model * sizeof(float);
    int status = pp_ring_init(&engine->ring, &engine->site.world, &engine->site.clock,
                              bytes, error);
    if (agree(engine, status, error) != 0)
        return -1;
    /* Within an op only the wall clock's transfers gain from progress, as in training.
     */
    if (engine->site.clock.kind == PP_CLOCK_WALL) {
        engine->worker.decoder.poll = pp_ring_poll;
        engine->worker.decoder.poll_data = &engine->ring;
    }
    pp_ring_start(&engine->ring);
    return 0;
}

/* --- groups ----------------------------------------------------------------------- */

/* A batch of one first token of each of so many sequences, timed; ns. */
static double time_rows(struct engine *engine, int rows)
{
    enum { TIMES = 3 };
    struct pp_worker *worker = &engine->worker;
    struct pp_ring *ring = &engine->ring;
    int32_t *tokens = calloc((size_t)rows, sizeof *tokens);
    double least = INFINITY;
    for (int time = 0; time < TIMES && tokens; time++) {
        struct pp_parcel *parcel = pp_ring_new(ring);
        struct pp_batch_head *head = (struct pp_batch_head *)parcel->data;
        *head = (struct pp_batch_head){
            .part_count = rows, .rows = rows, .freed_count = time > 0 ? rows : 0};
        struct pp_batch batch = pp_batch_in(parcel, engine->site.world.size);
        for (int i = 0; i < rows; i++) {
            batch.parts[i] = (struct pp_batch_part){
                .piece = {i, 0, 1}, .draws = true, .sampling = {.greedy = true}};
            if (time > 0)
                batch.freed[i] = i;
        }
        memset(batch.x, 0,
               (size_t)rows * (size_t)worker->decoder.config.d_model * sizeof *batch.x);
        pp_worker_compute(worker, &batch, tokens, 0, 0);
        const struct pp_span *span = &batch.spans[engine->site.world.rank];
        least = fmin(least, (double)(span->end - span->start));
        pp_ring_give(ring, parcel);
    }
    for (int slot = 0; slot < rows; slot++)
        pp_cache_free(&worker->cache, slot);
    free(tokens);
    return least;
}

/* What the stages take, in s; the same on every rank. Not finite where a rank was out
 * of memory. */
static bool measure(struct engine *engine, struct pp_stage_time *stages)
{
    int ranks = engine->site.world.size;
    engine->time = (struct pp_stage_time){
        time_rows(engine, 1) / 1e9,
        time_rows(engine, engine->roster.slots) / 1e9,
    };
    stages[engine->site.world.rank] = engine->time;
    pp_sum_doubles(&engine->site.world, &stages[0].one, 2 * ranks);
    for (int s = 0; s < ranks; s++) {
        if (!isfinite(stages[s].one) || !isfinite(stages[s].many))
            return false;
    }
    return true;
}

/* And from it the number of groups. */
static int choose_groups(struct engine *engine, struct pp_error *error)
{
    const struct pp_run_environment *environment = &engine->site.environment;
    int ranks = engine->site.world.size, slots = engine->roster.slots;
    double bytes = (double)usual_message(engine);
    double hop = environment->link_latency_s + bytes / environment->link_bandwidth;
    struct pp_stage_time *stages = calloc((size_t)ranks, sizeof *stages);
    int status = stages ? 0 : -1;
    if (status != 0)
        pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages", ranks);
    status = agree(engine, status, error);
    if (status == 0 && stages && !measure(engine, stages))
        status = pp_fail(error, PP_ENVIRONMENT, "out of memory for %d rows", slots);
    if (status == 0)
        engine->roster.groups = pp_choose_groups(stages, ranks, hop, slots, slots);
    free(stages);
    return status;
}

static int set_groups(struct engine *engine, struct pp_error *error)
{
    int groups = engine->config->groups, slots = engine->roster.slots;
    /* Warm before the first batch, too: memory is touched, code is there. */
    time_rows(engine, 1);
    engine->time = (struct pp_stage_time){(double)NAN, (double)NAN};
    engine->roster.groups = groups < slots ? groups : slots;
    if (groups > 0)
        return 0;
    engine->roster.groups = 1;
    return engine->site.world.size > 1 && slots > 1 ? choose_groups(engine, error) : 0;
}

/* --- what it is ------------------------------------------------------------------- */

static struct pp_engine_rank rank_of(const struct engine *engine)
{
    const struct pp_worker *worker = &engine->worker;
    struct pp_engine_rank own = {
        .first_layer = worker->decoder.first_layer,
        .layers = worker->decoder.layers,
        .parameter_bytes = (int64_t)worker->decoder.parameter_bytes,
        .kv_cache_bytes = (int64_t)worker->cache.bytes,
        .token_bytes = pp_token_bytes(&worker->decoder),
        .reading = engine->reading,
        .rows_s = {engine->time.one, engine->time.many},
        .pid = getpid(),
    };
    memcpy(own.cpuset, engine->site.topology.cpuset, sizeof own.cpuset);
    memcpy(own.host, engine->site.topology.host, sizeof own.host);
    return own;
}

/* Rank 0 learns what each rank is. */
static int gather(struct engine *engine, struct pp_error *error)
{
    const struct pp_world *world = &engine->site.world;
    const struct pp_model_config *model = &engine->weights.config;
    struct pp_engine_result *result = engine->result;
    if (engine->config->reads) {
        pp_barrier(world);
        engine->reading = pp_reading_measure(&engine->worker);
    }
    struct pp_engine_rank own = rank_of(engine);
    result->environment = engine->site.environment;
    result->rank = calloc((size_t)world->size, sizeof *result->rank);
    int status = result->rank ? 0
                              : pp_fail(error, PP_ENVIRONMENT,
                                        "out of memory for %d ranks", world->size);
    if (agree(engine, status, error) != 0 || !result->rank)
        return -1;
    if (world->rank > 0)
        pp_send_bytes(world, &own, sizeof own, 0, PP_TAG_SPANS);
    for (int r = 1; r < world->size && world->rank == 0; r++)
        pp_receive_bytes(world, &result->rank[r], sizeof own, r, PP_TAG_SPANS);
    result->rank[world->rank] = own;
    result->info = (struct pp_engine_info){
        .ranks = world->size,
        .groups = engine->roster.groups,
        .slots = engine->roster.slots,
        .prefill_chunk = engine->roster.chunk,
        .layers = model->layers,
        .d_model = model->d_model,
        .heads = model->heads,
        .vocab = model->vocab,
        .context = model->seq_len,
        .clock = result->environment.clock,
        .rank = result->rank,
    };
    return 0;
}

/* --- the whole -------------------------------------------------------------------- */

static int run(struct engine *engine, struct pp_source *source, struct pp_error *error)
{
    struct pp_engine_result *result = engine->result;
    int status = 0;
    if (!result->leads) {
        pp_follow(&engine->worker, &engine->ring);
    } else {
        if (source->ready)
            source->ready(source->data, &result->info);
        status = pp_lead(&engine->roster, &engine->worker, &engine->ring, source,
                         &result->stopped, error);
    }
    return agree(engine, status, error);
}

int pp_engine_run(const struct pp_engine_config *config, struct pp_source *source,
                  struct pp_engine_result *result, struct pp_error *error)
{
    struct engine engine = {.own = *config, .config = &engine.own, .result = result};
    int status = -1;
    *result = (struct pp_engine_result){0};
    pp_site_join(&engine.site);
    result->leads = engine.site.world.rank == 0;
    take_sizes(&engine);
    if (open_model(&engine, error) == 0 && set_up_site(&engine, error) == 0 &&
        set_up_worker(&engine, error) == 0 && set_up_ring(&engine, error) == 0 &&
        set_groups(&engine, error) == 0 && gather(&engine, error) == 0) {
        pp_barrier(&engine.site.world);
        pp_clock_restart(&engine.site.clock);
        status = run(&engine, source, error);
    }
    pp_ring_release(&engine.ring);
    pp_worker_release(&engine.worker);
    pp_weights_close(&engine.weights);
    free(engine.layers_of);
    pp_site_release(&engine.site);
    return status;
}

void pp_engine_result_release(struct pp_engine_result *result)
{
    free(result->rank);
    *result = (struct pp_engine_result){0};
}
