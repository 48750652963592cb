#include "serve/ask_read.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/words.h"
#include "serve/ask_prompt.h"

/* What reads a field's value. */
typedef int (*reader)(struct pp_ask *ask, const char *name, json_t *value,
                      struct pp_error *error);

static int out_of_memory(struct pp_error *error)
{
    return pp_fail(error, PP_ENVIRONMENT, "out of memory for a request");
}

static int read_whole(const char *name, const json_t *value, json_int_t least,
                      json_int_t most, int *into, struct pp_error *error)
{
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < least || number > most)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' should be a whole number from %lld to %lld", name,
                       (long long)least, (long long)most);
    *into = (int)number;
    return 0;
}

static int read_number(const char *name, const json_t *value, double most, double *into,
                       struct pp_error *error)
{
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= 0 && number <= most))
        return pp_fail(error, PP_BAD_INPUT, "'%s' should be a number from 0 to %g",
                       name, most);
    *into = number;
    return 0;
}

static int read_truth(const char *name, const json_t *value, bool *into,
                      struct pp_error *error)
{
    if (!json_is_boolean(value))
        return pp_fail(error, PP_BAD_INPUT, "'%s' should be true or false", name);
    *into = json_is_true(value);
    return 0;
}

static int read_any(struct pp_ask *ask, const char *name, json_t *value,
                    struct pp_error *error)
{
    (void)ask;
    (void)value;
    (void)name;
    (void)error;
    return 0;
}

static int read_text(struct pp_ask *ask, const char *name, json_t *value,
                     struct pp_error *error)
{
    (void)ask;
    return json_is_string(value)
               ? 0
               : pp_fail(error, PP_BAD_INPUT, "'%s' should be a text", name);
}

static int read_n(struct pp_ask *ask, const char *name, json_t *value,
                  struct pp_error *error)
{
    return read_whole(name, value, 1, PP_MOST_SEQUENCES, &ask->n, error);
}

static int read_max_tokens(struct pp_ask *ask, const char *name, json_t *value,
                           struct pp_error *error)
{
    return read_whole(name, value, 1, INT_MAX, &ask->max_tokens, error);
}

static int read_temperature(struct pp_ask *ask, const char *name, json_t *value,
                            struct pp_error *error)
{
    enum { MOST = 100 };
    return read_number(name, value, MOST, &ask->sampling.temperature, error);
}

static int read_top_p(struct pp_ask *ask, const char *name, json_t *value,
                      struct pp_error *error)
{
    return read_number(name, value, 1, &ask->sampling.top_p, error);
}

/* -1 is how others say that all may be chosen. */
static int read_top_k(struct pp_ask *ask, const char *name, json_t *value,
                      struct pp_error *error)
{
    int status = read_whole(name, value, -1, INT_MAX, &ask->sampling.top_k, error);
    if (ask->sampling.top_k < 0)
        ask->sampling.top_k = 0;
    return status;
}

static int read_seed(struct pp_ask *ask, const char *name, json_t *value,
                     struct pp_error *error)
{
    if (!json_is_integer(value))
        return pp_fail(error, PP_BAD_INPUT, "'%s' should be a whole number", name);
    ask->sampling.seed = (uint64_t)json_integer_value(value);
    ask->seeded = true;
    return 0;
}

static int read_stop(struct pp_ask *ask, const char *name, json_t *value,
                     struct pp_error *error)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    if (count > PP_MOST_STOPS)
        return pp_fail(error, PP_BAD_INPUT, "'%s' has %zu texts: at most %d", name,
                       count, PP_MOST_STOPS);
    for (size_t i = 0; i < count; i++) {
        json_t *stop = json_is_array(value) ? json_array_get(value, i) : value;
        size_t length = json_string_length(stop);
        if (!json_is_string(stop) || length == 0)
            return pp_fail(error, PP_BAD_INPUT,
                           "'%s' should be a text, or a list of texts, none empty",
                           name);
        if (strlen(json_string_value(stop)) != length)
            return pp_fail(error, PP_BAD_INPUT, "'%s' holds a zero byte", name);
        ask->stops[ask->stop_count++] = json_string_value(stop);
    }
    return 0;
}

static int read_stream(struct pp_ask *ask, const char *name, json_t *value,
                       struct pp_error *error)
{
    return read_truth(name, value, &ask->stream, error);
}

static int read_stream_options(struct pp_ask *ask, const char *name, json_t *value,
                               struct pp_error *error)
{
    const char *key;
    json_t *item;
    bool apart = false;
    if (!json_is_object(value))
        return pp_fail(error, PP_BAD_INPUT, "'%s' should be an object", name);
    json_object_foreach(value, key, item)
    {
        if (strcmp(key, "include_usage") != 0)
            return pp_fail(error, PP_BAD_INPUT, "'%s.%s' is not supported", name, key);
        if (read_truth("stream_options.include_usage", item, &apart, error) != 0)
            return -1;
        ask->usage = apart ? PP_USAGE_APART : PP_USAGE_NONE;
    }
    return 0;
}

/* What the three other fields say is then all there is to say: a strategy needs its
 * own. */
static int read_strategy(struct pp_ask *ask, const char *name, json_t *value,
                         struct pp_error *error)
{
    static const char *const valid[] = {"greedy", "sample", "top_k", "top_p"};
    const char *given = json_string_value(value);
    for (size_t i = 0; given && i < sizeof valid / sizeof valid[0]; i++) {
        if (strcmp(given, valid[i]) != 0)
            continue;
        ask->sampling.greedy = i == 0;
        if (i >= 2 && !json_object_get(ask->body, valid[i]))
            return pp_fail(error, PP_BAD_INPUT, "'%s' '%s' needs '%s'", name, given,
                           valid[i]);
        return 0;
    }
    return pp_fail(error, PP_BAD_INPUT, "'%s' should be greedy, sample, top_k or top_p",
                   name);
}

enum {
    COMPLETION = 1 << PP_SHAPE_COMPLETION,
    CHAT = 1 << PP_SHAPE_CHAT,
    TEXT = 1 << PP_SHAPE_TEXT,
    OPENAI = COMPLETION | CHAT,
    ALL = OPENAI | TEXT
};

/* The fields that there are, in the order in which they are read; null is as if a field
 * was not given. One without a reader is not supported, but may have the value that
 * asks for nothing, as clients send it. */
static const struct field {
    const char *name;
    int shapes; /* bits 1 << enum pp_ask_shape */
    reader read;
    const char *nothing; /* JSON */
} fields[] = {
    {"prompt", COMPLETION, pp_ask_read_prompt, NULL},
    {"messages", CHAT, pp_ask_read_messages, NULL},
    {"text", TEXT, pp_ask_read_text, NULL},
    {"n", OPENAI, read_n, NULL},
    {"max_tokens", ALL, read_max_tokens, NULL},
    {"max_completion_tokens", OPENAI, read_max_tokens, NULL},
    {"temperature", ALL, read_temperature, NULL},
    {"top_p", ALL, read_top_p, NULL},
    {"top_k", ALL, read_top_k, NULL},
    {"decoding_strategy", TEXT, read_strategy, NULL},
    {"seed", ALL, read_seed, NULL},
    {"stop", ALL, read_stop, NULL},
    {"stream", ALL, read_stream, NULL},
    {"stream_options", OPENAI, read_stream_options, NULL},
    {"model", ALL, read_text, NULL},
    {"user", OPENAI, read_any, NULL},
    {"metadata", OPENAI, read_any, NULL},
    {"best_of", COMPLETION, NULL, "1"},
    {"echo", COMPLETION, NULL, "false"},
    {"suffix", COMPLETION, NULL, "\"\""},
    {"logprobs", OPENAI, NULL, "false"},
    {"top_logprobs", CHAT, NULL, "0"},
    {"logit_bias", OPENAI, NULL, "{}"},
    {"presence_penalty", OPENAI, NULL, "0"},
    {"frequency_penalty", OPENAI, NULL, "0"},
    {"repetition_penalty", OPENAI, NULL, "1"},
    {"min_p", OPENAI, NULL, "0"},
    {"min_tokens", OPENAI, NULL, "0"},
    {"ignore_eos", OPENAI, NULL, "false"},
    {"use_beam_search", OPENAI, NULL, "false"},
    {"response_format", OPENAI, NULL, "{\"type\":\"text\"}"},
    {"modalities", CHAT, NULL, "[\"text\"]"},
    {"tools", CHAT, NULL, "[]"},
    {"tool_choice", CHAT, NULL, "\"none\""},
    {"functions", CHAT, NULL, "[]"},
    {"parallel_tool_calls", CHAT, NULL, "true"},
    {"store", CHAT, NULL, "false"},
    {"service_tier", CHAT, NULL, "\"auto\""},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

/* 1, 0, or -1 when out of memory. */
static int is_nothing(const json_t *value, const char *text)
{
    json_t *nothing = json_loads(text, JSON_DECODE_ANY, NULL);
    if (!nothing)
        return -1;
    bool same = json_is_number(value) && json_is_number(nothing)
                    ? json_number_value(value) == json_number_value(nothing)
                    : json_equal(value, nothing);
    json_decref(nothing);
    return same;
}

static int read_field(struct pp_ask *ask, const struct field *field, json_t *value,
                      struct pp_error *error)
{
    if (field->read)
        return field->read(ask, field->name, value, error);
    int nothing = is_nothing(value, field->nothing);
    if (nothing > 0)
        return 0;
    if (nothing < 0)
        return out_of_memory(error);
    return pp_fail(error, PP_BAD_INPUT,
                   "'%s' is not supported: leave it out, or give it as %s", field->name,
                   field->nothing);
}

static int check_known(struct pp_ask *ask, struct pp_error *error)
{
    const char *name;
    json_t *value;
    json_object_foreach(ask->body, name, value)
    {
        int i = 0;
        while (i < FIELDS && (!(fields[i].shapes & 1 << ask->shape) ||
                              strcmp(fields[i].name, name) != 0))
            i++;
        if (i < FIELDS)
            continue;
        pp_assign(ask->param, sizeof ask->param, "%s", name);
        pp_make_printable(ask->param);
        return pp_fail(error, PP_BAD_INPUT, "'%s' is not supported", name);
    }
    return 0;
}

static int read_fields(struct pp_ask *ask, struct pp_error *error)
{
    if (check_known(ask, error) != 0)
        return -1;
    for (int i = 0; i < FIELDS; i++) {
        json_t *value = json_object_get(ask->body, fields[i].name);
        if (!(fields[i].shapes & 1 << ask->shape) || !value || json_is_null(value))
            continue;
        pp_assign(ask->param, sizeof ask->param, "%s", fields[i].name);
        if (read_field(ask, &fields[i], value, error) != 0)
            return -1;
    }
    ask->param[0] = '\0';
    return 0;
}

/* What fields say together. */
static int finish(struct pp_ask *ask, struct pp_error *error)
{
    if (ask->prompt_count == 0) {
        pp_assign(ask->param, sizeof ask->param, "%s", fields[ask->shape].name);
        return pp_fail(error, PP_BAD_INPUT, "'%s' is missing", ask->param);
    }
    if (ask->prompt_count > PP_MOST_SEQUENCES / ask->n) {
        pp_assign(ask->param, sizeof ask->param, "n");
        return pp_fail(error, PP_BAD_INPUT,
                       "%d prompts with 'n' %d are more than %d sequences",
                       ask->prompt_count, ask->n, PP_MOST_SEQUENCES);
    }
    if (ask->sampling.temperature == 0)
        ask->sampling.greedy = true;
    return 0;
}

static int load(struct pp_ask *ask, const char *body, size_t size,
                struct pp_error *error)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
    json_error_t problem;
    if (!pp_json_has_room(size))
        return out_of_memory(error);
    errno = 0;
    ask->body = json_loadb(body, size, flags, &problem);
    if (!ask->body && pp_json_starved(&problem))
        return out_of_memory(error);
    if (!ask->body)
        return pp_fail(error, PP_BAD_INPUT,
                       "the body is not JSON: line %d, column %d: %s", problem.line,
                       problem.column, problem.text);
    if (!json_is_object(ask->body))
        return pp_fail(error, PP_BAD_INPUT, "the body should be a JSON object");
    return 0;
}

int pp_ask_parse(struct pp_ask *ask, enum pp_ask_shape shape, const char *body,
                 size_t size, struct pp_error *error)
{
    enum { COMPLETION_TOKENS = 16 }; /* as OpenAI's documentation has it */
    *ask = (struct pp_ask){
        .shape = shape,
        .n = 1,
        .max_tokens = shape == PP_SHAPE_COMPLETION ? COMPLETION_TOKENS : 0,
        .sampling = {.temperature = 1, .top_p = 1},
    };
    return load(ask, body, size, error) != 0 || read_fields(ask, error) != 0 ||
                   finish(ask, error) != 0
               ? -1
               : 0;
}
