#include "model/weight_shards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/json.h"

/* Does the name stay in the folder? Links in it may lead where they like: a cache of
 * downloads consists of them. */
static bool stays(const char *name)
{
    if (name[0] == '\0' || name[0] == '/')
        return false;
    for (const char *part = name; part; part = strchr(part, '/')) {
        part += part[0] == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return false;
    }
    return true;
}

/* The weight_map, borrowed from the index. */
static const json_t *map_of(const json_t *index, const char *path,
                            struct pp_error *error)
{
    char name_shown[PP_ST_SHOWN], file_shown[PP_ST_SHOWN];
    const json_t *map = json_object_get(index, "weight_map");
    const char *name;
    json_t *value;
    if (json_object_size(map) == 0) {
        pp_fail(error, PP_BAD_INPUT,
                "'%s' has no 'weight_map': need an object with the file of each tensor",
                path);
        return NULL;
    }
    json_object_foreach((json_t *)map, name, value)
    {
        const char *file = json_string_value(value);
        if (file && stays(file))
            continue;
        pp_fail(error, PP_BAD_INPUT,
                "'%s': tensor '%s' is in '%s': need the name of a file in the same "
                "folder",
                path, pp_st_shown(name, name_shown),
                pp_st_shown(file ? file : "no file", file_shown));
        return NULL;
    }
    return map;
}

/* The position of the file among those that were met; *count, a new one. */
static int position_of(const char **names, int *count, const char *name)
{
    for (int i = 0; i < *count; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    names[*count] = name;
    return (*count)++;
}

static int open_file(struct pp_st_file *file, const char *folder, const char *name,
                     const char *path, struct pp_error *error)
{
    const struct pp_folder in = {.path = (char *)folder};
    char *whole = pp_folder_file(&in, name, error), shown[PP_ST_SHOWN];
    int status = whole ? 0 : -1;
    if (whole && access(whole, F_OK) != 0)
        status =
            pp_fail(error, PP_BAD_INPUT,
                    "'%s' names '%s', which is not there: all its files are needed",
                    path, pp_st_shown(name, shown));
    if (status == 0)
        status = pp_st_open(file, whole, error);
    free(whole);
    return status;
}

/* Are all tensors of this file said to be in it? */
static int check_file(const struct pp_st_file *file, const char *name,
                      const json_t *map, const char *path, struct pp_error *error)
{
    char shown[PP_ST_SHOWN], file_shown[PP_ST_SHOWN];
    for (int i = 0; i < file->count; i++) {
        const char *tensor = file->tensors[i].name;
        const char *said = json_string_value(json_object_get(map, tensor));
        if (said && strcmp(said, name) == 0)
            continue;
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' has a tensor '%s', which '%s' says is in %s%s%s: need "
                       "each tensor in one file, and there",
                       file->input.path, pp_st_shown(tensor, shown), path,
                       said ? "'" : "", said ? pp_st_shown(said, file_shown) : "none",
                       said ? "'" : "");
    }
    return 0;
}

static bool has(const struct pp_st_file *file, const char *name)
{
    for (int i = 0; i < file->count; i++) {
        if (strcmp(file->tensors[i].name, name) == 0)
            return true;
    }
    return false;
}

/* A causal mask may be of a type that is not read (safetensors.h), and is not needed.
 */
static bool is_mask(const char *name)
{
    const char *attention = strstr(name, ".attn.");
    return attention && (strcmp(attention, ".attn.bias") == 0 ||
                         strcmp(attention, ".attn.masked_bias") == 0);
}

/* What an index is read into. */
struct shards {
    const json_t *map;
    const char *path;   /* of the index */
    const char **names; /* [count], borrowed from the map */
    struct pp_st_file *files;
    int count;
};

static int open_all(struct shards *shards, const char *folder, struct pp_error *error)
{
    const char *tensor;
    json_t *value;
    json_object_foreach((json_t *)shards->map, tensor, value)
    {
        const char *name = json_string_value(value);
        int met = shards->count;
        int at = position_of(shards->names, &shards->count, name);
        if (at == met &&
            open_file(&shards->files[at], folder, name, shards->path, error) != 0)
            return -1;
    }
    return 0;
}

static int check_all(struct shards *shards, struct pp_error *error)
{
    const char *tensor;
    json_t *value;
    for (int i = 0; i < shards->count; i++) {
        if (check_file(&shards->files[i], shards->names[i], shards->map, shards->path,
                       error) != 0)
            return -1;
    }
    json_object_foreach((json_t *)shards->map, tensor, value)
    {
        int at = position_of(shards->names, &shards->count, json_string_value(value));
        char shown[PP_ST_SHOWN];
        if (!has(&shards->files[at], tensor) && !is_mask(tensor))
            return pp_fail(error, PP_BAD_INPUT,
                           "'%s' has no F32, F16 or BF16 tensor '%s', which '%s' says "
                           "it has",
                           shards->files[at].input.path, pp_st_shown(tensor, shown),
                           shards->path);
    }
    return 0;
}

int pp_weight_shards_open(struct pp_st_file **files, int *count, const char *folder,
                          const char *path, struct pp_error *error)
{
    json_t *index = pp_json_read(path, "is not JSON", error);
    struct shards shards = {.path = path};
    int status = -1;
    if (index)
        shards.map = map_of(index, path, error);
    if (shards.map) {
        size_t most = json_object_size(shards.map);
        shards.names = calloc(most, sizeof *shards.names);
        shards.files = calloc(most, sizeof *shards.files);
        if (!shards.names || !shards.files)
            pp_fail(error, PP_ENVIRONMENT, "out of memory for the files of '%s'", path);
        else if (open_all(&shards, folder, error) == 0)
            status = check_all(&shards, error);
    }
    free(shards.names);
    json_decref(index);
    *files = shards.files;
    *count = shards.count;
    return status;
}
