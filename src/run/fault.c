#include "run/fault.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PP_FAULT_TEXT = 256 };

/* The first fault of this rank. */
struct fault {
    const struct pp_trainer *trainer;
    double order; /* when: less is earlier; INFINITY: none */
    char text[PP_FAULT_TEXT];
};

/* The first of the numbers that is not finite; count where all are. */
static size_t first_wrong(const real *x, size_t count)
{
    size_t i = 0;
    while (i < count && isfinite(x[i]))
        i++;
    return i;
}

static bool all_finite(const real *x, size_t count)
{
    return !x || first_wrong(x, count) == count;
}

/* Of a number that is not finite. Which sign a NaN has depends on the CPU. */
static const char *name_of(double value)
{
    return isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

/* An array among an op's results, in the order in which they are computed. */
struct array {
    const char *name;
    const real *values;
    size_t count;
};

/* The first of the arrays that is wrong; returns whether one is. */
static bool name_wrong(const struct array *arrays, int count, int layer, char *what,
                       size_t size, double *value)
{
    for (int i = 0; i < count; i++) {
        size_t at = first_wrong(arrays[i].values, arrays[i].count);
        if (at == arrays[i].count)
            continue;
        *value = (double)arrays[i].values[at];
        if (layer >= 0)
            snprintf(what, size, "h.%d.%s", layer, arrays[i].name);
        else
            snprintf(what, size, "%s", arrays[i].name);
        return true;
    }
    return false;
}

#define COUNT(arrays) ((int)(sizeof(arrays) / sizeof *(arrays)))

static bool wrong_forward(const struct pp_look *look, char *what, size_t size,
                          double *value)
{
    const struct pp_stage *stage = look->stage;
    size_t N = (size_t)stage->config.microbatch_size * (size_t)stage->config.seq_len;
    size_t C = (size_t)stage->config.d_model;
    size_t T = (size_t)stage->config.seq_len, H = (size_t)stage->config.heads;
    for (int l = 0; l < stage->layers; l++) {
        struct pp_layer_activations a =
            pp_layer_activations(stage, look->pass->kept, l);
        const struct array arrays[] = {
            {"ln_1", a.norm_1, N * C},
            {"attn.c_attn", a.qkv, N * 3 * C},
            {"attn.softmax", a.weights, N * H * T},
            {"attn", a.mixed, N * C},
            {"ln_2", a.norm_2, N * C},
            {"mlp.gelu", a.gelu, N * 4 * C},
            {"mlp.gelu's slope", a.slope, N * 4 * C},
        };
        if (name_wrong(arrays, COUNT(arrays), stage->first_layer + l, what, size,
                       value))
            return true;
    }
    if (stage->head) {
        struct pp_head_activations a = pp_head_activations(stage, look->pass->kept);
        const struct array arrays[] = {
            {"ln_f", a.norm, N * C},
            {"the softmax of the logits", a.logits, N * (size_t)stage->config.vocab},
        };
        if (name_wrong(arrays, COUNT(arrays), -1, what, size, value))
            return true;
    }
    const struct array output = {"the stage's output", look->output, N * C};
    return look->output && name_wrong(&output, 1, -1, what, size, value);
}

static bool wrong_backward_input(const struct pp_look *look, char *what, size_t size,
                                 double *value)
{
    const struct pp_stage *stage = look->stage;
    size_t N = (size_t)stage->config.microbatch_size * (size_t)stage->config.seq_len;
    size_t C = (size_t)stage->config.d_model;
    real *gradients = look->pass->gradients;
    if (stage->head) {
        struct pp_head_activations a = pp_head_activations(stage, look->pass->kept);
        const struct array arrays[] = {
            {"the gradient by the logits", a.logits, N * (size_t)stage->config.vocab},
            {"the gradient by ln_f", pp_head_gradient(stage, gradients), N * C},
        };
        if (name_wrong(arrays, COUNT(arrays), -1, what, size, value))
            return true;
    }
    for (int l = stage->layers - 1; l >= 0; l--) {
        struct pp_layer_gradients g = pp_layer_gradients(stage, gradients, l);
        const struct array arrays[] = {
            {"mlp.c_fc's gradient", g.fc, N * 4 * C},
            {"ln_2's gradient", g.norm_2, N * C},
            {"attn's gradient", g.middle, N * C},
            {"attn.c_attn's gradient", g.qkv, N * 3 * C},
            {"ln_1's gradient", g.norm_1, N * C},
        };
        if (name_wrong(arrays, COUNT(arrays), stage->first_layer + l, what, size,
                       value))
            return true;
    }
    const struct array output = {"the gradient by the stage's input", look->output,
                                 N * C};
    return look->output && name_wrong(&output, 1, -1, what, size, value);
}

static bool wrong_backward_weight(const struct pp_look *look, char *what, size_t size,
                                  double *value)
{
    const struct pp_stage *stage = look->stage;
    for (int i = 0; i < stage->parameter_count; i++) {
        const struct pp_parameter *parameter = &stage->parameters[i];
        struct pp_tensor_spec spec = pp_model_tensor(&stage->config, parameter->index);
        const struct array grad = {spec.name, parameter->grad, parameter->count};
        if (!name_wrong(&grad, 1, -1, what, size, value))
            continue;
        snprintf(what, size, "%s's gradient", spec.name);
        return true;
    }
    return false;
}

/* Was all that the op read finite? Else the fault came from elsewhere. */
static bool came_in_order(const struct pp_look *look)
{
    const struct pp_stage *stage = look->stage;
    const struct pp_pass *pass = look->pass;
    size_t row = (size_t)stage->config.microbatch_size * (size_t)stage->config.seq_len *
                 (size_t)stage->config.d_model;
    if (look->kind == PP_F)
        return all_finite(pass->input, row);
    return all_finite(pass->output_grad, row) &&
           (look->kind == PP_I ||
            (all_finite(pass->kept.activations, pp_stage_activation_count(stage)) &&
             all_finite(pass->gradients, pp_stage_gradient_count(stage))));
}

/* The steps of a microbatch, in the order in which they depend on each other. */
static double order_of(const struct pp_schedule *schedule, const struct pp_look *look)
{
    double stages = schedule->stages, at = look->place;
    if (look->kind == PP_I)
        at = stages + (stages - 1 - look->place);
    else if (look->kind == PP_W)
        at = 2 * stages + (stages - 1 - look->place);
    return look->microbatch * 3 * stages + at;
}

static void look_at(void *data, const struct pp_look *look)
{
    struct fault *fault = data;
    const struct pp_trainer *trainer = fault->trainer;
    double order = order_of(trainer->schedule, look), value = 0;
    char what[96], op[PP_OP_TEXT];
    if (order >= fault->order || !came_in_order(look))
        return;
    bool wrong = look->kind == PP_F ? wrong_forward(look, what, sizeof what, &value)
                 : look->kind == PP_I
                     ? wrong_backward_input(look, what, sizeof what, &value)
                     : wrong_backward_weight(look, what, sizeof what, &value);
    if (!wrong)
        return;
    fault->order = order;
    pp_op_text((struct pp_op){.stage = (uint32_t)look->place,
                              .kind = (unsigned)look->kind,
                              .microbatch = (unsigned)look->microbatch},
               op);
    snprintf(fault->text, sizeof fault->text,
             "%s is %s in %s: rank %d, stage %d, microbatch %d", what, name_of(value),
             op, trainer->world->rank, look->place, look->microbatch);
}

/* A parameter that is wrong was so before any op. */
static void look_at_parameters(struct fault *fault)
{
    const struct pp_rank *rank = &fault->trainer->rank;
    for (int c = rank->chunk_count - 1; c >= 0; c--) {
        const struct pp_stage *stage = &rank->chunks[c].model;
        for (int i = stage->parameter_count - 1; i >= 0; i--) {
            const struct pp_parameter *parameter = &stage->parameters[i];
            size_t at = first_wrong(parameter->value, parameter->count);
            double order = parameter->index;
            if (at == parameter->count || order > fault->order)
                continue;
            struct pp_tensor_spec spec =
                pp_model_tensor(&stage->config, parameter->index);
            fault->order = order;
            snprintf(fault->text, sizeof fault->text,
                     "the parameter %s is %s at [%zu, %zu], before microbatch 0: rank "
                     "%d, stage %d",
                     spec.name, name_of((double)parameter->value[at]),
                     at / (size_t)spec.shape[1], at % (size_t)spec.shape[1],
                     fault->trainer->world->rank, rank->chunks[c].stage);
        }
    }
}

/* The step again, on the same data. What was kept for re-computation is kept whole. */
static void run_again(struct pp_trainer *trainer, struct fault *fault)
{
    struct pp_rank *rank = &trainer->rank;
    int me = trainer->world->rank;
    size_t ops = trainer->schedule->first[me + 1] - trainer->schedule->first[me];
    struct pp_span *spans = calloc(ops + 1, sizeof *spans);
    double missing = !spans;
    pp_max_doubles(trainer->world, &missing, 1);
    if (missing > 0) {
        free(spans);
        return;
    }
    rank->config.recompute = PP_RECOMPUTE_NONE;
    rank->look = look_at;
    rank->look_data = fault;
    for (int c = 0; c < rank->chunk_count; c++)
        memset(rank->chunks[c].model.grads, 0,
               rank->chunks[c].model.real_count * sizeof(real));
    pp_barrier(trainer->world);
    pp_rank_step(rank, spans, NULL);
    rank->look = NULL;
    free(spans);
}

/* Collective. The earliest fault of any rank; does one know any? */
static bool bring_together(const struct pp_world *world, struct fault *fault)
{
    double *orders = calloc((size_t)world->size, sizeof *orders);
    double missing = !orders;
    int first = 0;
    pp_max_doubles(world, &missing, 1);
    if (missing > 0) {
        free(orders);
        return false;
    }
    assert(orders); /* agreed on */
    for (int r = 0; r < world->size; r++)
        orders[r] = -INFINITY;
    orders[world->rank] = -fault->order;
    pp_max_doubles(world, orders, world->size);
    for (int r = 1; r < world->size; r++)
        first = orders[r] > orders[first] ? r : first;
    bool known = isfinite(orders[first]);
    if (known)
        pp_broadcast(world, fault->text, sizeof fault->text, first);
    free(orders);
    return known;
}

/* The first parameter at fault; "" where all are finite. */
static void find_parameter(struct pp_trainer *trainer, char text[PP_FAULT_TEXT])
{
    struct fault fault = {.trainer = trainer, .order = INFINITY};
    look_at_parameters(&fault);
    bool known = bring_together(trainer->world, &fault);
    snprintf(text, PP_FAULT_TEXT, "%s", known ? fault.text : "");
}

/* The first tensor at fault of a step that did not update the parameters. */
static void find(struct pp_trainer *trainer, char text[PP_FAULT_TEXT])
{
    struct fault fault = {.trainer = trainer, .order = INFINITY};
    find_parameter(trainer, text);
    if (text[0])
        return;
    run_again(trainer, &fault);
    bool known = bring_together(trainer->world, &fault);
    snprintf(text, PP_FAULT_TEXT, "%s", known ? fault.text : "");
}

/* --- what is said ----------------------------------------------------------------- */

/* The numbers of the first step may be wrong because of '--load'. */
static int refuse(const struct pp_trainer *trainer, int step, const char *what,
                  const char *fault, bool may_be_loaded, struct pp_error *error)
{
    const struct pp_run_config *config = trainer->config;
    char where[PP_FAULT_TEXT + 8] = "";
    if (fault[0])
        snprintf(where, sizeof where, " (%s)", fault);
    if (may_be_loaded && step == 1 && config->load)
        return pp_fail(error, PP_WRONG_NUMBERS,
                       "%s of step 1 is not finite%s: are the parameters in '%s'", what,
                       where, config->load);
    return pp_fail(error, PP_WRONG_NUMBERS,
                   "%s of step %d is not finite%s: try a smaller '--lr' than %g", what,
                   step, where, config->optimizer.lr.most);
}

int pp_refuse_numbers(const struct pp_trainer *trainer, int step, const char *what,
                      struct pp_error *error)
{
    return refuse(trainer, step, what, "", false, error);
}

int pp_refuse_step(struct pp_trainer *trainer, int step,
                   const struct pp_outcome *outcome, struct pp_error *error)
{
    char fault[PP_FAULT_TEXT] = "";
    if (!isfinite(outcome->norm)) /* else they have been updated */
        find(trainer, fault);
    return refuse(trainer, step, isfinite(outcome->loss) ? "a gradient" : "loss", fault,
                  true, error);
}

int pp_check_parameters(struct pp_trainer *trainer, int step, struct pp_error *error)
{
    char fault[PP_FAULT_TEXT];
    if (pp_tensors_finite(&trainer->tensors))
        return 0;
    find_parameter(trainer, fault);
    return refuse(trainer, step, "a parameter after the update", fault, false, error);
}
