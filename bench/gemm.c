/* How much of a training step its matrix products are: runs real steps of one stage on
 * one rank, records every call of pp_gemm (the linker wraps it), and times these
 * calls alone, in the same order on the same arrays, in turn with the steps. The first
 * line names the kernels: by hand, unset OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/blas.h"
#include "model/corpus.h"
#include "model/optimizer.h"
#include "model/stage.h"

/* One call of pp_gemm. */
struct call {
    int m, n, k;
    real alpha;
    struct pp_matrix a, b;
    real beta, *c;
    int c_stride;
};

/* The calls of one step. Static because a wrapped function has no other way to know. */
static struct {
    struct call *calls;
    size_t count, room;
    bool recording;
} tape;

void __real_pp_gemm(int m, int n, int k, real alpha, struct pp_matrix a,
                    struct pp_matrix b, real beta, real *c, int c_stride);
void __wrap_pp_gemm(int m, int n, int k, real alpha, struct pp_matrix a,
                    struct pp_matrix b, real beta, real *c, int c_stride);

static void play(const struct call *call)
{
    __real_pp_gemm(call->m, call->n, call->k, call->alpha, call->a, call->b, call->beta,
                   call->c, call->c_stride);
}

void __wrap_pp_gemm(int m, int n, int k, real alpha, struct pp_matrix a,
                    struct pp_matrix b, real beta, real *c, int c_stride)
{
    struct call call = {m, n, k, alpha, a, b, beta, c, c_stride};
    if (tape.recording) {
        if (tape.count == tape.room) {
            tape.room = tape.room ? 2 * tape.room : 1024;
            tape.calls = realloc(tape.calls, tape.room * sizeof *tape.calls);
            if (!tape.calls)
                abort();
        }
        tape.calls[tape.count++] = call;
    }
    play(&call);
}

/* All that a sequential run needs. */
struct training {
    struct pp_model_config config;
    int microbatches;
    struct pp_stage stage;
    struct pp_pass pass;
    struct pp_corpus corpus;
    int32_t *tokens, *targets; /* (m, B, T) */
    float *first, *second;
    struct pp_optimizer optimizer;
    int steps; /* taken so far */
};

static float *reals(size_t count)
{
    size_t bytes = (count * sizeof(float) + PP_ALIGN - 1) / PP_ALIGN * PP_ALIGN;
    float *array = aligned_alloc(PP_ALIGN, bytes);
    if (array)
        memset(array, 0, bytes);
    return array;
}

static int training_init(struct training *run, struct pp_error *error)
{
    const struct pp_model_config *config = &run->config;
    size_t tokens = (size_t)config->microbatch_size * (size_t)config->seq_len;
    size_t bytes = (size_t)run->microbatches * tokens * sizeof(int32_t);
    if (pp_model_check(config, error) != 0 ||
        pp_corpus_init(&run->corpus, NULL, 1, config->vocab, config->seq_len, error) !=
            0 ||
        pp_stage_init(&run->stage, config, 0, config->layers, true, true, error) != 0)
        return -1;
    struct pp_stage *stage = &run->stage;
    for (int i = 0; i < stage->parameter_count; i++)
        pp_model_init_tensor(config, stage->parameters[i].index, 1,
                             stage->parameters[i].value);
    stage->scratch = reals(pp_stage_scratch_count(stage));
    run->pass.kept.transients = reals(pp_stage_transient_count(stage));
    run->pass.kept.activations = reals(pp_stage_activation_count(stage));
    run->pass.gradients = reals(pp_stage_gradient_count(stage));
    run->first = reals(stage->real_count);
    run->second = reals(stage->real_count);
    run->tokens = malloc(bytes);
    run->targets = malloc(bytes);
    if (!stage->scratch || !run->pass.kept.transients || !run->pass.kept.activations ||
        !run->pass.gradients || !run->first || !run->second || !run->tokens ||
        !run->targets)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory");
    run->pass.loss_scale = 1 / ((float)run->microbatches * (float)tokens);
    run->optimizer = (struct pp_optimizer){.kind = PP_ADAMW,
                                           .lr = {.most = 1e-3},
                                           .beta1 = 0.9,
                                           .beta2 = 0.999,
                                           .epsilon = 1e-8,
                                           .weight_decay = 0.01};
    return 0;
}

static void training_release(struct training *run)
{
    free(run->targets);
    free(run->tokens);
    free(run->second);
    free(run->first);
    free(run->pass.gradients);
    free(run->pass.kept.transients);
    free(run->pass.kept.activations);
    free(run->stage.scratch);
    pp_stage_release(&run->stage);
    pp_corpus_release(&run->corpus);
}

/* One whole step, from the data to the new parameters. Returns the mean loss. */
static double step(struct training *run)
{
    struct pp_stage *stage = &run->stage;
    int samples = run->microbatches * run->config.microbatch_size;
    size_t T = (size_t)run->config.seq_len;
    size_t per_microbatch = (size_t)run->config.microbatch_size * T;
    double loss = 0, squares = 0;
    for (int i = 0; i < samples; i++)
        pp_corpus_sample(&run->corpus, run->steps, i, run->tokens + (size_t)i * T,
                         run->targets + (size_t)i * T, &(struct pp_error){0});
    memset(stage->grads, 0, stage->real_count * sizeof(float));
    for (int i = 0; i < run->microbatches; i++) {
        double sum;
        run->pass.tokens = run->tokens + (size_t)i * per_microbatch;
        run->pass.targets = run->targets + (size_t)i * per_microbatch;
        pp_stage_forward(stage, &run->pass, NULL, &sum);
        pp_stage_backward_input(stage, &run->pass, NULL);
        pp_stage_backward_weight(stage, &run->pass);
        loss += sum * (double)run->pass.loss_scale;
    }
    for (int i = 0; i < stage->parameter_count; i++)
        squares +=
            pp_sum_of_squares(stage->parameters[i].count, stage->parameters[i].grad);
    pp_optimizer_step(&run->optimizer, ++run->steps,
                      squares > 1 ? (float)(1 / sqrt(squares)) : 1, stage->real_count,
                      stage->values, stage->grads, run->first, run->second);
    return loss;
}

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

static void print(const char *what, double *values, int count, const char *unit)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    printf("%-24s median %8.3f %s   min %8.3f   max %8.3f\n", what, values[count / 2],
           unit, values[0], values[count - 1]);
}

static int measure(struct training *run, int repetitions)
{
    double *whole = malloc((size_t)repetitions * sizeof *whole);
    double *alone = malloc((size_t)repetitions * sizeof *alone);
    double *ratio = malloc((size_t)repetitions * sizeof *ratio);
    int result = -1;
    if (!whole || !alone || !ratio)
        goto done;
    step(run);
    tape.recording = true;
    double loss = step(run);
    tape.recording = false;

    double flops = 0;
    for (size_t i = 0; i < tape.count; i++)
        flops += 2.0 * tape.calls[i].m * tape.calls[i].n * tape.calls[i].k;
    for (int i = 0; i < repetitions; i++) {
        double start = seconds();
        loss = step(run);
        double middle = seconds();
        for (size_t j = 0; j < tape.count; j++)
            play(&tape.calls[j]);
        double end = seconds();
        whole[i] = 1e3 * (middle - start);
        alone[i] = 1e3 * (end - middle);
        ratio[i] = whole[i] / alone[i];
    }
    char blas[64];
    printf("%s; %d microbatches a step; loss %.4f\n",
           pp_blas_description(blas, sizeof blas), run->microbatches, loss);
    print("whole step", whole, repetitions, "ms");
    print("its matrix products", alone, repetitions, "ms");
    print("step / products", ratio, repetitions, "  ");
    printf("%zu calls of pp_gemm, %.1f GFLOP/s alone, %.1f GFLOP/s in the step\n",
           tape.count, 1e-6 * flops / alone[repetitions / 2],
           1e-6 * flops / whole[repetitions / 2]);
    result = 0;
done:
    free(ratio);
    free(alone);
    free(whole);
    return result;
}

int main(int argc, char **argv)
{
    int layers = 8, d_model = 256, heads = 4, seq_len = 64, microbatch_size = 4;
    int vocab = 256, microbatches = 8, repetitions = 9;
    const struct {
        const char *name;
        int *value;
    } sizes[] = {{"layers", &layers},
                 {"d-model", &d_model},
                 {"heads", &heads},
                 {"seq-len", &seq_len},
                 {"microbatch-size", &microbatch_size},
                 {"vocab", &vocab},
                 {"microbatches", &microbatches},
                 {"repetitions", &repetitions}};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    struct option options[SIZES + 1] = {0};
    for (int i = 0; i < SIZES; i++)
        options[i] = (struct option){sizes[i].name, required_argument, NULL, i};
    for (int i; (i = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (i == '?')
            return PP_BAD_INPUT;
        *sizes[i].value = atoi(optarg);
    }
    if (microbatches < 1 || repetitions < 1) {
        fprintf(stderr, "gemm: '--microbatches' and '--repetitions' are at least 1\n");
        return PP_BAD_INPUT;
    }

    struct pp_error error = {0};
    struct training run = {
        .config = {layers, d_model, heads, seq_len, microbatch_size, vocab, true},
        .microbatches = microbatches};
    struct pp_error blas_error;
    if (pp_blas_init(1, &blas_error) != 0)
        return fprintf(stderr, "gemm: %s\n", blas_error.text), 1;
    int status = PP_DONE;
    if (training_init(&run, &error) != 0) {
        fprintf(stderr, "gemm: %s\n", error.text);
        status = (int)error.status;
    } else if (measure(&run, repetitions) != 0) {
        fprintf(stderr, "gemm: out of memory\n");
        status = PP_ENVIRONMENT;
    }
    training_release(&run);
    free(tape.calls);
    return status;
}
