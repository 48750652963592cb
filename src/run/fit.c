#include "run/fit.h"

#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/available.h"
#include "base/words.h"
#include "run/memory.h"
#include "run/world.h"

/* --- what to lower ----------------------------------------------------------------
 * Whatever, halved, spares most: found by asking again, so that it needs no formulas.
 */

enum { D_MODEL, VOCAB, SEQ_LEN, MICROBATCH_SIZE, HEADS, LAYERS, STEPS, WAYS };
static const char *const ways[WAYS] = {
    "--d-model", "--vocab",  "--seq-len", "--microbatch-size",
    "--heads",   "--layers", "--steps"};

static int half(int number)
{
    return number > 1 ? number / 2 : 1;
}

/* The rank's need with one thing halved; as it was where that is not known. */
static double need_with(const struct pp_run_config *config, int way, int rank,
                        double before)
{
    struct pp_run_config less = *config;
    struct pp_run_memory memory = {0};
    struct pp_error error = {0};
    int stages = config->schedule->stages;
    int *layers_of = calloc((size_t)stages, sizeof *layers_of);
    int *const sizes[] = {
        [D_MODEL] = &less.model.d_model,
        [VOCAB] = &less.model.vocab,
        [SEQ_LEN] = &less.model.seq_len,
        [MICROBATCH_SIZE] = &less.model.microbatch_size,
        [HEADS] = &less.model.heads,
        [LAYERS] = &less.model.layers,
        [STEPS] = &less.steps,
    };
    *sizes[way] = half(*sizes[way]);
    for (int s = 0; layers_of && s < stages; s++)
        layers_of[s] =
            way == LAYERS ? half(config->layers_of[s]) : config->layers_of[s];
    less.layers_of = layers_of;
    if (layers_of && pp_run_memory_init(&memory, &less, &error) == 0)
        before = pp_rank_memory_total(&memory.ranks[rank]);
    pp_run_memory_release(&memory);
    free(layers_of);
    return before;
}

/* "lower '--vocab' or '--d-model'": the best, and the next if it does half as much. */
static void advise(const struct pp_run_config *config,
                   const struct pp_rank_memory *most, int rank, char *text, size_t size)
{
    double before = pp_rank_memory_total(most), spared[WAYS];
    int best = 0, next = -1;
    if (config->verify && most->again > before / 2) {
        pp_assign(text, size, "leave out '--verify'");
        return;
    }
    for (int way = 0; way < WAYS; way++) {
        spared[way] = before - need_with(config, way, rank, before);
        best = spared[way] > spared[best] ? way : best;
    }
    for (int way = 0; way < WAYS; way++) {
        if (way != best && spared[way] >= spared[best] / 2 &&
            (next < 0 || spared[way] > spared[next]))
            next = way;
    }
    pp_assign(text, size, "lower '%s'", ways[best]);
    if (next >= 0)
        pp_append(text, size, " or '%s'", ways[next]);
}

/* --- what is needed ---------------------------------------------------------------
 */

/* "4.30 GB (parameters 1.07 GB, gradients 1.07 GB, …)", without what is nothing. */
static void describe(const struct pp_rank_memory *memory, char *text, size_t size)
{
    const struct {
        const char *name;
        double bytes;
    } parts[] = {
        {"parameters", memory->parameters},
        {"gradients", memory->gradients},
        {"optimizer", memory->optimizer},
        {"activations", memory->activations},
        {"buffers", memory->buffers},
        {"data and times", memory->steps},
        {"for tensors of other ranks", memory->again},
    };
    char bytes[PP_BYTES_TEXT];
    const char *separator = " (";
    pp_assign(text, size, "%s", pp_bytes_text(pp_rank_memory_total(memory), bytes));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].bytes <= 0)
            continue;
        pp_append(text, size, "%s%s %s", separator, parts[i].name,
                  pp_bytes_text(parts[i].bytes, bytes));
        separator = ", ";
    }
    pp_append(text, size, ")");
}

/* What the ranks of one machine need: together, and the one that needs most. */
struct need {
    double all;
    struct { /* as MPI_DOUBLE_INT */
        double bytes;
        int rank;
    } most;
};

static int refuse(const struct pp_run_config *config,
                  const struct pp_run_memory *memory, const struct need *need,
                  struct pp_error *error)
{
    struct pp_available available = pp_available("");
    const struct pp_rank_memory *most = &memory->ranks[need->most.rank];
    char one[512], all[PP_BYTES_TEXT], had[PP_BYTES_TEXT], advice[128];
    const char *limit;
    double least = pp_available_least(&available, &limit);
    if (need->all <= least && need->most.bytes <= available.process)
        return 0;
    bool addresses = need->all <= least;
    describe(most, one, sizeof one);
    advise(config, most, need->most.rank, advice, sizeof advice);
    return pp_fail(
        error, PP_ENVIRONMENT,
        "this does not fit into memory: the ranks on this machine need %s, rank %d "
        "alone %s; there is %s%s (%s): %s",
        pp_bytes_text(need->all, all), need->most.rank, one,
        pp_bytes_text(addresses ? available.process : least, had),
        addresses ? " for each" : "", addresses ? "'ulimit -v'" : limit, advice);
}

static void add(struct need *need, const struct pp_run_memory *memory, int rank)
{
    double bytes = pp_rank_memory_total(&memory->ranks[rank]);
    need->all += bytes;
    if (bytes > need->most.bytes) {
        need->most.bytes = bytes;
        need->most.rank = rank;
    }
}

int pp_run_fits(const struct pp_run_config *config, struct pp_error *error)
{
    struct pp_run_memory memory = {0};
    struct need need = {0};
    int status = pp_run_memory_init(&memory, config, error);
    for (int r = 0; r < config->schedule->ranks && status == 0; r++)
        add(&need, &memory, r);
    if (status == 0)
        status = refuse(config, &memory, &need, error);
    pp_run_memory_release(&memory);
    return status;
}

/* Adds up what the ranks of this machine need. */
static void gather(const struct pp_world *world, struct need *need)
{
    MPI_Comm machine;
    MPI_Comm_split_type(world->comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Allreduce(MPI_IN_PLACE, &need->all, 1, MPI_DOUBLE, MPI_SUM, machine);
    MPI_Allreduce(MPI_IN_PLACE, &need->most, 1, MPI_DOUBLE_INT, MPI_MAXLOC, machine);
    MPI_Comm_free(&machine);
}

static int refuse_bytes(const struct need *need, const char *advice,
                        struct pp_error *error)
{
    struct pp_available available = pp_available("");
    char one[PP_BYTES_TEXT], all[PP_BYTES_TEXT], had[PP_BYTES_TEXT];
    const char *limit;
    double least = pp_available_least(&available, &limit);
    bool addresses = need->all <= least;
    if (addresses && need->most.bytes <= available.process)
        return 0;
    return pp_fail(
        error, PP_ENVIRONMENT,
        "this does not fit into memory: the ranks on this machine need %s, rank %d "
        "alone %s; there is %s%s (%s): %s",
        pp_bytes_text(need->all, all), need->most.rank,
        pp_bytes_text(need->most.bytes, one),
        pp_bytes_text(addresses ? available.process : least, had),
        addresses ? " for each" : "", addresses ? "'ulimit -v'" : limit, advice);
}

int pp_world_has(const struct pp_world *world, double bytes, const char *advice,
                 struct pp_error *error)
{
    struct need need = {.all = bytes, .most = {bytes, world->rank}};
    gather(world, &need);
    return pp_agree(world, refuse_bytes(&need, advice, error), error);
}

int pp_world_fits(const struct pp_run_config *config, struct pp_error *error)
{
    struct pp_world world = {.comm = MPI_COMM_WORLD};
    struct pp_run_memory memory = {0};
    struct need need = {0};
    MPI_Comm_rank(world.comm, &world.rank);
    MPI_Comm_size(world.comm, &world.size);
    int status = pp_agree(&world, pp_run_memory_init(&memory, config, error), error);
    if (status == 0) {
        add(&need, &memory, world.rank);
        gather(&world, &need);
        status = pp_agree(&world, refuse(config, &memory, &need, error), error);
    }
    pp_run_memory_release(&memory);
    return status;
}
