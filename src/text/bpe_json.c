#include "text/bpe_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/input.h"

int pp_bpe_whole(const char *path, char **bytes, size_t *size, struct pp_error *error)
{
    enum { MOST = 100 * 1000 * 1000 };
    struct pp_input input;
    if (pp_input_open(&input, path, error) != 0)
        return -1;
    size_t found = input.size;
    pp_input_close(&input);
    if (found > MOST)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' is no tokenizer's file: it has %zu bytes, at most %d are "
                       "allowed",
                       path, found, MOST);
    return pp_input_whole(path, bytes, size, error);
}

static int parse(const char *path, const char *text, size_t size, json_t **object,
                 struct pp_error *error)
{
    json_error_t fault;
    bool room = pp_json_has_room(size);
    errno = 0;
    *object = room ? json_loadb(text, size, JSON_REJECT_DUPLICATES, &fault) : NULL;
    if (!room || (!*object && pp_json_starved(&fault)))
        return pp_fail(error, PP_ENVIRONMENT, "'%s': out of memory", path);
    if (!*object)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s', line %d, column %d: not valid JSON: %s", path, fault.line,
                       fault.column, fault.text);
    if (json_is_object(*object))
        return 0;
    json_decref(*object);
    *object = NULL;
    return pp_fail(error, PP_BAD_INPUT, "'%s' is not a JSON object", path);
}

int pp_bpe_load(const char *path, json_t **object, struct pp_error *error)
{
    char *text;
    size_t size;
    *object = NULL;
    if (pp_bpe_whole(path, &text, &size, error) != 0)
        return -1;
    int status = parse(path, text, size, object, error);
    free(text);
    return status;
}

int pp_bpe_names(struct pp_bpe_builder *builder, const json_t *names, size_t own,
                 struct pp_error *error)
{
    const char *key;
    size_t length, index = 0;
    json_t *id;
    json_object_keylen_foreach((json_t *)names, key, length, id)
    {
        struct pp_slice name = {key, length};
        if (!json_is_integer(id))
            return pp_fail(error, PP_BAD_INPUT,
                           "'%s': the id of token '%.40s' is no integer", builder->path,
                           key);
        if (pp_bpe_name(builder, json_integer_value(id), name, index++ >= own, error) !=
            0)
            return -1;
    }
    return 0;
}

bool pp_bpe_split(struct pp_slice merge, struct pp_slice *left, struct pp_slice *right)
{
    const char *space = memchr(merge.text, ' ', merge.length);
    if (!space)
        return false;
    *left = (struct pp_slice){merge.text, (size_t)(space - merge.text)};
    *right = (struct pp_slice){space + 1, merge.length - left->length - 1};
    return left->length > 0 && right->length > 0 &&
           !memchr(right->text, ' ', right->length);
}

static struct pp_slice slice_of(const json_t *string)
{
    return (struct pp_slice){json_string_value(string), json_string_length(string)};
}

static bool is_null(const json_t *value)
{
    return !value || json_is_null(value);
}

static bool is_false(const json_t *value)
{
    return !value || json_is_false(value);
}

static bool is_true(const json_t *value)
{
    return !value || json_is_true(value);
}

static bool is_empty(const json_t *value)
{
    return is_null(value) || (json_is_string(value) && json_string_length(value) == 0);
}

static bool is_zero(const json_t *value)
{
    return is_null(value) || (json_is_number(value) && json_number_value(value) == 0);
}

static bool is_bpe(const json_t *value)
{
    return !value ||
           (json_is_string(value) && !strcmp(json_string_value(value), "BPE"));
}

static bool is_byte_level(const json_t *value)
{
    return json_is_string(value) && !strcmp(json_string_value(value), "ByteLevel");
}

/* What of a tokenizer.json is GPT-2's. */
static const struct want {
    const char *part, *key; /* key NULL: the part itself */
    bool (*fits)(const json_t *value);
    const char *valid;
} wanted[] = {
    {"model", "type", is_bpe, "'BPE'"},
    {"model", "dropout", is_zero, "null"},
    {"model", "continuing_subword_prefix", is_empty, "null"},
    {"model", "end_of_word_suffix", is_empty, "null"},
    {"model", "ignore_merges", is_false, "false"},
    {"normalizer", NULL, is_null, "null"},
    {"pre_tokenizer", "type", is_byte_level, "'ByteLevel'"},
    {"pre_tokenizer", "add_prefix_space", is_false, "false"},
    {"pre_tokenizer", "use_regex", is_true, "true"},
};

static int check_wanted(const json_t *root, const char *path, struct pp_error *error)
{
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const struct want *row = &wanted[i];
        const json_t *part = json_object_get(root, row->part);
        if (row->fits(row->key ? json_object_get(part, row->key) : part))
            continue;
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' is no tokenizer of GPT-2's kind: '%s%s%s' is not %s", path,
                       row->part, row->key ? "." : "", row->key ? row->key : "",
                       row->valid);
    }
    return 0;
}

/* Appends one of 'added_tokens' to the vocabulary, unless it is there. */
static int take_added(json_t *names, const json_t *entry, size_t index,
                      const char *path, struct pp_error *error)
{
    const char *text = json_string_value(json_object_get(entry, "content"));
    json_t *id = json_object_get(entry, "id");
    if (!text || !json_is_integer(id))
        return pp_fail(
            error, PP_BAD_INPUT,
            "'%s': 'added_tokens[%zu]' has not both 'content', a string, and "
            "'id', an integer",
            path, index);
    const json_t *known = json_object_get(names, text);
    if (known && !json_equal(known, id))
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s': 'added_tokens[%zu]', '%.40s', has the id %lld, but "
                       "another before",
                       path, index, text, (long long)json_integer_value(id));
    if (!known && json_object_set(names, text, id) != 0)
        return pp_fail(error, PP_ENVIRONMENT, "'%s': out of memory", path);
    return 0;
}

static int take_all_added(json_t *names, const json_t *root, const char *path,
                          struct pp_error *error)
{
    const json_t *entry;
    size_t index;
    json_array_foreach(json_object_get(root, "added_tokens"), index, entry)
    {
        if (take_added(names, entry, index, path, error) != 0)
            return -1;
    }
    return 0;
}

/* A merge, of either form. Returns whether it is one. */
static bool read_merge(const json_t *merge, struct pp_slice *left,
                       struct pp_slice *right)
{
    if (json_is_string(merge))
        return pp_bpe_split(slice_of(merge), left, right);
    const json_t *first = json_array_get(merge, 0), *second = json_array_get(merge, 1);
    if (json_array_size(merge) != 2 || !json_is_string(first) ||
        !json_is_string(second))
        return false;
    *left = slice_of(first);
    *right = slice_of(second);
    return true;
}

static int read_merges(struct pp_bpe_builder *builder, const json_t *merges,
                       struct pp_error *error)
{
    const json_t *merge;
    size_t index;
    json_array_foreach(merges, index, merge)
    {
        struct pp_slice left, right;
        snprintf(builder->place, sizeof builder->place, "'model.merges[%zu]'", index);
        if (!read_merge(merge, &left, &right))
            return pp_fail(error, PP_BAD_INPUT,
                           "'%s', %s: want two tokens, as a string with one space "
                           "between them or as an array of two strings",
                           builder->path, builder->place);
        if (pp_bpe_merge(builder, left, right, error) != 0)
            return -1;
    }
    return 0;
}

static int build(struct pp_bpe_builder *builder, const json_t *root,
                 struct pp_error *error)
{
    const json_t *model = json_object_get(root, "model"),
                 *merges = json_object_get(model, "merges");
    json_t *names = json_object_get(model, "vocab");
    size_t own = json_object_size(names);
    if (check_wanted(root, builder->path, error) != 0)
        return -1;
    if (!json_is_object(names) || !json_is_array(merges))
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' has not both 'model.vocab', an object of ids, and "
                       "'model.merges', an array",
                       builder->path);
    if (take_all_added(names, root, builder->path, error) != 0 ||
        pp_bpe_begin(builder, json_object_size(names), json_array_size(merges),
                     error) != 0 ||
        pp_bpe_names(builder, names, own, error) != 0)
        return -1;
    return read_merges(builder, merges, error);
}

int pp_bpe_read_json(struct pp_bpe *bpe, const char *path, struct pp_error *error)
{
    struct pp_bpe_builder builder = {.bpe = bpe, .path = path};
    json_t *root;
    if (pp_bpe_load(path, &root, error) != 0)
        return -1;
    int status = pp_bpe_end(&builder, build(&builder, root, error), error);
    json_decref(root);
    return status;
}
