#include "serve/ask_prompt.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"

/* Room for so many prompts, texts and tokens in all. */
static int make_room(struct pp_ask *ask, size_t prompts, size_t texts, size_t tokens,
                     struct pp_error *error)
{
    ask->prompts = calloc(prompts + 1, sizeof *ask->prompts);
    ask->texts = calloc(texts + 1, sizeof *ask->texts);
    ask->tokens = calloc(tokens + 1, sizeof *ask->tokens);
    if (ask->prompts && ask->texts && ask->tokens)
        return 0;
    return pp_fail(error, PP_ENVIRONMENT, "out of memory for a request");
}

static void add_text(struct pp_ask *ask, const json_t *text, bool goes_on)
{
    ask->texts[ask->text_count++] = (struct pp_ask_text){
        json_string_value(text), json_string_length(text), goes_on};
}

static void add_prompt(struct pp_ask *ask, bool tokens, int from)
{
    ask->prompts[ask->prompt_count++] = (struct pp_ask_prompt){
        tokens, from, (tokens ? ask->token_count : ask->text_count) - from};
}

static int add_text_prompt(struct pp_ask *ask, const char *name, const json_t *text,
                           struct pp_error *error)
{
    int from = ask->text_count;
    if (!json_is_string(text))
        return pp_fail(error, PP_BAD_INPUT, "'%s' should be a text", name);
    add_text(ask, text, false);
    add_prompt(ask, false, from);
    return 0;
}

static int add_token_prompt(struct pp_ask *ask, const char *name, const json_t *list,
                            struct pp_error *error)
{
    int from = ask->token_count;
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        json_int_t token = json_integer_value(item);
        if (!json_is_integer(item) || token < 0 || token > INT32_MAX)
            return pp_fail(error, PP_BAD_INPUT,
                           "'%s' holds something that is no token: a list of tokens "
                           "holds whole numbers alone, from 0 on",
                           name);
        ask->tokens[ask->token_count++] = (int32_t)token;
    }
    add_prompt(ask, true, from);
    return 0;
}

/* How many tokens a list of lists holds. */
static size_t count_tokens(const json_t *lists)
{
    size_t i, count = 0;
    json_t *list;
    json_array_foreach(lists, i, list) count += json_array_size(list);
    return count;
}

static int add_list(struct pp_ask *ask, const char *name, const json_t *value,
                    struct pp_error *error)
{
    size_t i, count = json_array_size(value);
    json_t *item;
    const json_t *first = json_array_get(value, 0);
    if (json_is_integer(first))
        return make_room(ask, 1, 0, count, error) != 0
                   ? -1
                   : add_token_prompt(ask, name, value, error);
    if (count == 0 || count > PP_MOST_SEQUENCES)
        return pp_fail(error, PP_BAD_INPUT, "'%s' holds %zu prompts: 1 to %d are valid",
                       name, count, PP_MOST_SEQUENCES);
    if (make_room(ask, count, count, count_tokens(value), error) != 0)
        return -1;
    json_array_foreach(value, i, item)
    {
        if (json_typeof(item) != json_typeof(first) || json_is_object(item))
            return pp_fail(error, PP_BAD_INPUT,
                           "'%s' should be a text, a list of texts, a list of tokens, "
                           "or a list of such lists",
                           name);
        if ((json_is_array(item) ? add_token_prompt(ask, name, item, error)
                                 : add_text_prompt(ask, name, item, error)) != 0)
            return -1;
    }
    return 0;
}

int pp_ask_read_prompt(struct pp_ask *ask, const char *name, json_t *value,
                       struct pp_error *error)
{
    if (json_is_array(value))
        return add_list(ask, name, value, error);
    return pp_ask_read_text(ask, name, value, error);
}

int pp_ask_read_text(struct pp_ask *ask, const char *name, json_t *value,
                     struct pp_error *error)
{
    return make_room(ask, 1, 1, 0, error) != 0
               ? -1
               : add_text_prompt(ask, name, value, error);
}

/* A part of a turn's content: {"type": "text", "text": "…"}. */
static int add_part(struct pp_ask *ask, const json_t *part, bool goes_on,
                    struct pp_error *error)
{
    const char *type = json_string_value(json_object_get(part, "type"));
    const json_t *text = json_object_get(part, "text");
    if (!type)
        return pp_fail(error, PP_BAD_INPUT, "a part of a message needs a 'type'");
    if (strcmp(type, "text") != 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "a part of type '%s' is not supported: only 'text' is", type);
    if (!json_is_string(text))
        return pp_fail(error, PP_BAD_INPUT, "a part of type 'text' needs a 'text'");
    add_text(ask, text, goes_on);
    return 0;
}

/* {"role": …, "content": …} */
static int add_message(struct pp_ask *ask, const json_t *message,
                       struct pp_error *error)
{
    static const char *const roles[] = {"system", "developer", "user", "assistant",
                                        NULL};
    const char *role = json_string_value(json_object_get(message, "role")), *key;
    const json_t *content = json_object_get(message, "content");
    json_t *item;
    size_t i;
    json_object_foreach((json_t *)message, key, item)
    {
        if (strcmp(key, "role") != 0 && strcmp(key, "content") != 0 &&
            !json_is_null(item))
            return pp_fail(error, PP_BAD_INPUT, "'messages[].%s' is not supported",
                           key);
    }
    if (!role)
        return pp_fail(error, PP_BAD_INPUT, "each message needs a 'role'");
    if (!pp_names_in(roles, role))
        return pp_fail(error, PP_BAD_INPUT,
                       "the role '%s' is not supported: system, developer, user and "
                       "assistant are",
                       role);
    if (json_is_string(content)) {
        add_text(ask, content, false);
        return 0;
    }
    if (json_array_size(content) == 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "each message needs a 'content': a text, or a list of parts");
    json_array_foreach((json_t *)content, i, item)
    {
        if (add_part(ask, item, i > 0, error) != 0)
            return -1;
    }
    return 0;
}

int pp_ask_read_messages(struct pp_ask *ask, const char *name, json_t *value,
                         struct pp_error *error)
{
    size_t i, texts = 0;
    json_t *message;
    if (json_array_size(value) == 0)
        return pp_fail(error, PP_BAD_INPUT, "'%s' should be a list of messages", name);
    json_array_foreach(value, i, message)
    {
        const json_t *content = json_object_get(message, "content");
        texts += json_is_array(content) ? json_array_size(content) : 1;
    }
    if (make_room(ask, 1, texts, 0, error) != 0)
        return -1;
    json_array_foreach(value, i, message)
    {
        if (add_message(ask, message, error) != 0)
            return -1;
    }
    add_prompt(ask, false, 0);
    return 0;
}
