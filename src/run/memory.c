#include "run/memory.h"

#include <math.h>
#include <stdlib.h>

#include "model/stage.h"
#include "run/buffers.h"
#include "run/rank.h"
#include "run/reference.h"

/* --- a stage ---------------------------------------------------------------------- */

static double bytes_of(size_t reals)
{
    return (double)reals * (double)sizeof(real);
}

struct pp_hold pp_stage_hold(const struct pp_stage *stage)
{
    double activations = bytes_of(pp_stage_activation_count(stage));
    double output_grad = stage->head ? 0 : pp_wire_bytes(&stage->config);
    double both = activations + bytes_of(pp_stage_transient_count(stage));
    double weight =
        activations + bytes_of(pp_stage_gradient_count(stage)) + output_grad;
    if (stage->config.recompute == PP_RECOMPUTE_NONE)
        return (struct pp_hold){.forward = both, .weight = weight};
    return (struct pp_hold){
        .forward = bytes_of(pp_stage_input_count(stage)),
        .weight = weight,
        .again = {[PP_I] = both,
                  [PP_B] = stage->config.recompute == PP_RECOMPUTE_BLOCK
                               ? bytes_of(pp_block_reals(stage))
                               : both},
    };
}

/* The stages as the run lays them out, [stages], without their memory; the caller frees
 * them. NULL when out of memory. */
static struct pp_stage *shapes_of(const struct pp_run_config *config)
{
    int stages = config->schedule->stages, first_layer = 0;
    struct pp_stage *shapes = calloc((size_t)stages, sizeof *shapes);
    for (int s = 0; shapes && s < stages; s++) {
        shapes[s] = pp_stage_shape(&config->model, first_layer, config->layers_of[s],
                                   s == 0, s == stages - 1);
        first_layer += config->layers_of[s];
    }
    return shapes;
}

/* --- a rank ----------------------------------------------------------------------- */

static void add_stage(struct pp_rank_memory *memory, const struct pp_run_config *config,
                      const struct pp_stage *stage, int chunk,
                      const struct pp_buffer_counts *counts)
{
    double parameters = bytes_of(stage->real_count);
    memory->parameters += parameters;
    memory->gradients += parameters;
    memory->optimizer += config->optimizer.kind == PP_ADAMW ? 2 * parameters : 0;
    memory->activations +=
        counts->transients[chunk] * bytes_of(pp_stage_transient_count(stage)) +
        counts->activations[chunk] * bytes_of(pp_stage_activation_count(stage)) +
        counts->inputs[chunk] * bytes_of(pp_stage_input_count(stage));
    memory->buffers +=
        counts->gradients[chunk] * bytes_of(pp_stage_gradient_count(stage));
    memory->steps += (double)config->schedule->microbatches * sizeof(struct pp_slot);
}

/* Does the rank hold the stage, of any copy? */
static bool holds(const struct pp_schedule *schedule, int rank, int stage)
{
    bool found = false;
    for (int c = 0; c < schedule->copies; c++)
        found |= schedule->rank_of[pp_place(schedule, c, stage)] == rank;
    return found;
}

/* The gradients of other ranks' weight copies, until they are summed. */
static void add_reductions(struct pp_rank_memory *memory,
                           const struct pp_schedule *schedule,
                           const struct pp_stage *shapes, int rank)
{
    for (int s = 0; s < schedule->stages; s++) {
        int own = 0;
        for (int c = 0; c < schedule->copies; c++)
            own += schedule->rank_of[pp_place(schedule, c, s)] == rank;
        if (own > 0)
            memory->buffers +=
                (schedule->copies - own) * bytes_of(shapes[s].real_count);
    }
}

/* What the rank has once: messages, scratch, and the other part of a tied wte. */
static void add_shared(struct pp_rank_memory *memory,
                       const struct pp_run_config *config, int rank, double scratch,
                       int wires)
{
    const struct pp_schedule *schedule = config->schedule;
    bool first = holds(schedule, rank, 0);
    bool last = holds(schedule, rank, schedule->stages - 1);
    memory->buffers += scratch + wires * pp_wire_bytes(&config->model);
    if (!config->model.untied && first != last)
        memory->buffers +=
            (double)config->model.vocab * config->model.d_model * (double)sizeof(real);
}

/* The step's data and what is held out, and the times of its ops: of every measured
 * step, on rank 0 those of all ranks, too. */
static void add_steps(struct pp_rank_memory *memory, const struct pp_run_config *config,
                      int rank)
{
    const struct pp_schedule *schedule = config->schedule;
    double microbatches = schedule->microbatches +
                          (config->eval_every > 0 ? config->eval_microbatches : 0);
    double tokens = microbatches * config->model.microbatch_size *
                    config->model.seq_len * sizeof(int32_t);
    double measured = config->steps - config->warmup_steps;
    double ops = (double)(schedule->first[rank + 1] - schedule->first[rank]);
    memory->steps += holds(schedule, rank, 0) * tokens;
    memory->steps += holds(schedule, rank, schedule->stages - 1) * tokens;
    memory->steps += (measured + 1) * ops * sizeof(struct pp_span);
    if (rank == 0)
        memory->steps +=
            measured * (double)pp_schedule_ops(schedule) * sizeof(struct pp_span);
}

static int measure_rank(struct pp_rank_memory *memory,
                        const struct pp_run_config *config,
                        const struct pp_stage *shapes, const struct pp_hold *hold,
                        int rank, struct pp_error *error)
{
    const struct pp_schedule *schedule = config->schedule;
    struct pp_buffer_counts counts;
    double scratch = 0, block = 0;
    if (pp_buffer_counts_init(&counts, schedule, config->model.recompute, rank,
                              error) != 0)
        return -1;
    for (int c = 0; c < pp_schedule_held(schedule, rank); c++) {
        const struct pp_stage *stage =
            &shapes[pp_schedule_chunk(schedule, rank, c) % schedule->stages];
        add_stage(memory, config, stage, c, &counts);
        scratch = fmax(scratch, bytes_of(pp_stage_scratch_count(stage)));
        if (config->model.recompute != PP_RECOMPUTE_NONE)
            block = fmax(block, bytes_of(pp_block_reals(stage)));
    }
    add_shared(memory, config, rank, scratch + block, counts.wires);
    add_reductions(memory, schedule, shapes, rank);
    add_steps(memory, config, rank);
    pp_buffer_counts_release(&counts);
    return pp_peak_memory(schedule, rank, hold, &memory->peak_activations, error);
}

double pp_rank_memory_total(const struct pp_rank_memory *memory)
{
    return memory->parameters + memory->gradients + memory->optimizer +
           memory->activations + memory->buffers + memory->steps + memory->again;
}

/* --- all ranks -------------------------------------------------------------------- */

static double largest_tensor(const struct pp_model_config *model)
{
    double largest = 0;
    for (int i = 0; i < 2 + PP_LAYER_TENSORS; i++) /* no other is larger */
        largest = fmax(largest, bytes_of(pp_model_tensor(model, i).count));
    return largest;
}

/* The whole model once more, on rank 0. */
static int measure_sequential(double *bytes, const struct pp_run_config *config,
                              struct pp_error *error)
{
    struct pp_schedule schedule = {0};
    struct pp_run_memory memory = {0};
    struct pp_run_config sequential = *config;
    sequential.schedule = &schedule;
    sequential.layers_of = &config->model.layers;
    sequential.warmup_steps = sequential.steps; /* no times are kept */
    sequential.verify = false;
    sequential.model.recompute = PP_RECOMPUTE_NONE;
    sequential.save = sequential.save_grads = NULL;
    int status = pp_reference_schedule(&schedule, config->schedule, error);
    if (status == 0)
        status = pp_run_memory_init(&memory, &sequential, error);
    if (status == 0)
        *bytes += pp_rank_memory_total(&memory.ranks[0]);
    pp_run_memory_release(&memory);
    pp_schedule_release(&schedule);
    return status;
}

int pp_run_memory_init(struct pp_run_memory *memory, const struct pp_run_config *config,
                       struct pp_error *error)
{
    const struct pp_schedule *schedule = config->schedule;
    struct pp_stage *shapes = shapes_of(config);
    struct pp_hold *hold = calloc((size_t)schedule->stages, sizeof *hold);
    int status = 0;
    memory->ranks = calloc((size_t)schedule->ranks, sizeof *memory->ranks);
    if (!shapes || !hold || !memory->ranks)
        status = pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages",
                         schedule->stages);
    for (int s = 0; s < schedule->stages && status == 0; s++)
        hold[s] = pp_stage_hold(&shapes[s]);
    for (int r = 0; r < schedule->ranks && status == 0; r++)
        status = measure_rank(&memory->ranks[r], config, shapes, hold, r, error);
    bool gathers = config->verify || config->save || config->save_grads;
    if (status == 0 && gathers)
        memory->ranks[0].again += largest_tensor(&config->model);
    if (status == 0 && config->verify)
        status = measure_sequential(&memory->ranks[0].again, config, error);
    free(shapes);
    free(hold);
    return status;
}

void pp_run_memory_release(struct pp_run_memory *memory)
{
    free(memory->ranks);
    *memory = (struct pp_run_memory){0};
}
