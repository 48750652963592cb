#include "report/export/json_read_keys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void *pp_json_allocate(struct pp_reader *reader, const struct pp_node *list,
                       size_t size)
{
    void *memory = calloc(json_array_size(list->value) + 1, size);
    if (!memory)
        pp_reader_out_of_memory(reader, list);
    return memory;
}

/* The structure owns the elements, also after a failure. */
static void read_list(struct pp_reader *reader, const struct pp_node *object,
                      const struct pp_json_key *key, void *base)
{
    struct pp_node list = pp_read_array(reader, object, key->name);
    size_t count = json_array_size(list.value);
    char *elements = pp_json_allocate(reader, &list, key->size);
    for (size_t i = 0; i < count && !reader->failed; i++) {
        void *element = elements + i * key->size;
        if (key->keys) {
            struct pp_node node = pp_read_element(reader, &list, i, JSON_OBJECT);
            pp_json_read_keys(reader, &node, key->keys, element);
        } else {
            struct pp_node node = {json_array_get(list.value, i), &list, NULL, i};
            *(double *)element = pp_node_real(reader, &node);
        }
    }
    memcpy((char *)base + key->offset, &elements, sizeof elements);
    *(int *)(void *)((char *)base + key->count_offset) = elements ? (int)count : 0;
}

static double read_bandwidth(struct pp_reader *reader, const struct pp_node *object,
                             const char *name)
{
    struct pp_node node = {.parent = object, .key = name};
    double value = pp_read_real(reader, object, name);
    if (isnan(value))
        return INFINITY;
    if (!(value > 0))
        pp_reader_fail(reader, &node, "should be above 0, or null for unlimited");
    return value;
}

static int read_answer(struct pp_reader *reader, const struct pp_node *object,
                       const char *name)
{
    if (json_is_null(json_object_get(object->value, name)))
        return -1;
    return pp_read_bool(reader, object, name);
}

static enum pp_kind read_kind(struct pp_reader *reader, const struct pp_node *object,
                              const char *name)
{
    char text[8];
    struct pp_node node = {.parent = object, .key = name};
    pp_read_text(reader, object, name, text, sizeof text);
    for (enum pp_kind kind = PP_F; kind <= PP_W; kind++) {
        if (text[0] == pp_kind_letter(kind) && text[1] == '\0')
            return kind;
    }
    pp_reader_fail(reader, &node, "is '%s', should be F, B, I or W", text);
    return PP_F;
}

static void read_value(struct pp_reader *reader, const struct pp_node *object,
                       const struct pp_json_key *key, void *base)
{
    const char *name = key->name;
    void *at = (char *)base + key->offset;
    if (key->nullable && json_is_null(json_object_get(object->value, name)))
        return; /* it is 0 or "" already */
    switch (key->type) {
    case PP_JSON_INTEGER:
        *(int *)at = (int)pp_read_int(reader, object, name, key->least, key->most);
        break;
    case PP_JSON_COUNT:
        *(int64_t *)at = pp_read_int(reader, object, name, 0, INT64_MAX);
        break;
    case PP_JSON_TIME:
        *(int64_t *)at = pp_read_ns(reader, object, name);
        break;
    case PP_JSON_REAL:
        *(double *)at = pp_read_real(reader, object, name);
        break;
    case PP_JSON_DURATION:
        *(double *)at = (double)pp_read_ns(reader, object, name) / 1e9;
        break;
    case PP_JSON_BANDWIDTH:
        *(double *)at = read_bandwidth(reader, object, name);
        break;
    case PP_JSON_TEXT:
        pp_read_text(reader, object, name, at, key->size);
        break;
    case PP_JSON_FLAG:
        *(bool *)at = pp_read_bool(reader, object, name);
        break;
    case PP_JSON_ANSWER:
        *(int *)at = read_answer(reader, object, name);
        break;
    case PP_JSON_KIND:
        *(enum pp_kind *)at = read_kind(reader, object, name);
        break;
    case PP_JSON_OBJECT: {
        struct pp_node node = pp_read_object(reader, object, name);
        pp_json_read_keys(reader, &node, key->keys, base);
        break;
    }
    case PP_JSON_LIST:
        read_list(reader, object, key, base);
        break;
    case PP_JSON_TREE:
        *(json_t **)at = json_incref(json_object_get(object->value, name));
        break;
    case PP_JSON_NUMBERS:
    case PP_JSON_SCHEMA:
    case PP_JSON_CONFIG:
    case PP_JSON_RANKS:
    case PP_JSON_STAGES:
    case PP_JSON_COPIES:
    case PP_JSON_SHARE:
    case PP_JSON_REPRESENTATIVE:
    case PP_JSON_TIMELINE:
    case PP_JSON_COLUMNS:
    case PP_JSON_OPS:
        break; /* read by json_read.c: they depend on others */
    }
}

void pp_json_read_keys(struct pp_reader *reader, const struct pp_node *object,
                       const struct pp_json_key *keys, void *base)
{
    for (; keys->name; keys++) {
        if (keys->derived)
            continue;
        bool there = !(keys->optional || keys->decoding) ||
                     json_object_get(object->value, keys->name);
        if (there)
            read_value(reader, object, keys, base);
        else if (keys->type == PP_JSON_REAL)
            *(double *)(void *)((char *)base + keys->offset) = (double)NAN;
    }
}
