#include "model/partition.h"

#include <assert.h>
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/scan.h"
#include "base/words.h"

struct pp_flops pp_stage_flops(const struct pp_model_config *config, int layers,
                               bool head)
{
    double C = config->d_model, T = config->seq_len, V = config->vocab;
    double N = (double)config->microbatch_size * T;
    /* Per layer: C x 3C, C x C, C x 4C and 4C x C make 12 C^2 multiply-adds per token,
     * as many again in each half of backward. Attention multiplies two T x T matrices
     * per head in forward (scores, values), four in backward (dP, dV, dQ, dK), all of
     * them on the way to the input. */
    double weights = 2 * N * 12 * C * C;
    double attention = 2 * N * T * C;
    double logits = head ? 2 * N * C * V : 0;
    return (struct pp_flops){
        .forward = layers * (weights + 2 * attention) + logits,
        .input = layers * (weights + 4 * attention) + logits,
        .weight = layers * weights + logits,
    };
}

static double total_flops(const struct pp_model_config *config, int layers, bool head)
{
    struct pp_flops flops = pp_stage_flops(config, layers, head);
    bool again = config->recompute != PP_RECOMPUTE_NONE;
    return (again ? 2 : 1) * flops.forward + flops.input + flops.weight;
}

void pp_work_of_flops(const struct pp_model_config *config, int stages,
                      const int *rank_of, const double *slow,
                      struct pp_stage_work *work)
{
    double layer = total_flops(config, 1, false), head = total_flops(config, 0, true);
    for (int s = 0; s < stages; s++) {
        double times = slow ? slow[rank_of[s]] : 1;
        work[s] = (struct pp_stage_work){
            .rank = rank_of[s],
            .layer = times * layer,
            .extra = s == stages - 1 ? times * head : 0,
        };
    }
}

static void split_evenly(int layers, int stages, int *layers_of)
{
    for (int s = 0; s < stages; s++)
        layers_of[s] = layers / stages + (s < layers % stages);
}

/* What a stage would be like with one layer more. */
struct offer {
    double of_rank, of_stage;
    int layers;
};

static bool is_less(const struct offer *a, const struct offer *b)
{
    if (a->of_rank < b->of_rank || a->of_rank > b->of_rank)
        return a->of_rank < b->of_rank;
    if (a->of_stage < b->of_stage || a->of_stage > b->of_stage)
        return a->of_stage < b->of_stage;
    return a->layers < b->layers;
}

/* Every stage gets one layer; each further one goes where it makes the least load.
 * Loads only grow, so no other split has a smaller largest one (Ibaraki & Katoh,
 * Resource Allocation Problems, 1988, ch. 4). Equal offers: the stage with fewer
 * layers, so that the split stays near to an even one. load: [ranks], zeroed. */
static void balance(int layers, int stages, const struct pp_stage_work *work,
                    double *load, int *layers_of)
{
    for (int s = 0; s < stages; s++) {
        layers_of[s] = 1;
        load[work[s].rank] += work[s].layer + work[s].extra;
    }
    for (int left = layers - stages; left > 0; left--) {
        struct offer least = {0};
        int best = -1;
        for (int s = 0; s < stages; s++) {
            const struct offer offer = {
                .of_rank = load[work[s].rank] + work[s].layer,
                .of_stage = work[s].layer * (layers_of[s] + 1) + work[s].extra,
                .layers = layers_of[s],
            };
            if (best < 0 || is_less(&offer, &least)) {
                best = s;
                least = offer;
            }
        }
        layers_of[best]++;
        load[work[best].rank] = least.of_rank;
    }
}

static int split_by_work(int layers, int stages, const struct pp_stage_work *work,
                         int *layers_of, struct pp_error *error)
{
    int ranks = 1;
    assert(work);
    for (int s = 0; s < stages; s++)
        ranks = work[s].rank >= ranks ? work[s].rank + 1 : ranks;
    double *load = calloc((size_t)ranks, sizeof *load);
    if (!load)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d ranks", ranks);
    balance(layers, stages, work, load, layers_of);
    free(load);
    return 0;
}

/* Reads "3,2,2,1", storing at most stages numbers. Returns how many there are, or -1.
 * *sum is of all of them. */
static int read_list(struct pp_scanner *scanner, int layers, int stages, int *layers_of,
                     long *sum)
{
    int count = 0;
    *sum = 0;
    do {
        long number;
        if (pp_scan_whole(scanner, "number of layers", 1, layers, &number) != 0)
            return -1;
        if (count < stages)
            layers_of[count] = (int)number;
        *sum += number;
        count++;
    } while (pp_scan_sign(scanner, ","));
    return pp_scan_end(scanner) == 0 ? count : -1;
}

/* An even split as text, its tail left out where it is long. */
static void write_example(int layers, int stages, char *text, size_t size)
{
    const size_t longest = 20; /* of a number, or of ",..." */
    text[0] = '\0';
    for (int s = 0; s < stages; s++) {
        int number = layers / stages + (s < layers % stages);
        if (strlen(text) + longest > size) {
            pp_append(text, size, ",...");
            return;
        }
        pp_append(text, size, "%s%d", s > 0 ? "," : "", number);
    }
}

static int split_as_listed(const struct pp_model_config *config, const char *split,
                           int stages, int *layers_of, struct pp_error *error)
{
    char example[64];
    write_example(config->layers, stages, example, sizeof example);
    struct pp_scanner scanner = PP_SCANNER("layer-split", split, error);
    if (!isdigit((unsigned char)split[0]))
        return pp_scan_fail(&scanner, split,
                            "want 'even', 'auto', or the layers of each stage, such as "
                            "%s",
                            example);
    long sum;
    int count = read_list(&scanner, config->layers, stages, layers_of, &sum);
    if (count < 0)
        return -1;
    if (count != stages)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--layer-split' %s names %d stage%s, but the schedule has %d: "
                       "give %d numbers that sum to %d, such as %s",
                       split, count, count == 1 ? "" : "s", stages, stages,
                       config->layers, example);
    if (sum != config->layers)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--layer-split' %s sums to %ld, but the model has %d layers: "
                       "give numbers that sum to %d, such as %s",
                       split, sum, config->layers, config->layers, example);
    return 0;
}

long pp_partition_listed(const char *split, int stages)
{
    struct pp_error error = {0};
    struct pp_scanner scanner = PP_SCANNER("layer-split", split, &error);
    long sum;
    if (!split || read_list(&scanner, INT_MAX, 0, NULL, &sum) != stages)
        return 0;
    return sum;
}

int pp_partition(const struct pp_model_config *config, const char *split, int stages,
                 const struct pp_stage_work *work, int *layers_of,
                 struct pp_error *error)
{
    assert(stages >= 1);
    if (stages > config->layers)
        return pp_fail(
            error, PP_BAD_INPUT,
            "%d layers cannot fill %d stages: give '--layers' %d or more, or "
            "'--ranks' times '--chunks' of at most %d",
            config->layers, stages, stages, config->layers);
    if (split == NULL || strcmp(split, "even") == 0) {
        split_evenly(config->layers, stages, layers_of);
        return 0;
    }
    if (strcmp(split, "auto") == 0)
        return split_by_work(config->layers, stages, work, layers_of, error);
    return split_as_listed(config, split, stages, layers_of, error);
}
