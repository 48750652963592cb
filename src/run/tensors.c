#include "run/tensors.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "model/optimizer.h"
#include "model/safetensors.h"

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
    return tensors->rank->schedule->rank_of[owner_stage(tensors, index)];
}

struct pp_parameter *pp_tensors_own(const struct pp_tensors *tensors, int index)
{
    struct pp_chunk *chunk =
        pp_rank_chunk(tensors->rank, 0, owner_stage(tensors, index));
    for (int i = 0; chunk && i < chunk->model.parameter_count; i++) {
        if (chunk->model.parameters[i].index == index)
            return &chunk->model.parameters[i];
    }
    return NULL;
}

/* Fills in all parameters of this rank, a tied head's copy included. */
static int fill(const struct pp_tensors *tensors, const struct pp_st_file *file,
                uint64_t seed, struct pp_error *error)
{
    const struct pp_rank *rank = tensors->rank;
    for (int c = 0; c < rank->chunk_count; c++) {
        struct pp_stage *stage = &rank->chunks[c].model;
        for (int i = 0; i < stage->parameter_count; i++) {
            struct pp_parameter *parameter = &stage->parameters[i];
            struct pp_tensor_spec spec =
                pp_model_tensor(&rank->config, parameter->index);
            if (!file)
                pp_model_init_tensor(&rank->config, parameter->index, seed,
                                     parameter->value);
            else if (pp_st_read(file, spec.name, spec.rank, spec.shape,
                                parameter->value, error) != 0)
                return -1;
        }
    }
    return 0;
}

int pp_tensors_load(const struct pp_tensors *tensors, const char *path, uint64_t seed,
                    struct pp_error *error)
{
    struct pp_st_file file = {0};
    int status = path ? pp_st_open(&file, path, error) : 0;
    if (status == 0)
        status = fill(tensors, path ? &file : NULL, seed, error);
    if (path)
        pp_st_close(&file);
    return pp_agree(tensors->rank->world, status, error);
}

/* The parameters of a tied wte that this rank holds: in the first stage, in the last;
 * NULL where another rank does, or the head is untied. */
struct tied {
    struct pp_parameter *embed, *head;
    int embed_rank, head_rank;
};

static struct tied find_tied(const struct pp_tensors *tensors)
{
    const struct pp_rank *rank = tensors->rank;
    const struct pp_schedule *schedule = rank->schedule;
    struct tied tied = {
        .embed_rank = schedule->rank_of[0],
        .head_rank = schedule->rank_of[schedule->stages - 1],
    };
    if (rank->config.untied)
        return tied;
    struct pp_chunk *first = pp_rank_chunk(rank, 0, 0);
    struct pp_chunk *last = pp_rank_chunk(rank, 0, schedule->stages - 1);
    if (first)
        tied.embed = &first->model.parameters[0];
    if (last)
        tied.head = &last->model.parameters[last->model.parameter_count - 1];
    return tied;
}

bool pp_tensors_exchange(const struct pp_tensors *tensors)
{
    struct tied tied = find_tied(tensors);
    return (tied.embed == NULL) != (tied.head == NULL);
}

void pp_tensors_tie(const struct pp_tensors *tensors, real *other)
{
    const struct pp_world *world = tensors->rank->world;
    struct tied tied = find_tied(tensors);
    if (tied.embed && tied.head) {
        for (size_t i = 0; i < tied.embed->count; i++)
            tied.embed->grad[i] = tied.head->grad[i] =
                tied.embed->grad[i] + tied.head->grad[i];
        return;
    }
    struct pp_parameter *mine = tied.embed ? tied.embed : tied.head;
    if (!mine)
        return;
    /* Each sends its part to the other and adds: a sum of two does not depend on their
     * order, so both copies stay bitwise equal. */
    int peer = tied.embed ? tied.head_rank : tied.embed_rank;
    size_t bytes = mine->count * sizeof(real);
    if (tied.embed) {
        pp_send_bytes(world, mine->grad, bytes, peer, PP_TAG_TIE);
        pp_receive_bytes(world, other, bytes, peer, PP_TAG_TIE);
    } else {
        pp_receive_bytes(world, other, bytes, peer, PP_TAG_TIE);
        pp_send_bytes(world, mine->grad, bytes, peer, PP_TAG_TIE);
    }
    for (size_t i = 0; i < mine->count; i++)
        mine->grad[i] += other[i];
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
