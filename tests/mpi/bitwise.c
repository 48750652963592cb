/* Every schedule, rank count, chunk count and number of microbatches trains to the very
 * same bits as the sequential run: losses, gradients and parameters (--verify's
 * comparison), and one digest for each (weight copies, microbatches, tied). Run by
 * mpiexec with p ranks (usage: bitwise [STRIDE], to run a sample); p = 1 is the
 * sequential schedule's own home. Also checks the peaks that the pools counted, and
 * that memory.h had foreseen them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/partition.h"
#include "run/launch.h"
#include "run/memory.h"
#include "run/run.h"
#include "schedules/catalogue.h"

static const int microbatch_counts[] = {1, 2, 3, 5, 8, 9, 16, 21};
enum {
    COUNTS = sizeof microbatch_counts / sizeof microbatch_counts[0],
    MOST_CHUNKS = 4,
    MOST_COPIES = 2
};

struct tally {
    int rank, ranks, shapes, runs, failures;
    int stride; /* only every stride-th shape is run */
    char digests[MOST_COPIES][2][COUNTS][32];
};

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* The closed forms of the peaks; -1 where the schedule is not among those tested. */
static int expected_peak(const struct pp_schedule *schedule, int rank)
{
    int p = schedule->ranks, m = schedule->microbatches, v = schedule->chunks;
    if (strcmp(schedule->name, "gpipe") == 0)
        return m;
    if (strcmp(schedule->name, "1f1b") == 0)
        return least(p - rank, m);
    if (strcmp(schedule->name, "interleaved-1f1b") == 0)
        return least(2 * (p - 1 - rank) + (v - 1) * schedule->group_size + 1, m * v);
    if (strcmp(schedule->name, "sequential") == 0)
        return v;
    return -1;
}

static void fail(struct tally *tally, const struct pp_schedule *schedule, bool untied,
                 const char *what)
{
    tally->failures++;
    if (tally->rank == 0)
        printf("FAILED %s p=%d v=%d m=%d %s: %s\n", schedule->name, schedule->ranks,
               schedule->chunks, schedule->microbatches, untied ? "untied" : "tied",
               what);
}

/* What was foreseen is what the rank came to hold. */
static void check_memory(struct tally *tally, const struct pp_run_config *config,
                         const struct pp_run_result *result)
{
    struct pp_run_memory memory = {0};
    struct pp_error error = {0};
    char text[256];
    if (pp_run_memory_init(&memory, config, &error) != 0)
        fail(tally, config->schedule, config->model.untied, error.text);
    for (int r = 0; memory.ranks && r < config->schedule->ranks; r++) {
        const struct pp_rank_memory *told = &memory.ranks[r];
        const struct pp_run_rank *found = &result->ranks[r];
        if ((double)found->parameter_bytes == told->parameters &&
            (double)found->gradient_bytes == told->gradients &&
            (double)found->optimizer_bytes == told->optimizer &&
            (double)found->peak_activation_bytes == told->peak_activations)
            continue;
        snprintf(
            text, sizeof text,
            "rank %d: parameters %.0f foreseen, %lld found; activations %.0f, %lld", r,
            told->parameters, (long long)found->parameter_bytes, told->peak_activations,
            (long long)found->peak_activation_bytes);
        fail(tally, config->schedule, config->model.untied, text);
    }
    pp_run_memory_release(&memory);
}

static void check(struct tally *tally, const struct pp_schedule *schedule, bool untied,
                  int count, const struct pp_run_result *result)
{
    char *digest = tally->digests[schedule->copies - 1][untied][count];
    char text[160];
    if (result->verified != 1)
        fail(tally, schedule, untied, result->difference.text);
    if (digest[0] == '\0')
        memcpy(digest, result->digest, sizeof tally->digests[0][0][0]);
    if (strcmp(digest, result->digest) != 0)
        fail(tally, schedule, untied, "the digest differs from the first schedule's");
    for (int r = 0; r < schedule->ranks; r++) {
        int expected = expected_peak(schedule, r);
        int counted = result->ranks[r].peak_in_flight;
        snprintf(text, sizeof text, "rank %d held %d in flight, not %d", r, counted,
                 expected);
        if (expected >= 0 && counted != expected)
            fail(tally, schedule, untied, text);
    }
}

static int split_layers(const struct pp_model_config *model, const char *split,
                        const struct pp_schedule *schedule, int *layers_of,
                        struct pp_error *error)
{
    struct pp_stage_work work[64];
    pp_work_of_flops(model, schedule->stages, schedule->rank_of, NULL, work);
    return pp_partition(model, split, schedule->stages, work, layers_of, error);
}

static void run_one(struct tally *tally, const struct pp_scheduler *row, int chunks,
                    int count, bool untied, const char *split)
{
    struct pp_shape shape = {tally->ranks, chunks, microbatch_counts[count], 0};
    struct pp_schedule schedule = {0};
    struct pp_run_result result = {0};
    struct pp_error error = {0};
    int layers_of[64];
    if (pp_schedule_check(row, &shape, &error) != 0)
        return; /* not a shape of this schedule */
    if (tally->shapes++ % tally->stride != 0)
        return;
    struct pp_run_config config = {
        .schedule = &schedule,
        .model = {.layers = 33, /* so that no split is even */
                  .d_model = 16,
                  .heads = 2,
                  .seq_len = 8,
                  .microbatch_size = 2,
                  .vocab = 32,
                  .untied = untied,
                  .recompute = tally->runs % 3},
        .layers_of = layers_of,
        .optimizer = {PP_ADAMW, {.most = 0.01}, 0.9, 0.999, 1e-8, 0.01},
        .clip_norm = 0.5, /* below the norms seen here: always clipping */
        .seed = 7,
        .steps = 2,
        .warmup_steps = 1,
        .eval_every = 2,
        .eval_microbatches = 3 + count, /* another number than is trained on */
        .clock = (tally->runs++ & 1) ? PP_CHOOSE_WALL : PP_CHOOSE_VIRTUAL,
        .link_latency_s = 0,
        .link_bandwidth = (double)INFINITY,
        .threads = 1,
        .verify = true,
    };
    if (pp_schedule_build(&schedule, row, &shape, &error) != 0 ||
        split_layers(&config.model, split, &schedule, layers_of, &error) != 0 ||
        pp_run(&config, &result, &error) != 0) {
        snprintf(schedule.name, sizeof schedule.name, "%s", row->name);
        fail(tally, &schedule, untied, error.text);
    } else if (result.leads) {
        check(tally, &schedule, untied, count, &result);
        check_memory(tally, &config, &result);
    }
    pp_run_result_release(&result);
    pp_schedule_release(&schedule);
}

int main(int argc, char **argv)
{
    struct tally tally = {.stride = argc > 1 ? atoi(argv[1]) : 1};
    struct pp_error error = {0};
    if (pp_world_enter("test", &tally.rank, &tally.ranks, &error) != 0)
        return pp_world_leave(PP_ENVIRONMENT);
    for (int row = 0; row < pp_catalogue_count(); row++) {
        if (pp_row_decodes(pp_catalogue_row(row)))
            continue; /* does not train */
        for (int chunks = 1; chunks <= MOST_CHUNKS; chunks++) {
            for (int count = 0; count < COUNTS; count++) {
                for (int untied = 0; untied < 2; untied++)
                    run_one(&tally, pp_catalogue_row(row), chunks, count, untied,
                            count & 1 ? "auto" : "even");
            }
        }
    }
    if (tally.rank == 0)
        printf("%d ranks: %d runs, %d failures, digest of m=8 tied %s\n", tally.ranks,
               tally.runs, tally.failures, tally.digests[0][0][4]);
    return pp_world_leave(tally.failures > 0 || tally.runs == 0);
}
