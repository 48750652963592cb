#include "generate/sampler.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/random.h"

struct pp_candidate {
    double logit;
    int32_t token;
};

int pp_sampler_init(struct pp_sampler *sampler, int vocab, struct pp_error *error)
{
    *sampler = (struct pp_sampler){
        .vocab = vocab,
        .candidates = malloc((size_t)vocab * sizeof *sampler->candidates),
    };
    if (!sampler->candidates)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d logits", vocab);
    return 0;
}

void pp_sampler_release(struct pp_sampler *sampler)
{
    free(sampler->candidates);
    *sampler = (struct pp_sampler){0};
}

/* The largest logit's token, -1 where one is not finite. */
static int32_t largest(const float *logits, int vocab)
{
    /* In blocks, of which few hold a new best: the first two questions are vectors'. */
    enum { BLOCK = 64 };
    int32_t best = 0;
    for (int32_t start = 0; start < vocab; start += BLOCK) {
        int32_t end = vocab - start < BLOCK ? vocab : start + BLOCK;
        float most = logits[best];
        int finite = 1, larger = 0;
        for (int32_t v = start; v < end; v++) {
            finite &= isfinite(logits[v]) != 0;
            larger |= logits[v] > most;
        }
        if (!finite)
            return -1;
        for (int32_t v = start; larger && v < end; v++)
            if (logits[v] > logits[best])
                best = v;
    }
    return best;
}

/* Is a before b: the larger logit, of equal ones the lower token? */
static bool before(const struct pp_candidate *a, const struct pp_candidate *b)
{
    return a->logit != b->logit ? a->logit > b->logit : a->token < b->token;
}

/* Restores the order of a heap, its first the one before all others, below root. */
static void sink(struct pp_candidate *heap, int count, int root)
{
    struct pp_candidate moved = heap[root];
    for (int child = 2 * root + 1; child < count; child = 2 * root + 1) {
        if (child + 1 < count && before(&heap[child + 1], &heap[child]))
            child++;
        if (!before(&heap[child], &moved))
            break;
        heap[root] = heap[child];
        root = child;
    }
    heap[root] = moved;
}

/* Takes the first from the heap, whose count is then one less. */
static struct pp_candidate take(struct pp_candidate *heap, int *count)
{
    struct pp_candidate first = heap[0];
    heap[0] = heap[--*count];
    if (*count > 0)
        sink(heap, *count, 0);
    return first;
}

/* A candidate's probability as a multiple of the most likely one's. */
static double weight(const struct pp_candidate *candidate, double most,
                     double temperature)
{
    return exp((candidate->logit - most) / temperature);
}

/* What may be drawn: `count` candidates from `first` on, each next one `step` further,
 * whose weights add up to `total` in that order. */
struct kept {
    const struct pp_candidate *first;
    int count, step;
    double total;
};

/* The `most` largest, in order, the largest last in the array: each is taken from the
 * heap to where the heap has just ended. Ends early where they reach `enough`. */
static struct kept keep_largest(struct pp_candidate *heap, int vocab, int most,
                                double enough, double temperature)
{
    double largest_logit = heap[0].logit;
    struct kept kept = {.first = heap + vocab - 1, .step = -1};
    for (int left = vocab;
         kept.count < most && (kept.count == 0 || kept.total < enough); kept.count++) {
        struct pp_candidate next = take(heap, &left);
        heap[left] = next;
        kept.total += weight(&next, largest_logit, temperature);
    }
    return kept;
}

/* The first of what was kept, as many as reach `enough`. */
static void cut(struct kept *kept, double enough, double temperature)
{
    int count = 0;
    double sum = 0;
    for (; count < kept->count && (count == 0 || sum < enough); count++)
        sum += weight(kept->first + (ptrdiff_t)count * kept->step, kept->first->logit,
                      temperature);
    kept->count = count;
    kept->total = sum;
}

/* top-k first, top-p of the shares in what it has left, as others do it. */
static struct kept keep(struct pp_candidate *all, int vocab,
                        const struct pp_sampling *sampling, double most)
{
    double temperature = sampling->temperature, total = 0;
    bool by_k = sampling->top_k > 0 && sampling->top_k < vocab;
    bool by_p = sampling->top_p < 1;
    for (int v = 0; !by_k && v < vocab; v++)
        total += weight(&all[v], most, temperature);
    if (!by_k && !by_p)
        return (struct kept){all, vocab, 1, total};
    for (int root = vocab / 2 - 1; root >= 0; root--)
        sink(all, vocab, root);
    if (!by_k)
        return keep_largest(all, vocab, vocab, sampling->top_p * total, temperature);
    struct kept kept = keep_largest(all, vocab, sampling->top_k, INFINITY, temperature);
    if (by_p)
        cut(&kept, sampling->top_p * kept.total, temperature);
    return kept;
}

/* The token at which the kept weights, added up in order, pass that share of them. */
static int32_t draw(const struct kept *kept, double most, double temperature,
                    double share)
{
    const struct pp_candidate *at = kept->first;
    double sum = 0;
    for (int i = 0; i < kept->count; i++) {
        at = kept->first + (ptrdiff_t)i * kept->step;
        sum += weight(at, most, temperature);
        if (sum > share * kept->total)
            break;
    }
    return at->token;
}

int32_t pp_sample(struct pp_sampler *sampler, const struct pp_sampling *sampling,
                  int index, int position, const float *logits)
{
    int32_t best = largest(logits, sampler->vocab);
    if (best < 0 || sampling->greedy || sampling->temperature <= 0)
        return best;
    for (int32_t v = 0; v < sampler->vocab; v++)
        sampler->candidates[v] = (struct pp_candidate){(double)logits[v], v};
    double most = (double)logits[best];
    struct kept kept = keep(sampler->candidates, sampler->vocab, sampling, most);
    uint64_t bits = pp_random(sampling->seed, (uint64_t)index, (uint64_t)position);
    return draw(&kept, most, sampling->temperature, pp_uniform(bits));
}
