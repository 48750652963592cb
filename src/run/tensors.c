#include "run/tensors.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "model/optimizer.h"
#include "model/weights.h"

/* The stage that owns the index-th tensor: the embedding's two are the first stage's,
 * each layer's its stage's, the final norm and the head the last stage's. */
static int owner_stage(const struct pp_tensors *tensors, int index)
{
    int layer = (index - 2) / PP_LAYER_TENSORS;
    int stage = 0;
    if (index < 2)
        return 0;
    if (layer >= tensors->rank->config.layers)
        return tensors->rank->schedule->stages - 1;
    for (int end = tensors->layers_of[0]; layer >= end;
         end += tensors->layers_of[stage])
        stage++;
    return stage;
}

static int owner_rank(const struct pp_tensors *tensors, int index)
{
    const struct pp_schedule *schedule = tensors->rank->schedule;
    return schedule
        ->rank_of[pp_place(schedule, tensors->copy, owner_stage(tensors, index))];
}

struct pp_parameter *pp_tensors_own(const struct pp_tensors *tensors, int index)
{
    struct pp_chunk *chunk =
        pp_rank_chunk(tensors->rank, tensors->copy, owner_stage(tensors, index));
    for (int i = 0; chunk && i < chunk->model.parameter_count; i++) {
        if (chunk->model.parameters[i].index == index)
            return &chunk->model.parameters[i];
    }
    return NULL;
}

/* Fills in all parameters of this rank, a tied head's copy included. */
static int fill(const struct pp_tensors *tensors, const struct pp_weights *weights,
                uint64_t seed, struct pp_error *error)
{
    const struct pp_rank *rank = tensors->rank;
    for (int c = 0; c < rank->chunk_count; c++) {
        struct pp_stage *stage = &rank->chunks[c].model;
        for (int i = 0; i < stage->parameter_count; i++) {
            struct pp_parameter *parameter = &stage->parameters[i];
            if (!weights)
                pp_model_init_tensor(&rank->config, parameter->index, seed,
                                     parameter->value);
            else if (pp_weights_read(weights, parameter->index, parameter->value,
                                     error) != 0)
                return -1;
        }
    }
    return 0;
}

int pp_tensors_load(const struct pp_tensors *tensors, const char *path, uint64_t seed,
                    struct pp_error *error)
{
    struct pp_weights weights = {0};
    int status =
        path ? pp_weights_open_as(&weights, path, &tensors->rank->config, error) : 0;
    if (status == 0)
        status = fill(tensors, path ? &weights : NULL, seed, error);
    pp_weights_close(&weights);
    return pp_agree(tensors->rank->world, status, error);
}

/* The two parts of a tied wte's gradient: the embedding's and the head's. */
enum end { EMBED, HEAD, ENDS };

static int stage_of(const struct pp_schedule *schedule, enum end end)
{
    return end == EMBED ? 0 : schedule->stages - 1;
}

/* A copy's part, which is on this rank. */
static struct pp_parameter *part_of(const struct pp_rank *rank, int copy, enum end end)
{
    const struct pp_chunk *chunk =
        pp_rank_chunk(rank, copy, stage_of(rank->schedule, end));
    int last = chunk->model.parameter_count - 1;
    return &chunk->model.parameters[end == EMBED ? 0 : last];
}

static int rank_with(const struct pp_schedule *schedule, int copy, enum end end)
{
    return schedule->rank_of[pp_place(schedule, copy, stage_of(schedule, end))];
}

/* The first copy from this one on whose part is on the rank; as many as there are:
 * none.
 */
static int copy_from(const struct pp_schedule *schedule, int copy, int rank,
                     enum end end)
{
    while (copy < schedule->copies && rank_with(schedule, copy, end) != rank)
        copy++;
    return copy;
}

bool pp_tensors_exchange(const struct pp_tensors *tensors)
{
    const struct pp_rank *rank = tensors->rank;
    return !rank->config.untied &&
           pp_rank_holds(rank, stage_of(rank->schedule, EMBED)) !=
               pp_rank_holds(rank, stage_of(rank->schedule, HEAD));
}

/* A rank that has one part alone gets the other from the other end of its first copy.
 */
static void pass_on(const struct pp_tensors *tensors, int copy, enum end end,
                    real *other)
{
    const struct pp_rank *rank = tensors->rank;
    const struct pp_schedule *schedule = rank->schedule;
    enum end lacking = end == EMBED ? HEAD : EMBED;
    int sender = rank_with(schedule, copy, end);
    int receiver = rank_with(schedule, copy, lacking);
    size_t bytes =
        (size_t)rank->config.vocab * (size_t)rank->config.d_model * sizeof(real);
    if (copy_from(schedule, 0, receiver, end) < schedule->copies ||
        copy_from(schedule, 0, receiver, lacking) != copy)
        return;
    if (rank->world->rank == sender)
        pp_send_bytes(rank->world, part_of(rank, copy, end)->grad, bytes, receiver,
                      PP_TAG_TIE);
    else if (rank->world->rank == receiver)
        pp_receive_bytes(rank->world, other, bytes, sender, PP_TAG_TIE);
}

/* All copies have the same two parts by now, so it does not matter whose are added;
 * nor, in a sum of two, their order: all come to the same bits. */
void pp_tensors_tie(const struct pp_tensors *tensors, real *other)
{
    const struct pp_rank *rank = tensors->rank;
    const struct pp_schedule *schedule = rank->schedule;
    int me = rank->world->rank, copies = schedule->copies;
    if (rank->config.untied)
        return;
    for (int c = 0; c < copies; c++) {
        pass_on(tensors, c, EMBED, other);
        pass_on(tensors, c, HEAD, other);
    }
    real *parts[ENDS];
    for (enum end end = EMBED; end < ENDS; end++) {
        int copy = copy_from(schedule, 0, me, end);
        parts[end] = copy < copies ? part_of(rank, copy, end)->grad : other;
    }
    if (parts[EMBED] == parts[HEAD]) /* neither is here */
        return;
    size_t count = (size_t)rank->config.vocab * (size_t)rank->config.d_model;
    for (size_t i = 0; i < count; i++)
        parts[EMBED][i] = parts[HEAD][i] = parts[EMBED][i] + parts[HEAD][i];
    for (enum end end = EMBED; end < ENDS; end++) {
        int first = copy_from(schedule, 0, me, end);
        for (int c = copy_from(schedule, first + 1, me, end); c < copies;
             c = copy_from(schedule, c + 1, me, end))
            memcpy(part_of(rank, c, end)->grad, parts[end], count * sizeof(real));
    }
}

double pp_tensors_norm(const struct pp_tensors *tensors, double *squares)
{
    double sum = 0;
    for (int i = 0; i < tensors->count; i++) {
        const struct pp_parameter *own = pp_tensors_own(tensors, i);
        squares[i] = own ? pp_sum_of_squares(own->count, own->grad) : 0;
    }
    /* Each entry has one owner: adding the others' zeros is exact. */
    pp_sum_doubles(tensors->rank->world, squares, tensors->count);
    for (int i = 0; i < tensors->count; i++)
        sum += squares[i];
    return sqrt(sum);
}

bool pp_tensors_finite(const struct pp_tensors *tensors)
{
    double wrong = 0;
    for (int i = 0; i < tensors->count; i++) {
        const struct pp_parameter *own = pp_tensors_own(tensors, i);
        for (size_t k = 0; own && k < own->count; k++)
            wrong += !isfinite(own->value[k]);
    }
    pp_max_doubles(tensors->rank->world, &wrong, 1);
    return wrong == 0;
}

static uint64_t hash(const real *values, size_t count)
{
    uint64_t h = count;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        h = pp_mix(h ^ bits);
    }
    return h;
}

int pp_tensors_digest(const struct pp_tensors *tensors, char text[32],
                      struct pp_error *error)
{
    /* High and low halves, which doubles hold exactly. */
    double *halves = calloc(2 * (size_t)tensors->count, sizeof *halves);
    int status = halves ? 0 : pp_fail(error, PP_ENVIRONMENT, "out of memory");
    if (pp_agree(tensors->rank->world, status, error) != 0) {
        free(halves);
        return -1;
    }
    assert(halves);
    for (int i = 0; i < tensors->count; i++) {
        const struct pp_parameter *own = pp_tensors_own(tensors, i);
        uint64_t h = own ? hash(own->value, own->count) : 0;
        halves[2 * i] = (double)(h >> 32);
        halves[2 * i + 1] = (double)(h & 0xffffffffu);
    }
    pp_sum_doubles(tensors->rank->world, halves, 2 * tensors->count);
    uint64_t digest = (uint64_t)tensors->count;
    for (int i = 0; i < tensors->count; i++)
        digest = pp_mix(digest ^
                        ((uint64_t)halves[2 * i] << 32 | (uint64_t)halves[2 * i + 1]));
    snprintf(text, 32, "%016llx", (unsigned long long)digest);
    free(halves);
    return 0;
}

int pp_tensors_gather(const struct pp_tensors *tensors, bool gradients,
                      int (*visit)(void *data, int index, const real *values,
                                   struct pp_error *error),
                      void *data, struct pp_error *error)
{
    const struct pp_rank *rank = tensors->rank;
    const struct pp_world *world = rank->world;
    size_t largest = 0;
    for (int i = 0; i < tensors->count; i++) {
        size_t count = pp_model_tensor(&rank->config, i).count;
        largest = count > largest ? count : largest;
    }
    real *buffer = world->rank == 0 ? malloc(largest * sizeof *buffer) : NULL;
    int status = 0;
    if (world->rank == 0 && !buffer)
        status = pp_fail(error, PP_ENVIRONMENT, "out of memory for a tensor");
    if (pp_agree(world, status, error) != 0) {
        free(buffer);
        return -1;
    }

    for (int i = 0; i < tensors->count; i++) {
        const struct pp_parameter *own = pp_tensors_own(tensors, i);
        const real *values = own ? gradients ? own->grad : own->value : buffer;
        size_t bytes = pp_model_tensor(&rank->config, i).count * sizeof(real);
        int owner = owner_rank(tensors, i);
        if (world->rank == 0 && owner != 0)
            pp_receive_bytes(world, buffer, bytes, owner, PP_TAG_TENSOR);
        else if (world->rank != 0 && owner == world->rank)
            pp_send_bytes(world, values, bytes, 0, PP_TAG_TENSOR);
        if (world->rank == 0 && status == 0) /* after a failure: only drain */
            status = visit(data, i, values, error);
    }
    free(buffer);
    return pp_agree(world, status, error);
}
