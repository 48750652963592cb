#include "serve/hub.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/json.h"
#include "base/words.h"
#include "serve/answer.h"

int pp_hub_init(struct pp_hub *hub, struct pp_error *error)
{
    pthread_mutex_init(&hub->lock, NULL);
    hub->created = time(NULL);
    hub->outlets = (struct pp_outlets){.lock = &hub->lock};
    pp_wire_init(&hub->wire, -1);
    hub->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (hub->bell < 0)
        return pp_fail(error, PP_ENVIRONMENT, "cannot make an eventfd: %s",
                       strerror(errno));
    return 0;
}

void pp_hub_release(struct pp_hub *hub)
{
    pp_hub_lose(hub, "the server has ended");
    pp_wire_release(&hub->wire);
    json_decref(hub->info);
    if (hub->bell >= 0)
        close(hub->bell);
    pthread_mutex_destroy(&hub->lock);
}

void pp_hub_lock(struct pp_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
}

void pp_hub_unlock(struct pp_hub *hub)
{
    pthread_mutex_unlock(&hub->lock);
}

void pp_hub_ring(const struct pp_hub *hub)
{
    eventfd_write(hub->bell, 1);
}

const char *pp_hub_status(const struct pp_hub *hub)
{
    static const char *const names[] = {"loading", "ready", "dead"};
    return hub->draining && hub->state == PP_HUB_READY ? "draining" : names[hub->state];
}

/* The two lists. */

static void put(struct pp_sequences *list, struct pp_sequence *sequence)
{
    sequence->next = NULL;
    sequence->previous = list->last;
    if (list->last)
        list->last->next = sequence;
    else
        list->first = sequence;
    list->last = sequence;
    list->count++;
}

static void take(struct pp_sequences *list, struct pp_sequence *sequence)
{
    if (sequence->previous)
        sequence->previous->next = sequence->next;
    else
        list->first = sequence->next;
    if (sequence->next)
        sequence->next->previous = sequence->previous;
    else
        list->last = sequence->previous;
    list->count--;
}

/* To rank 0. */

static void tell(struct pp_hub *hub, json_t *message)
{
    pp_wire_add(&hub->wire, message);
    pp_hub_ring(hub);
}

static json_t *join_json(const struct pp_sequence *sequence)
{
    const struct pp_sampling *sampling = &sequence->job->ask.sampling;
    json_t *join = json_object(), *prompt = json_array();
    for (int i = 0; i < sequence->prompt_count; i++)
        pp_json_append(&prompt, json_integer(sequence->prompt[i]));
    pp_json_set(&join, "join", json_integer((json_int_t)sequence->id));
    pp_json_set(&join, "prompt", prompt);
    pp_json_set(&join, "max_tokens", json_integer(sequence->max_tokens));
    pp_json_set(&join, "index", json_integer(sequence->index));
    pp_json_set(&join, "temperature", json_real(sampling->temperature));
    pp_json_set(&join, "top_k", json_integer(sampling->top_k));
    pp_json_set(&join, "top_p", json_real(sampling->top_p));
    pp_json_set(&join, "seed", json_integer((json_int_t)sampling->seed));
    pp_json_set(&join, "greedy", json_boolean(sampling->greedy));
    return join;
}

static void start(struct pp_hub *hub, struct pp_sequence *sequence)
{
    take(&hub->waiting, sequence);
    put(&hub->running, sequence);
    sequence->state = PP_SEQUENCE_RUNS;
    sequence->joined = pp_now_s();
    pp_metrics_add(&hub->metrics, PP_QUEUE_TIME,
                   sequence->joined - sequence->job->began);
    tell(hub, join_json(sequence));
    free(sequence->prompt);
    sequence->prompt = NULL;
}

static void fill_slots(struct pp_hub *hub)
{
    while (hub->state == PP_HUB_READY && hub->waiting.first &&
           hub->running.count < hub->slots)
        start(hub, hub->waiting.first);
}

enum pp_admission pp_hub_submit(struct pp_hub *hub, struct pp_job *job)
{
    if (hub->state != PP_HUB_READY || hub->draining)
        return PP_ADMISSION_CLOSED;
    if (hub->running.count + hub->waiting.count + job->count >
        hub->slots + hub->queue) {
        hub->metrics.refused++;
        return PP_ADMISSION_FULL;
    }
    for (int i = 0; i < job->count; i++) {
        job->sequences[i]->id = ++hub->last_id;
        put(&hub->waiting, job->sequences[i]);
    }
    hub->metrics.prompt_tokens += (uint64_t)job->prompt_tokens;
    fill_slots(hub);
    return PP_ADMITTED;
}

/* Nobody wants more of a sequence that has not ended. */
static void leave(struct pp_hub *hub, struct pp_sequence *sequence)
{
    if (sequence->state == PP_SEQUENCE_WAITS && sequence->id > 0) {
        take(&hub->waiting, sequence);
        sequence->state = PP_SEQUENCE_ENDED;
    } else if (sequence->state == PP_SEQUENCE_RUNS) {
        json_t *cancel = json_object();
        pp_json_set(&cancel, "cancel", json_integer((json_int_t)sequence->id));
        tell(hub, cancel);
        sequence->state = PP_SEQUENCE_LEAVES;
    } else {
        return;
    }
    if (!sequence->finish)
        hub->metrics.outcomes[PP_OUTCOME_ABORT]++;
}

void pp_hub_cancel(struct pp_hub *hub, struct pp_job *job)
{
    for (int i = 0; i < job->count; i++)
        leave(hub, job->sequences[i]);
}

void pp_hub_drop(struct pp_hub *hub, struct pp_job *job)
{
    pp_hub_cancel(hub, job);
    for (int i = 0; i < job->count; i++) {
        if (job->sequences[i]->state != PP_SEQUENCE_LEAVES)
            continue;
        job->sequences[i]->job = NULL; /* freed when it has left */
        job->sequences[i] = NULL;
    }
    pp_outlet_close(&job->outlet);
    pp_job_release(job);
}

/* A running sequence is no more the ranks': its slot is free. */
static void free_slot(struct pp_hub *hub, struct pp_sequence *sequence)
{
    take(&hub->running, sequence);
    sequence->state = PP_SEQUENCE_ENDED;
    if (!sequence->job)
        pp_sequence_free(sequence);
    fill_slots(hub);
}

static void count_end(struct pp_hub *hub, const struct pp_sequence *sequence)
{
    struct pp_metrics *metrics = &hub->metrics;
    pp_metrics_add(metrics, PP_LATENCY, sequence->spoken - sequence->job->began);
    pp_metrics_add(metrics, PP_PREFILL_TIME, sequence->first - sequence->joined);
    pp_metrics_add(metrics, PP_DECODE_TIME, sequence->spoken - sequence->first);
    if (sequence->generated > 1)
        pp_metrics_add(metrics, PP_TIME_PER_TOKEN,
                       (sequence->spoken - sequence->first) /
                           (sequence->generated - 1));
    pp_metrics_add(metrics, PP_PROMPT_TOKENS, sequence->prompt_count);
    pp_metrics_add(metrics, PP_GENERATION_TOKENS, sequence->generated);
    metrics->outcomes[strcmp(sequence->finish, "length") == 0 ? PP_OUTCOME_LENGTH
                                                              : PP_OUTCOME_STOP]++;
}

static void count_token(struct pp_hub *hub, struct pp_sequence *sequence)
{
    double now = pp_now_s();
    hub->metrics.generation_tokens++;
    if (sequence->first == 0) {
        sequence->first = now;
        pp_metrics_add(&hub->metrics, PP_TIME_TO_FIRST_TOKEN,
                       now - sequence->job->began);
    } else {
        pp_metrics_add(&hub->metrics, PP_INTER_TOKEN, now - sequence->spoken);
    }
    sequence->spoken = now;
}

/* Its client's answer is made as far as it goes: text is what has come anew. */
static void answer(struct pp_hub *hub, struct pp_sequence *sequence,
                   const struct pp_bytes *text)
{
    struct pp_job *job = sequence->job;
    size_t length = pp_bytes_count(text);
    if (job->ask.stream && length > 0)
        pp_answer_text(job, sequence, pp_bytes_at(text), length);
    else if (length > 0)
        pp_bytes_add(&sequence->text, pp_bytes_at(text), length);
    if (sequence->finish) {
        count_end(hub, sequence);
        job->unfinished--;
        if (job->ask.stream)
            pp_answer_finish(job, sequence);
        job->outlet.ended = job->unfinished == 0;
    }
    if (job->ask.stream || job->outlet.ended)
        pp_outlet_wake(&job->outlet);
}

static struct pp_sequence *find(const struct pp_hub *hub, const json_t *id)
{
    struct pp_sequence *sequence = hub->running.first;
    while (sequence && (json_int_t)sequence->id != json_integer_value(id))
        sequence = sequence->next;
    return sequence;
}

static void fail(struct pp_job *job, const char *reason)
{
    if (job->failed || job->outlet.ended)
        return;
    job->failed = true;
    pp_assign(job->failure, sizeof job->failure, "%s", reason);
    if (job->ask.stream)
        pp_answer_failure(job);
    job->outlet.ended = true;
    pp_outlet_wake(&job->outlet);
}

static void hear_token(struct pp_hub *hub, const json_t *message)
{
    struct pp_sequence *sequence = find(hub, json_object_get(message, "token"));
    const char *ended = json_string_value(json_object_get(message, "finish"));
    bool last = json_is_true(json_object_get(message, "last"));
    struct pp_bytes text = {0};
    if (!sequence)
        return;
    if (sequence->state == PP_SEQUENCE_RUNS) {
        json_int_t token = json_integer_value(json_object_get(message, "value"));
        struct pp_job *job = sequence->job;
        count_token(hub, sequence);
        if (pp_sequence_hear(sequence, (int32_t)token,
                             last ? (ended ? ended : "end") : NULL, &text) != 0) {
            pp_hub_cancel(hub, job);
            fail(job, "out of memory for the answer");
        } else {
            answer(hub, sequence, &text);
            if (sequence->finish && !last)
                leave(hub, sequence); /* at a stop */
        }
        pp_bytes_release(&text);
    }
    if (last)
        free_slot(hub, sequence);
}

static void send_state(struct pp_hub *hub)
{
    json_t *event = json_object(), *state = json_object();
    pp_json_set(&state, "status", json_string(pp_hub_status(hub)));
    if (hub->reason[0])
        pp_json_set(&state, "reason", json_string(hub->reason));
    pp_json_set(&event, "state", state);
    pp_events_send(&hub->events, event);
    json_decref(event);
}

/* The file may hold another model when ranks are started again: the tokenizer is that
 * of the first. */
static bool is_other_model(const struct pp_hub *hub, const json_t *ready)
{
    return hub->info && !json_equal(json_object_get(hub->info, "vocab"),
                                    json_object_get(ready, "vocab"));
}

static void hear_ready(struct pp_hub *hub, json_t *ready)
{
    if (is_other_model(hub, ready)) {
        pp_hub_lose(hub, "the model has another vocabulary than when the server "
                         "started: start the server again");
        return;
    }
    json_decref(hub->info);
    hub->info = json_incref(ready);
    hub->state = PP_HUB_READY;
    hub->reason[0] = '\0';
    json_int_t slots = json_integer_value(json_object_get(ready, "slots"));
    if (slots > 0 && slots < hub->slots)
        hub->slots = (int)slots;
    send_state(hub);
}

void pp_hub_hear(struct pp_hub *hub, const json_t *message)
{
    json_t *ready = json_object_get(message, "ready");
    const json_t *gone = json_object_get(message, "gone");
    struct pp_sequence *sequence = gone ? find(hub, gone) : NULL;
    if (json_object_get(message, "token"))
        hear_token(hub, message);
    else if (sequence)
        free_slot(hub, sequence);
    else if (json_object_get(message, "batch"))
        pp_events_send(&hub->events, message);
    if (ready)
        hear_ready(hub, ready);
}

/* One of them is lost. */
static void lose(struct pp_hub *hub, struct pp_sequences *list)
{
    struct pp_sequence *sequence = list->first;
    struct pp_job *job = sequence->job;
    take(list, sequence);
    if (sequence->state != PP_SEQUENCE_LEAVES)
        hub->metrics.outcomes[PP_OUTCOME_ABORT]++;
    sequence->state = PP_SEQUENCE_ENDED;
    if (job)
        fail(job, hub->reason);
    else
        pp_sequence_free(sequence);
}

void pp_hub_lose(struct pp_hub *hub, const char *reason)
{
    pp_assign(hub->reason, sizeof hub->reason, "%s", reason);
    hub->state = PP_HUB_DEAD;
    while (hub->running.first)
        lose(hub, &hub->running);
    while (hub->waiting.first)
        lose(hub, &hub->waiting);
    send_state(hub);
}
