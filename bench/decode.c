/* How fast decoding reads its weights: steps of one decoder that holds the whole model,
 * on one thread, with a token of each of 1, 2, 4, 8 and 16 sequences, in turn with
 * plain reading of an array as large as the weights. A step of few rows can be no
 * faster than its weights are read; bytes are those of the tensors that it multiplies.
 * Random weights of GPT-2's own shape, unless options say otherwise; every sequence has
 * --context positions behind it.
 *
 *     bench/decode [--layers 12] [--d-model 768] [--heads 12] [--vocab 50257]
 *                  [--context 64] [--prefill 128] [--repetitions 15] */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/pages.h"
#include "base/random.h"
#include "generate/reading.h"
#include "generate/sampler.h"
#include "model/decoder.h"
#include "model/fused.h"

enum { BATCHES = 5 };
static const int batches[BATCHES] = {1, 2, 4, 8, 16};

/* CPU time, so that other load on the machine counts for little; one thread computes.
 */
static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct plain {
    float *data;
    size_t count;
};

static double seconds_of_reading(const struct plain *plain)
{
    double start = seconds();
    pp_read_plainly(plain->data, plain->count);
    return seconds() - start;
}

/* Everything that steps need. */
struct bed {
    struct pp_model_config config;
    struct pp_decoder decoder;
    struct pp_cache cache;
    struct pp_sampler sampler;
    struct plain plain;
    struct pp_piece pieces[16];
    int32_t tokens[4096];
    int rows[16];
    int context, prefill;
    float *x, *logits;
};

static int fill(struct bed *bed, struct pp_error *error)
{
    for (int i = 0; i < pp_model_tensor_count(&bed->config); i++) {
        size_t count = pp_model_tensor(&bed->config, i).count;
        float *tensor = malloc(count * sizeof *tensor);
        if (!tensor)
            return pp_fail(error, PP_ENVIRONMENT, "out of memory");
        pp_model_init_tensor(&bed->config, i, 1, tensor);
        pp_decoder_set(&bed->decoder, i, tensor);
        free(tensor);
        if (i != 1) /* of the positions only a row is read */
            bed->plain.count += count;
    }
    return 0;
}

static int bed_init(struct bed *bed, struct pp_error *error)
{
    const struct pp_model_config *config = &bed->config;
    int most = bed->prefill > 16 ? bed->prefill : 16;
    int blocks = 16 * pp_cache_blocks_of(config->seq_len);
    if (pp_model_check(config, error) != 0 ||
        pp_decoder_init(&bed->decoder, config, 0, config->layers, true, true, most,
                        error) != 0 ||
        pp_cache_init(&bed->cache, config, config->layers, 16, blocks, error) != 0 ||
        pp_sampler_init(&bed->sampler, config->vocab, error) != 0 ||
        fill(bed, error) != 0)
        return -1;
    bed->x = calloc((size_t)most * (size_t)config->d_model, sizeof *bed->x);
    bed->logits = calloc(16 * (size_t)config->vocab, sizeof *bed->logits);
    bed->plain.data = aligned_alloc(
        PP_ALIGN, bed->plain.count * sizeof(float) / PP_ALIGN * PP_ALIGN + PP_ALIGN);
    if (!bed->x || !bed->logits || !bed->plain.data)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory");
    pp_large_pages(bed->plain.data, bed->plain.count * sizeof(float));
    for (size_t i = 0; i < bed->plain.count; i++)
        bed->plain.data[i] = 1;
    for (int i = 0; i < 4096; i++)
        bed->tokens[i] =
            (int32_t)pp_below(pp_random(1, 2, (uint64_t)i), (uint64_t)config->vocab);
    for (int s = 0; s < 16; s++) {
        bed->rows[s] = s;
        bed->pieces[s] = (struct pp_piece){s, bed->context, 1};
        if (pp_cache_reserve(&bed->cache, s, config->seq_len) != 0)
            return pp_fail(error, PP_ENVIRONMENT, "out of blocks");
    }
    return 0;
}

static void bed_release(struct bed *bed)
{
    free(bed->plain.data);
    free(bed->logits);
    free(bed->x);
    pp_sampler_release(&bed->sampler);
    pp_cache_release(&bed->cache);
    pp_decoder_release(&bed->decoder);
}

static double seconds_of_step(struct bed *bed, int batch)
{
    double start = seconds();
    pp_decoder_forward(&bed->decoder, &bed->cache, bed->pieces, batch, bed->tokens,
                       bed->x);
    pp_decoder_logits(&bed->decoder, bed->x, bed->rows, batch, bed->logits);
    for (int s = 0; s < batch; s++)
        bed->tokens[s] =
            pp_sample(&bed->sampler, &(struct pp_sampling){.greedy = true}, s, 0,
                      bed->logits + (size_t)s * (size_t)bed->config.vocab);
    return seconds() - start;
}

static double seconds_of_prefill(struct bed *bed)
{
    double start = seconds();
    pp_decoder_forward(&bed->decoder, &bed->cache,
                       &(struct pp_piece){0, 0, bed->prefill}, 1, bed->tokens, bed->x);
    return seconds() - start;
}

/* Multiply-adds of the layers' products. */
static double prefill_flops(const struct bed *bed)
{
    double C = bed->config.d_model;
    return 2.0 * 12 * C * C * bed->config.layers * bed->prefill;
}

static int measure(struct bed *bed, int repetitions)
{
    double *times[BATCHES + 2], *ratios = NULL;
    double bytes = (double)bed->plain.count * sizeof(float);
    size_t room = (size_t)repetitions * sizeof(double);
    double *all = malloc((BATCHES + 3) * room);
    if (!all)
        return -1;
    for (int i = 0; i < BATCHES + 2; i++)
        times[i] = all + i * repetitions;
    ratios = all + (BATCHES + 2) * repetitions;
    for (int r = -1; r < repetitions; r++)
        for (int i = 0; i < BATCHES + 2; i++) {
            double time = i < BATCHES    ? seconds_of_step(bed, batches[i])
                          : i == BATCHES ? seconds_of_reading(&bed->plain)
                                         : seconds_of_prefill(bed);
            if (r >= 0) /* the first only warms up */
                times[i][r] = time;
        }
    printf("%d layers of %d, vocabulary %d, %.1f MB of weights, %d lanes; context %d\n",
           bed->config.layers, bed->config.d_model, bed->config.vocab, 1e-6 * bytes,
           PP_LANES, bed->context);
    printf("%-10s %9s %10s %8s   %s\n", "", "ms", "tokens/s", "GB/s",
           "of reading: median, least, most");
    for (int i = 0; i < BATCHES; i++) {
        for (int r = 0; r < repetitions; r++)
            ratios[r] = times[BATCHES][r] / times[i][r];
        qsort(ratios, (size_t)repetitions, sizeof *ratios, ascending);
        qsort(times[i], (size_t)repetitions, sizeof *times[i], ascending);
        double median = times[i][repetitions / 2];
        printf("batch %-4d %9.3f %10.1f %8.2f   %.2f  %.2f  %.2f\n", batches[i],
               1e3 * median, batches[i] / median, 1e-9 * bytes / median,
               ratios[repetitions / 2], ratios[0], ratios[repetitions - 1]);
    }
    for (int i = BATCHES; i < BATCHES + 2; i++)
        qsort(times[i], (size_t)repetitions, sizeof *times[i], ascending);
    double reading = times[BATCHES][repetitions / 2];
    double prefill = times[BATCHES + 1][repetitions / 2];
    printf("reading    %9.3f %10s %8.2f\n", 1e3 * reading, "", 1e-9 * bytes / reading);
    printf("prefill of %d rows %.3f ms, %.0f tokens/s, %.1f GFLOP/s of products\n",
           bed->prefill, 1e3 * prefill, bed->prefill / prefill,
           1e-9 * prefill_flops(bed) / prefill);
    free(all);
    return 0;
}

int main(int argc, char **argv)
{
    static struct bed bed = {.config = {.microbatch_size = 1}};
    int layers = 12, d_model = 768, heads = 12, vocab = 50257, context = 64;
    int prefill = 128, repetitions = 15;
    const struct {
        const char *name;
        int *value, most;
    } sizes[] = {{"layers", &layers, 1 << 20},
                 {"d-model", &d_model, 1 << 20},
                 {"heads", &heads, 1 << 20},
                 {"vocab", &vocab, 1 << 30},
                 {"context", &context, 4000},
                 {"prefill", &prefill, 4000},
                 {"repetitions", &repetitions, 1 << 20}};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    struct option options[SIZES + 1] = {0};
    for (int i = 0; i < SIZES; i++)
        options[i] = (struct option){sizes[i].name, required_argument, NULL, i};
    for (int i; (i = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (i == '?')
            return PP_BAD_INPUT;
        *sizes[i].value = atoi(optarg);
    }
    for (int i = 0; i < SIZES; i++)
        if (*sizes[i].value < 1 || *sizes[i].value > sizes[i].most) {
            fprintf(stderr, "decode: '--%s' is from 1 to %d\n", sizes[i].name,
                    sizes[i].most);
            return PP_BAD_INPUT;
        }

    struct pp_error error = {0};
    int status = PP_DONE;
    bed.context = context;
    bed.prefill = prefill;
    bed.config.layers = layers;
    bed.config.d_model = d_model;
    bed.config.heads = heads;
    bed.config.vocab = vocab;
    bed.config.seq_len = (context > prefill ? context : prefill) + 1;
    if (bed_init(&bed, &error) != 0) {
        fprintf(stderr, "decode: %s\n", error.text);
        status = (int)error.status;
    } else if (measure(&bed, repetitions) != 0) {
        fprintf(stderr, "decode: out of memory\n");
        status = PP_ENVIRONMENT;
    }
    bed_release(&bed);
    return status;
}
