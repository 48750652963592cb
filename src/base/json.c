#include "base/json.h"

#include <errno.h>

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

bool pp_json_starved(const json_error_t *problem)
{
    return errno == ENOMEM || json_error_code(problem) == json_error_out_of_memory;
}
