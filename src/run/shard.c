#include "run/shard.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/folder.h"
#include "model/safetensors.h"

/* What a shard holds of each parameter. */
enum { VALUE, FIRST_MOMENT, SECOND_MOMENT, KINDS };
static const char *const suffixes[KINDS] = {"", ".m", ".v"};

static int kinds_of(const struct pp_trainer *trainer)
{
    return trainer->config->optimizer.kind == PP_ADAMW ? KINDS : VALUE + 1;
}

/* Where it is. The moments of a chunk are laid out as its values. */
static float *place_of(const struct pp_trainer *trainer, int chunk,
                       const struct pp_parameter *parameter, int kind)
{
    const struct pp_stage *stage = &trainer->rank.chunks[chunk].model;
    size_t at = (size_t)(parameter->value - stage->values);
    if (kind == VALUE)
        return parameter->value;
    return trainer->moments[chunk] + (kind - 1) * stage->real_count + at;
}

static void name_of(char *name, size_t size, const struct pp_tensor_spec *spec,
                    int kind)
{
    snprintf(name, size, "%s%s", spec->name, suffixes[kind]);
}

/* Calls visit for each tensor of this rank's chunks: those that it owns, or also a tied
 * head's copy. */
static int each(const struct pp_trainer *trainer, bool owned,
                int (*visit)(void *data, const struct pp_tensor_spec *spec, int kind,
                             float *values, struct pp_error *error),
                void *data, struct pp_error *error)
{
    const struct pp_rank *rank = &trainer->rank;
    for (int c = 0; c < rank->chunk_count; c++) {
        const struct pp_stage *stage = &rank->chunks[c].model;
        for (int i = 0; i < stage->parameter_count; i++) {
            const struct pp_parameter *parameter = &stage->parameters[i];
            struct pp_tensor_spec spec =
                pp_model_tensor(&rank->config, parameter->index);
            if (owned &&
                pp_tensors_own(&trainer->tensors, parameter->index) != parameter)
                continue;
            for (int kind = 0; kind < kinds_of(trainer); kind++) {
                if (visit(data, &spec, kind, place_of(trainer, c, parameter, kind),
                          error) != 0)
                    return -1;
            }
        }
    }
    return 0;
}

/* --- writing --------------------------------------------------------------------- */

struct header {
    struct pp_st_tensor *tensors;
    int count;
};

static int declare(void *data, const struct pp_tensor_spec *spec, int kind,
                   float *values, struct pp_error *error)
{
    struct header *header = data;
    struct pp_st_tensor *tensor = &header->tensors[header->count++];
    (void)values, (void)error;
    *tensor = (struct pp_st_tensor){
        .dtype = PP_F32,
        .rank = spec->rank,
        .shape = {spec->shape[0], spec->shape[1], 1, 1},
    };
    name_of(tensor->name, sizeof tensor->name, spec, kind);
    return 0;
}

static int append(void *data, const struct pp_tensor_spec *spec, int kind,
                  float *values, struct pp_error *error)
{
    (void)kind;
    return pp_st_append(data, values, spec->count * sizeof *values, error);
}

static int write_tensors(const struct pp_trainer *trainer, const char *path,
                         struct pp_error *error)
{
    size_t most = (size_t)trainer->tensors.count * KINDS;
    struct header header = {calloc(most, sizeof *header.tensors), 0};
    if (!header.tensors)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a checkpoint");
    each(trainer, true, declare, &header, error);
    struct pp_st_writer *writer =
        pp_st_create(path, header.tensors, header.count, NULL, error);
    free(header.tensors);
    if (!writer)
        return -1;
    if (each(trainer, true, append, writer, error) == 0)
        return pp_st_finish(writer, error);
    pp_st_abandon(writer);
    return -1;
}

int pp_shard_write(const struct pp_trainer *trainer, const char *folder,
                   struct pp_shard_file *file, struct pp_error *error)
{
    const struct pp_folder in = {(char *)folder};
    snprintf(file->name, sizeof file->name, "rank-%05d.safetensors",
             trainer->world->rank);
    char *path = pp_folder_file(&in, file->name, error);
    int status = path ? write_tensors(trainer, path, error) : -1;
    if (status == 0)
        status = pp_mark_file(&file->mark, path, error);
    free(path);
    return status;
}

/* --- reading --------------------------------------------------------------------- */

struct shards {
    const char *folder;
    struct pp_st_file *files; /* [count] */
    int count;
};

static int take(void *data, const struct pp_tensor_spec *spec, int kind, float *values,
                struct pp_error *error)
{
    const struct shards *shards = data;
    char name[sizeof spec->name + 8];
    name_of(name, sizeof name, spec, kind);
    for (int i = 0; i < shards->count; i++) {
        if (pp_st_find(&shards->files[i], name))
            return pp_st_read(&shards->files[i], name, spec->rank, spec->shape, values,
                              error);
    }
    return pp_fail(error, PP_BAD_INPUT, "the checkpoint '%s' has no tensor '%s'",
                   shards->folder, name);
}

static int open_all(struct shards *shards, const struct pp_manifest *manifest,
                    struct pp_error *error)
{
    const struct pp_folder in = {(char *)shards->folder};
    int status = 0;
    shards->files = calloc((size_t)manifest->file_count + 1, sizeof *shards->files);
    if (!shards->files)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a checkpoint");
    for (int i = 0; i < manifest->file_count && status == 0; i++) {
        char *path = pp_folder_file(&in, manifest->files[i].name, error);
        status = path ? pp_st_open(&shards->files[i], path, error) : -1;
        shards->count += status == 0;
        free(path);
    }
    return status;
}

int pp_shards_read(const struct pp_trainer *trainer, const char *folder,
                   struct pp_error *error)
{
    struct pp_manifest manifest;
    struct shards shards = {.folder = folder};
    int status = pp_manifest_read(&manifest, folder, error);
    if (status == 0)
        status = open_all(&shards, &manifest, error);
    if (status == 0)
        status = each(trainer, false, take, &shards, error);
    for (int i = 0; i < shards.count; i++)
        pp_st_close(&shards.files[i]);
    free(shards.files);
    pp_manifest_release(&manifest);
    return pp_agree(trainer->world, status, error);
}
