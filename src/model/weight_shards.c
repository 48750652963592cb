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

/* Opens the files, whose names are put into names, and checks what is in which. */
static int open_all(struct pp_st_file *files, int *count, const char **names,
                    const json_t *map, const char *folder, const char *path,
                    struct pp_error *error)
{
    const char *tensor;
    json_t *value;
    json_object_foreach((json_t *)map, tensor, value)
    {
        const char *name = json_string_value(value);
        int met = *count, at = position_of(names, count, name);
        if (at == met && (open_file(&files[at], folder, name, path, error) != 0 ||
                          check_file(&files[at], name, map, path, error) != 0))
            return -1;
        char shown[PP_ST_SHOWN];
        if (!has(&files[at], tensor) && !is_mask(tensor))
            return pp_fail(error, PP_BAD_INPUT,
                           "'%s' has no F32, F16 or BF16 tensor '%s', which '%s' says "
                           "it has",
                           files[at].input.path, pp_st_shown(tensor, shown), path);
    }
    return 0;
}

int pp_weight_shards_open(struct pp_st_file **files, int *count, const char *folder,
                          const char *path, struct pp_error *error)
{
    *files = NULL;
    *count = 0;
    json_t *index = pp_json_read(path, "is not JSON", error);
    const json_t *map = index ? map_of(index, path, error) : NULL;
    size_t most = json_object_size(map);
    const char **names = map ? calloc(most, sizeof *names) : NULL;
    int status = -1;
    if (map)
        *files = calloc(most, sizeof **files);
    if (map && (!names || !*files))
        pp_fail(error, PP_ENVIRONMENT, "out of memory for the files of '%s'", path);
    else if (map)
        status = open_all(*files, count, names, map, folder, path, error);
    free(names);
    json_decref(index);
    return status;
}
