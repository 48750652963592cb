#include "report/export/json_reader.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/words.h"

static const char *type_name(json_type type)
{
    switch (type) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "text";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

int pp_reader_load(struct pp_reader *reader, const char *path, struct pp_node *root,
                   struct pp_error *error)
{
    json_error_t problem;
    *reader = (struct pp_reader){.path = path, .error = error};
    *root = (struct pp_node){0};
    FILE *stream = fopen(path, "r");
    if (!stream)
        return pp_fail(error, pp_status_of(errno), "cannot read '%s': %s", path,
                       strerror(errno));
    struct stat status = {0};
    bool room =
        fstat(fileno(stream), &status) == 0 && pp_json_has_room((size_t)status.st_size);
    errno = 0;
    root->value = room ? json_loadf(stream, JSON_REJECT_DUPLICATES, &problem) : NULL;
    int number = ferror(stream) ? errno : 0;
    if (!room || (!root->value && pp_json_starved(&problem)))
        number = ENOMEM;
    fclose(stream);
    if (number != 0) {
        json_decref(root->value);
        root->value = NULL;
        return pp_fail(error, pp_status_of(number), "cannot read '%s': %s", path,
                       strerror(number));
    }
    if (!root->value) {
        pp_make_printable(problem.text);
        return pp_fail(error, PP_BAD_INPUT, "'%s' is not JSON: line %d, column %d: %s",
                       path, problem.line, problem.column, problem.text);
    }
    return 0;
}

/* Appends "ranks[2].stages" to what text holds. */
static void write_place(const struct pp_node *node, char *text, size_t size)
{
    if (!node->parent)
        return;
    write_place(node->parent, text, size);
    if (node->key)
        pp_append(text, size, "%s%s", text[0] ? "." : "", node->key);
    else
        pp_append(text, size, "[%zu]", node->index);
}

void pp_reader_fail(struct pp_reader *reader, const struct pp_node *node,
                    const char *format, ...)
{
    char text[256], place[128] = "";
    va_list arguments;
    if (reader->failed)
        return;
    reader->failed = true;
    va_start(arguments, format);
    pp_assign_list(text, sizeof text, format, arguments);
    va_end(arguments);
    pp_make_printable(text);
    write_place(node, place, sizeof place);
    if (place[0])
        pp_fail(reader->error, PP_BAD_INPUT, "'%s': '%s' %s", reader->path, place,
                text);
    else
        pp_fail(reader->error, PP_BAD_INPUT, "'%s' %s", reader->path, text);
}

void pp_reader_out_of_memory(struct pp_reader *reader, const struct pp_node *node)
{
    char place[128] = "";
    if (reader->failed)
        return;
    reader->failed = true;
    write_place(node, place, sizeof place);
    pp_fail(reader->error, PP_ENVIRONMENT, "out of memory for '%s' of '%s'", place,
            reader->path);
}

/* The member, NULL if missing or after a failure. */
static struct pp_node member(struct pp_reader *reader, const struct pp_node *parent,
                             const char *key)
{
    struct pp_node node = {.parent = parent, .key = key};
    if (reader->failed)
        return node;
    node.value = json_object_get(parent->value, key);
    if (!node.value)
        pp_reader_fail(reader, &node, "is missing");
    return node;
}

static void check_type(struct pp_reader *reader, struct pp_node *node, json_type type)
{
    if (node->value && json_typeof(node->value) != type) {
        pp_reader_fail(reader, node, "is %s, should be %s",
                       type_name(json_typeof(node->value)), type_name(type));
        node->value = NULL;
    }
}

struct pp_node pp_read_object(struct pp_reader *reader, const struct pp_node *parent,
                              const char *key)
{
    struct pp_node node = member(reader, parent, key);
    check_type(reader, &node, JSON_OBJECT);
    return node;
}

struct pp_node pp_read_array(struct pp_reader *reader, const struct pp_node *parent,
                             const char *key)
{
    struct pp_node node = member(reader, parent, key);
    check_type(reader, &node, JSON_ARRAY);
    return node;
}

struct pp_node pp_read_element(struct pp_reader *reader, const struct pp_node *array,
                               size_t index, json_type type)
{
    struct pp_node node = {.parent = array, .index = index};
    if (reader->failed)
        return node;
    node.value = json_array_get(array->value, index);
    if (!node.value)
        pp_reader_fail(reader, &node, "is missing");
    else if (type != JSON_REAL || !json_is_number(node.value))
        check_type(reader, &node, type);
    return node;
}

double pp_node_real(struct pp_reader *reader, const struct pp_node *node)
{
    if (!node->value || json_is_null(node->value))
        return NAN;
    if (!json_is_number(node->value))
        pp_reader_fail(reader, node, "is %s, should be a number",
                       type_name(json_typeof(node->value)));
    return json_number_value(node->value);
}

int64_t pp_node_ns(struct pp_reader *reader, const struct pp_node *node)
{
    /* A double holds every ns up to this: 104 days. */
    const double most = 0x1p53 / 1e9;
    double seconds = pp_node_real(reader, node);
    if (!reader->failed && !(fabs(seconds) <= most))
        pp_reader_fail(reader, node, "should be seconds, at most %.0f", most);
    return reader->failed ? 0 : llround(seconds * 1e9);
}

int64_t pp_node_int(struct pp_reader *reader, const struct pp_node *node, int64_t least,
                    int64_t most)
{
    if (!node->value)
        return least;
    int64_t value = json_integer_value(node->value);
    if (!json_is_integer(node->value))
        pp_reader_fail(reader, node, "is %s, should be a whole number",
                       type_name(json_typeof(node->value)));
    else if (value < least || value > most)
        pp_reader_fail(reader, node, "is %lld, should be from %lld to %lld",
                       (long long)value, (long long)least, (long long)most);
    return reader->failed ? least : value;
}

double pp_read_real(struct pp_reader *reader, const struct pp_node *parent,
                    const char *key)
{
    struct pp_node node = member(reader, parent, key);
    return pp_node_real(reader, &node);
}

int64_t pp_read_ns(struct pp_reader *reader, const struct pp_node *parent,
                   const char *key)
{
    struct pp_node node = member(reader, parent, key);
    int64_t ns = pp_node_ns(reader, &node);
    if (ns < 0)
        pp_reader_fail(reader, &node, "is below 0");
    return reader->failed ? 0 : ns;
}

int64_t pp_read_int(struct pp_reader *reader, const struct pp_node *parent,
                    const char *key, int64_t least, int64_t most)
{
    struct pp_node node = member(reader, parent, key);
    return pp_node_int(reader, &node, least, most);
}

bool pp_read_bool(struct pp_reader *reader, const struct pp_node *parent,
                  const char *key)
{
    struct pp_node node = member(reader, parent, key);
    if (node.value && !json_is_boolean(node.value))
        pp_reader_fail(reader, &node, "is %s, should be true or false",
                       type_name(json_typeof(node.value)));
    return json_is_true(node.value);
}

void pp_read_text(struct pp_reader *reader, const struct pp_node *parent,
                  const char *key, char *text, size_t size)
{
    struct pp_node node = member(reader, parent, key);
    check_type(reader, &node, JSON_STRING);
    text[0] = '\0';
    if (!node.value)
        return;
    if (json_string_length(node.value) >= size)
        pp_reader_fail(reader, &node, "has %zu bytes, should have at most %zu",
                       json_string_length(node.value), size - 1);
    else
        strcpy(text, json_string_value(node.value));
}
