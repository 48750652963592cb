#include "run/save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/weights.h"
#include "run/save_folder.h"

/* The tensors behind the model's own in a file of gradients. */
enum { TOKENS, TARGETS, DATA_TENSORS };

/* A file of its own has the names of GPT-2's first one; a folder those that
 * GPT2LMHeadModel saves, or it would not find a head beside the others. */
static void declare_parameter(struct pp_st_tensor *tensor,
                              const struct pp_model_config *model, int index,
                              bool in_folder)
{
    struct pp_tensor_spec spec = pp_model_tensor(model, index);
    *tensor = (struct pp_st_tensor){
        .dtype = PP_F32,
        .rank = spec.rank,
        .shape = {spec.shape[0], spec.shape[1], 1, 1},
    };
    bool is_head = strcmp(spec.name, "lm_head.weight") == 0;
    snprintf(tensor->name, sizeof tensor->name, "%s%s",
             in_folder && !is_head ? "transformer." : "", spec.name);
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

/* What is written, and where. */
struct save {
    const struct pp_trainer *trainer;
    const char *path, *folder; /* one of them */
    int data_tensors;          /* behind the parameters, or their gradients: */
    int step;                  /* of this step */
    struct pp_st_writer *writer;
};

/* The file with its header, which names all tensors before their data. */
static int create(struct save *save, const char *path, struct pp_error *error)
{
    const struct pp_model_config *model = &save->trainer->config->model;
    int parameters = save->trainer->tensors.count;
    int count = parameters + save->data_tensors;
    struct pp_st_tensor *list = calloc((size_t)count, sizeof *list);
    if (!list)
        return pp_fail(error, PP_ENVIRONMENT,
                       "out of memory for the names of %d tensors", count);
    for (int i = 0; i < parameters; i++)
        declare_parameter(&list[i], model, i, save->folder != NULL);
    for (int i = 0; i < save->data_tensors; i++)
        declare_data(&list[parameters + i], save->trainer, i);
    char heads[16];
    const struct pp_st_note notes[] = {{PP_WEIGHTS_HEADS, heads}, {0}};
    snprintf(heads, sizeof heads, "%d", model->heads);
    save->writer = pp_st_create(path, list, count, notes, error);
    free(list);
    return save->writer ? 0 : -1;
}

static int begin(struct save *save, struct pp_error *error)
{
    if (!save->folder)
        return create(save, save->path, error);
    char *path = pp_save_folder_begin(save->folder, error);
    int status = path ? create(save, path, error) : -1;
    free(path);
    return status;
}

static int append_tensor(void *data, int index, const real *values,
                         struct pp_error *error)
{
    const struct save *save = data;
    size_t count = pp_model_tensor(&save->trainer->config->model, index).count;
    return pp_st_append(save->writer, values, count * sizeof(real), error);
}

/* The step's tokens or targets. Any rank can draw them again: they depend on the seed
 * and the step alone. */
static int append_data(const struct save *save, int which, struct pp_error *error)
{
    const struct pp_trainer *trainer = save->trainer;
    const struct pp_model_config *model = &trainer->config->model;
    size_t T = (size_t)model->seq_len;
    int64_t samples = (int64_t)trainer->schedule->microbatches * model->microbatch_size;
    int32_t *rows = calloc(2 * T, sizeof *rows); /* a sample's tokens, its targets */
    int status =
        rows ? 0
             : pp_fail(error, PP_ENVIRONMENT, "out of memory for a sample's tokens");
    for (int64_t i = 0; i < samples && status == 0; i++) {
        status =
            pp_corpus_sample(&trainer->corpus, save->step, i, rows, rows + T, error);
        if (status == 0)
            status = pp_st_append(save->writer, which == TOKENS ? rows : rows + T,
                                  T * sizeof *rows, error);
    }
    free(rows);
    return status;
}

/* status: how it went so far. */
static int finish(struct save *save, int status, struct pp_error *error)
{
    const struct pp_model_config *model = &save->trainer->config->model;
    for (int i = 0; i < save->data_tensors && status == 0; i++)
        status = append_data(save, i, error);
    if (status == 0 && save->folder)
        status = pp_st_sync(save->writer, error);
    if (status == 0 && save->folder)
        status = pp_save_folder_replace(save->folder, model, error);
    if (status == 0)
        status = pp_st_finish(save->writer, error);
    else
        pp_st_abandon(save->writer);
    if (status == 0 && save->folder)
        status = pp_save_folder_end(save->folder, model, error);
    return status;
}

static int write_all(struct save *save, struct pp_error *error)
{
    const struct pp_tensors *tensors = &save->trainer->tensors;
    const struct pp_world *world = save->trainer->world;
    bool writes = world->rank == 0;
    if (pp_agree(world, writes ? begin(save, error) : 0, error) != 0)
        return -1;
    int status =
        pp_tensors_gather(tensors, save->data_tensors > 0, append_tensor, save, error);
    return pp_agree(world, writes ? finish(save, status, error) : status, error);
}

int pp_save_parameters(const struct pp_trainer *trainer, const char *path,
                       struct pp_error *error)
{
    bool in_folder = pp_save_folder_named(path);
    struct save save = {.trainer = trainer,
                        .path = in_folder ? NULL : path,
                        .folder = in_folder ? path : NULL};
    return write_all(&save, error);
}

int pp_save_gradients(const struct pp_trainer *trainer, const char *path, int step,
                      struct pp_error *error)
{
    struct save save = {
        .trainer = trainer, .path = path, .data_tensors = DATA_TENSORS, .step = step};
    return write_all(&save, error);
}
