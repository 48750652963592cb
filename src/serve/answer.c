#include "serve/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static json_t *text_json(const char *text, size_t length)
{
    return json_stringn(text, length);
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

/* Adds an event; where there is no memory for it the client is cut off, since half a
 * stream is none. Takes the data over. */
static void add_event(struct pp_job *job, json_t *data)
{
    struct pp_bytes *out = &job->outlet.out;
    char *text = pp_json_dump(data, JSON_COMPACT);
    json_decref(data);
    if (!text) {
        out->failed = true;
        return;
    }
    pp_bytes_add(out, "data: ", 6);
    pp_bytes_add(out, text, strlen(text));
    pp_bytes_add(out, "\n\n", 2);
    free(text);
}

static json_t *usage(const struct pp_job *job)
{
    json_t *figures = json_object();
    int generated = pp_job_generated(job);
    pp_json_set(&figures, "prompt_tokens", json_integer(job->prompt_tokens));
    pp_json_set(&figures, "completion_tokens", json_integer(generated));
    pp_json_set(&figures, "total_tokens",
                json_integer((json_int_t)job->prompt_tokens + generated));
    return figures;
}

/* What an answer of OpenAI's shapes, or a chunk of one, begins with. */
static json_t *head(const struct pp_job *job, bool chunk)
{
    json_t *answer = json_object();
    const char *object = job->ask.shape == PP_SHAPE_COMPLETION ? "text_completion"
                         : chunk                               ? "chat.completion.chunk"
                                                               : "chat.completion";
    pp_json_set(&answer, "id", json_string(job->name));
    pp_json_set(&answer, "object", json_string(object));
    pp_json_set(&answer, "created", json_integer((json_int_t)job->created));
    pp_json_set(&answer, "model", json_string(job->model));
    return answer;
}

/* The sequence's choice: content is its text, or its message or delta. */
static json_t *choice(const struct pp_job *job, const struct pp_sequence *sequence,
                      const char *key, json_t *content)
{
    json_t *made = json_object();
    pp_json_set(&made, "index", json_integer(sequence->index));
    pp_json_set(&made, key, content);
    if (job->ask.shape == PP_SHAPE_COMPLETION)
        pp_json_set(&made, "logprobs", json_null());
    pp_json_set(&made, "finish_reason", text_or_null(sequence->finish));
    return made;
}

static json_t *list_of(json_t *item)
{
    json_t *list = json_array();
    pp_json_append(&list, item);
    return list;
}

/* A delta of a chat: nothing where the text is NULL. */
static json_t *delta(bool role, const char *text, size_t length)
{
    json_t *made = json_object();
    if (role)
        pp_json_set(&made, "role", json_string("assistant"));
    if (text)
        pp_json_set(&made, "content", text_json(text, length));
    return made;
}

/* A chunk about one sequence: text, or NULL where it has ended. */
static json_t *chunk(const struct pp_job *job, struct pp_sequence *sequence,
                     const char *text, size_t length)
{
    json_t *made;
    if (job->ask.shape == PP_SHAPE_TEXT) {
        made = json_object();
        pp_json_set(&made, "text", text_json(text ? text : "", length));
        if (sequence->finish && !text)
            pp_json_set(&made, "finish_reason", json_string(sequence->finish));
        return made;
    }
    made = head(job, true);
    if (job->ask.shape == PP_SHAPE_COMPLETION)
        pp_json_set(&made, "choices",
                    list_of(choice(job, sequence, "text",
                                   text_json(text ? text : "", length))));
    else
        pp_json_set(&made, "choices",
                    list_of(choice(job, sequence, "delta",
                                   delta(!sequence->opened, text, length))));
    sequence->opened = true;
    return made;
}

void pp_answer_text(struct pp_job *job, struct pp_sequence *sequence, const char *text,
                    size_t length)
{
    const char *finish = sequence->finish;
    if (length == 0)
        return;
    sequence->finish = NULL; /* that has a chunk of its own */
    add_event(job, chunk(job, sequence, text, length));
    sequence->finish = finish;
}

void pp_answer_finish(struct pp_job *job, struct pp_sequence *sequence)
{
    static const char done[] = "data: [DONE]\n\n";
    const bool last = job->unfinished == 0, apart = job->ask.usage == PP_USAGE_APART;
    json_t *made = chunk(job, sequence, NULL, 0);
    if (last && job->ask.usage == PP_USAGE_LAST)
        pp_json_set(&made, "usage", usage(job));
    add_event(job, made);
    if (last && apart) {
        made = head(job, true);
        pp_json_set(&made, "choices", json_array());
        pp_json_set(&made, "usage", usage(job));
        add_event(job, made);
    }
    if (last)
        pp_bytes_add(&job->outlet.out, done, sizeof done - 1);
}

static json_t *error_json(const char *message, const char *type, const char *param,
                          const char *code)
{
    json_t *made = json_object(), *inner = json_object();
    pp_json_set(&inner, "message", json_string(message));
    pp_json_set(&inner, "type", json_string(type));
    pp_json_set(&inner, "param", text_or_null(param));
    pp_json_set(&inner, "code", text_or_null(code));
    pp_json_set(&made, "error", inner);
    return made;
}

void pp_answer_failure(struct pp_job *job)
{
    add_event(job, error_json(job->failure, "server_error", NULL, "unavailable"));
}

char *pp_answer_error(const char *message, const char *type, const char *param,
                      const char *code)
{
    json_t *made = error_json(message, type, param, code);
    char *text = pp_json_dump(made, JSON_COMPACT);
    json_decref(made);
    return text;
}

static json_t *sequence_text(const struct pp_sequence *sequence)
{
    size_t length = pp_bytes_count(&sequence->text);
    return text_json(length > 0 ? pp_bytes_at(&sequence->text) : "", length);
}

static json_t *whole_choice(const struct pp_job *job,
                            const struct pp_sequence *sequence)
{
    if (job->ask.shape == PP_SHAPE_COMPLETION)
        return choice(job, sequence, "text", sequence_text(sequence));
    json_t *message = json_object();
    pp_json_set(&message, "role", json_string("assistant"));
    pp_json_set(&message, "content", sequence_text(sequence));
    return choice(job, sequence, "message", message);
}

char *pp_answer_whole(const struct pp_job *job)
{
    const struct pp_sequence *first = job->sequences[0];
    json_t *made = job->ask.shape == PP_SHAPE_TEXT ? json_object() : head(job, false);
    if (job->ask.shape == PP_SHAPE_TEXT) {
        pp_json_set(&made, "text", sequence_text(first));
        pp_json_set(&made, "finish_reason", json_string(first->finish));
    } else {
        json_t *choices = json_array();
        for (int i = 0; i < job->count; i++)
            pp_json_append(&choices, whole_choice(job, job->sequences[i]));
        pp_json_set(&made, "choices", choices);
    }
    pp_json_set(&made, "usage", usage(job));
    char *text = pp_json_dump(made, JSON_COMPACT);
    json_decref(made);
    return text;
}
