#include "run/save.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/weights.h"

/* The tensors behind the model's own in a file of gradients. */
enum { TOKENS, TARGETS, DATA_TENSORS };

static void declare_parameter(struct pp_st_tensor *tensor,
                              const struct pp_model_config *model, int index)
{
    struct pp_tensor_spec spec = pp_model_tensor(model, index);
    *tensor = (struct pp_st_tensor){
        .dtype = PP_F32,
        .rank = spec.rank,
        .shape = {spec.shape[0], spec.shape[1], 1, 1},
    };
    snprintf(tensor->name, sizeof tensor->name, "%s", spec.name);
}

static void declare_data(struct pp_st_tensor *tensor, const struct pp_trainer *trainer,
                         int which)
{
    const struct pp_model_config *model = &trainer->config->model;
    *tensor = (struct pp_st_tensor){
        .dtype = PP_I32,
        .rank = 3,
        .shape = {trainer->schedule->microbatches, model->microbatch_size,
                  model->seq_len, 1},
    };
    snprintf(tensor->name, sizeof tensor->name, "%s",
             which == TOKENS ? "tokens" : "targets");
}

/* Creates the file with its header, which names all tensors before their data. NULL on
 * error. */
static struct pp_st_writer *create(const struct pp_trainer *trainer, const char *path,
                                   int data_tensors, struct pp_error *error)
{
    int parameters = trainer->tensors.count, count = parameters + data_tensors;
    struct pp_st_tensor *list = calloc((size_t)count, sizeof *list);
    if (!list) {
        pp_fail(error, PP_ENVIRONMENT, "out of memory for the names of %d tensors",
                count);
        return NULL;
    }
    for (int i = 0; i < parameters; i++)
        declare_parameter(&list[i], &trainer->config->model, i);
    for (int i = 0; i < data_tensors; i++)
        declare_data(&list[parameters + i], trainer, i);
    char heads[16];
    const struct pp_st_note notes[] = {{PP_WEIGHTS_HEADS, heads}, {0}};
    snprintf(heads, sizeof heads, "%d", trainer->config->model.heads);
    struct pp_st_writer *writer = pp_st_create(path, list, count, notes, error);
    free(list);
    return writer;
}

struct target {
    struct pp_st_writer *writer;
    const struct pp_model_config *model;
};

static int append_tensor(void *data, int index, const real *values,
                         struct pp_error *error)
{
    const struct target *target = data;
    size_t bytes = pp_model_tensor(target->model, index).count * sizeof(real);
    return pp_st_append(target->writer, values, bytes, error);
}

/* The step's tokens or targets. Any rank can draw them again: they depend on the seed
 * and the step alone. */
static int append_data(const struct pp_trainer *trainer, struct pp_st_writer *writer,
                       int which, int step, struct pp_error *error)
{
    const struct pp_model_config *model = &trainer->config->model;
    size_t T = (size_t)model->seq_len;
    int64_t samples = (int64_t)trainer->schedule->microbatches * model->microbatch_size;
    int32_t *rows = calloc(2 * T, sizeof *rows); /* a sample's tokens, its targets */
    int status =
        rows ? 0
             : pp_fail(error, PP_ENVIRONMENT, "out of memory for a sample's tokens");
    for (int64_t i = 0; i < samples && status == 0; i++) {
        status = pp_corpus_sample(&trainer->corpus, step, i, rows, rows + T, error);
        if (status == 0)
            status = pp_st_append(writer, which == TOKENS ? rows : rows + T,
                                  T * sizeof *rows, error);
    }
    free(rows);
    return status;
}

static int save(const struct pp_trainer *trainer, const char *path, bool gradients,
                int step, struct pp_error *error)
{
    const struct pp_world *world = trainer->world;
    bool writes = world->rank == 0;
    int data_tensors = gradients ? DATA_TENSORS : 0;
    struct target target = {.model = &trainer->config->model};
    if (writes)
        target.writer = create(trainer, path, data_tensors, error);
    if (pp_agree(world, writes && !target.writer ? -1 : 0, error) != 0)
        return -1;
    int status =
        pp_tensors_gather(&trainer->tensors, gradients, append_tensor, &target, error);
    if (writes) {
        for (int i = 0; i < data_tensors && status == 0; i++)
            status = append_data(trainer, target.writer, i, step, error);
        if (status == 0)
            status = pp_st_finish(target.writer, error);
        else
            pp_st_abandon(target.writer);
    }
    return pp_agree(world, status, error);
}

int pp_save_parameters(const struct pp_trainer *trainer, const char *path,
                       struct pp_error *error)
{
    return save(trainer, path, false, 0, error);
}

int pp_save_gradients(const struct pp_trainer *trainer, const char *path, int step,
                      struct pp_error *error)
{
    return save(trainer, path, true, step, error);
}
