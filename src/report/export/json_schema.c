#include "report/export/json_schema.h"

#include "report/export/json_keys.h"

static json_t *object_of(const struct pp_json_key *keys);

/* {"type": type}, and "minimum" 0 where values are from 0 on. */
static json_t *number(const char *type, bool from_zero)
{
    return from_zero ? json_pack("{ss, si}", "type", type, "minimum", 0)
                     : json_pack("{ss}", "type", type);
}

static json_t *or_null(const char *type)
{
    return json_pack("{s[ss]}", "type", type, "null");
}

/* NULL when out of memory, or if items is NULL. */
static json_t *list_of(json_t *items)
{
    return json_pack("{ss, so}", "type", "array", "items", items);
}

/* A row of fixed length: "op", then the times. */
static json_t *op_row(void)
{
    json_t *items = json_pack("[{ss, ss}]", "type", "string", "pattern",
                              "^[0-9]+[FBIW][0-9]+\\+?$");
    for (const struct pp_json_key *key = pp_json_span; key->name; key++)
        json_array_append_new(
            items, json_pack("{ss, ss}", "type", "number", "description", key->help));
    size_t count = json_array_size(items);
    return json_pack("{ss, so, si, si}", "type", "array", "prefixItems", items,
                     "minItems", (int)count, "maxItems", (int)count);
}

static json_t *columns(void)
{
    json_t *names = json_pack("[s]", "op");
    for (const struct pp_json_key *key = pp_json_span; key->name; key++)
        json_array_append_new(names, json_string(key->name));
    return json_pack("{so}", "const", names);
}

static json_t *kinds(void)
{
    json_t *letters = json_array();
    for (enum pp_kind kind = PP_F; kind <= PP_W; kind++) {
        const char letter[] = {pp_kind_letter(kind), '\0'};
        json_array_append_new(letters, json_string(letter));
    }
    return json_pack("{so}", "enum", letters);
}

static json_t *value_of(const struct pp_json_key *key)
{
    json_t *timeline;
    switch (key->type) {
    case PP_JSON_INTEGER:
        if (key->nullable)
            return json_pack("{s[ss], sI, sI}", "type", "integer", "null", "minimum",
                             (json_int_t)key->least, "maximum", (json_int_t)key->most);
        return json_pack("{ss, sI, sI}", "type", "integer", "minimum",
                         (json_int_t)key->least, "maximum", (json_int_t)key->most);
    case PP_JSON_COUNT:
        return number("integer", true);
    case PP_JSON_TIME:
    case PP_JSON_DURATION:
    case PP_JSON_SHARE:
        return number("number", true);
    case PP_JSON_REAL:
        return or_null("number");
    case PP_JSON_BANDWIDTH:
        return json_pack("{s[ss], si}", "type", "number", "null", "exclusiveMinimum",
                         0);
    case PP_JSON_TEXT:
        if (key->size == 0)
            return key->nullable ? or_null("string")
                                 : json_pack("{ss}", "type", "string");
        if (key->nullable)
            return json_pack("{s[ss], si}", "type", "string", "null", "maxLength",
                             (int)key->size - 1);
        return json_pack("{ss, si}", "type", "string", "maxLength", (int)key->size - 1);
    case PP_JSON_FLAG:
        return json_pack("{ss}", "type", "boolean");
    case PP_JSON_ANSWER:
        return or_null("boolean");
    case PP_JSON_KIND:
        return kinds();
    case PP_JSON_TIMELINE:
        timeline = object_of(key->keys);
        json_object_set_new(timeline, "type", json_pack("[ss]", "object", "null"));
        return timeline;
    case PP_JSON_OBJECT:
    case PP_JSON_CONFIG: /* beside options, which differ between commands */
        return object_of(key->keys);
    case PP_JSON_LIST:
        return list_of(key->keys ? object_of(key->keys) : or_null("number"));
    case PP_JSON_NUMBERS:
        return list_of(json_pack("{ss, si}", "type", "integer", "minimum", key->least));
    case PP_JSON_RANKS:
        return list_of(object_of(key->keys));
    case PP_JSON_STAGES:
    case PP_JSON_COPIES:
        return list_of(number("integer", true));
    case PP_JSON_TREE:
        return list_of(object_of(key->keys));
    case PP_JSON_SCHEMA:
        return json_pack("{ss}", "const", pp_json_schema_name);
    case PP_JSON_REPRESENTATIVE:
        return number("integer", false);
    case PP_JSON_COLUMNS:
        return columns();
    case PP_JSON_OPS:
        return list_of(list_of(op_row()));
    }
    return NULL;
}

/* Later versions may add keys. */
static json_t *object_of(const struct pp_json_key *keys)
{
    json_t *required = json_array(), *properties = json_object();
    for (; keys->name; keys++) {
        json_t *value = value_of(keys);
        json_object_set_new(value, "description", json_string(keys->help));
        json_object_set_new(properties, keys->name, value);
        if (!keys->optional && !keys->decoding)
            json_array_append_new(required, json_string(keys->name));
    }
    return json_pack("{ss, so, so}", "type", "object", "required", required,
                     "properties", properties);
}

json_t *pp_report_json_schema(void)
{
    json_t *schema =
        json_pack("{ss, ss}", "$schema", "https://json-schema.org/draft/2020-12/schema",
                  "title", pp_json_schema_name);
    json_object_update_new(schema, object_of(pp_json_report));
    return schema;
}
