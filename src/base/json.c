#include "base/json.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/input.h"
#include "base/words.h"

static void drop(json_t **value)
{
    json_decref(*value);
    *value = NULL;
}

void pp_json_set(json_t **object, const char *key, json_t *value)
{
    if (json_object_set_new(*object, key, value) != 0)
        drop(object);
}

void pp_json_append(json_t **array, json_t *item)
{
    if (json_array_append_new(*array, item) != 0)
        drop(array);
}

json_t *pp_json_copy(const json_t *object)
{
    json_t *copy = json_object(), *value;
    const char *key;
    json_object_foreach((json_t *)object, key, value)
    {
        pp_json_set(&copy, key, json_incref(value));
    }
    return copy;
}

char *pp_json_dump(const json_t *value, size_t flags)
{
    size_t size = json_dumpb(value, NULL, 0, flags);
    char *text = size > 0 ? malloc(size + 1) : NULL;
    if (!text || json_dumpb(value, text, size, flags) != size) {
        free(text);
        return NULL;
    }
    text[size] = '\0';
    return text;
}

bool pp_json_has_room(size_t bytes)
{
    enum { EACH = 48 };
    void *volatile room = bytes < SIZE_MAX / EACH ? malloc(bytes * EACH) : NULL;
    bool there = room != NULL;
    free(room);
    return there;
}

bool pp_json_starved(const json_error_t *problem)
{
    return errno == ENOMEM || json_error_code(problem) == json_error_out_of_memory;
}

json_t *pp_json_read(const char *path, const char *is, struct pp_error *error)
{
    char *bytes;
    size_t size;
    json_error_t fault;
    if (pp_input_whole(path, &bytes, &size, error) != 0)
        return NULL;
    bool room = pp_json_has_room(size);
    errno = 0;
    json_t *root =
        room ? json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &fault) : NULL;
    bool starved = !room || (!root && pp_json_starved(&fault));
    free(bytes);
    if (root)
        return root;
    if (starved) {
        pp_fail(error, PP_ENVIRONMENT, "out of memory to read '%s'", path);
        return NULL;
    }
    pp_make_printable(fault.text);
    pp_fail(error, PP_BAD_INPUT, "'%s' %s: line %d: %s", path, is, fault.line,
            fault.text);
    return NULL;
}
