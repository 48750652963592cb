/* The routes that generate: a request becomes a job, its client sleeps until there is
 * something for it. */
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "serve/answer.h"
#include "serve/ask_read.h"
#include "serve/exchange.h"

/* So many bytes may wait for a client that does not read its stream. */
enum { MOST_WAITING = 1 << 20, RETRY_S = 2, LOADING_S = 5 };

static void on_left(struct pp_outlet *outlet)
{
    pp_hub_cancel(outlet->data, (struct pp_job *)outlet);
}

/* What went wrong with a body. */
static void refuse(struct pp_exchange *exchange, const struct pp_error *error,
                   const char *param, const char *code)
{
    pp_refuse_with(&exchange->refusal,
                   error->status == PP_BAD_INPUT ? MHD_HTTP_BAD_REQUEST
                                                 : MHD_HTTP_INTERNAL_SERVER_ERROR,
                   "%s", error->text);
    pp_assign(exchange->refusal.param, sizeof exchange->refusal.param, "%s", param);
    exchange->refusal.code = code;
}

static void refuse_closed(struct pp_exchange *exchange, const char *status,
                          const char *reason)
{
    pp_refuse_with(&exchange->refusal, MHD_HTTP_SERVICE_UNAVAILABLE,
                   "the server is %s%s%s", status, reason[0] ? ": " : "", reason);
    exchange->refusal.code = "unavailable";
    if (strcmp(status, "loading") == 0)
        exchange->refusal.retry_s = LOADING_S;
}

/* What a prompt is to fit, while the ranks are ready; else the request is refused. */
static bool read_limits(struct pp_exchange *exchange, struct pp_limits *limits)
{
    struct pp_hub *hub = exchange->hub;
    pp_hub_lock(hub);
    const char *status = pp_hub_status(hub);
    bool ready = strcmp(status, "ready") == 0;
    *limits = (struct pp_limits){
        .vocab = (int)json_integer_value(json_object_get(hub->info, "vocab")),
        .context = (int)json_integer_value(json_object_get(hub->info, "context")),
        .turns = hub->turns,
        .tokenizer = hub->tokenizer,
    };
    if (!ready)
        refuse_closed(exchange, status, hub->reason);
    pp_hub_unlock(hub);
    return ready;
}

/* Reads the body and makes the job, or refuses. */
static bool make_job(struct pp_exchange *exchange, enum pp_ask_shape shape)
{
    struct pp_error error = {0};
    struct pp_ask ask;
    struct pp_limits limits;
    struct pp_job *job = &exchange->job;
    bool too_long;
    size_t size = pp_bytes_count(&exchange->body);
    if (!read_limits(exchange, &limits))
        return false;
    if (pp_ask_parse(&ask, shape, size > 0 ? pp_bytes_at(&exchange->body) : "", size,
                     &error) != 0) {
        refuse(exchange, &error, ask.param, NULL);
        pp_ask_release(&ask);
        return false;
    }
    pp_bytes_release(&exchange->body);
    if (pp_job_init(job, &ask, &limits, &too_long, &error) != 0) {
        static const char *const fields[] = {"prompt", "messages", "text"};
        refuse(exchange, &error, fields[shape],
               too_long ? "context_length_exceeded" : NULL);
        pp_job_release(job);
        return false;
    }
    job->model = exchange->hub->model;
    return true;
}

/* With the lock: the job waits for its slots, and its client for it; or it is refused.
 */
static void submit(struct pp_exchange *exchange, struct MHD_Connection *connection)
{
    struct pp_hub *hub = exchange->hub;
    struct pp_job *job = &exchange->job;
    job->outlet.most = MOST_WAITING;
    job->outlet.on_left = on_left;
    job->outlet.data = hub;
    exchange->has_job = true;
    if (job->count > hub->slots + hub->queue) {
        pp_refuse_with(&exchange->refusal, MHD_HTTP_BAD_REQUEST,
                       "%d sequences at once are more than the %d slots and the queue "
                       "of %d hold",
                       job->count, hub->slots, hub->queue);
        return;
    }
    enum pp_admission admission = pp_hub_submit(hub, job);
    if (admission == PP_ADMITTED) {
        pp_outlet_open(&job->outlet, &hub->outlets, connection, job->ask.stream);
        if (!job->ask.stream)
            pp_outlet_sleep(&job->outlet);
    } else if (admission == PP_ADMISSION_FULL) {
        pp_refuse_with(&exchange->refusal, MHD_HTTP_TOO_MANY_REQUESTS,
                       "the queue is full: %d sequences run and %d wait",
                       hub->running.count, hub->waiting.count);
        exchange->refusal.code = "queue_full";
        exchange->refusal.retry_s = RETRY_S;
    } else {
        refuse_closed(exchange, pp_hub_status(hub), hub->reason);
    }
}

/* A client that waited for a whole answer is awake: because it is there, or because the
 * client, or the ranks, are not. */
static enum MHD_Result wake_up(struct pp_exchange *exchange,
                               struct MHD_Connection *connection)
{
    static const char application_json[] = "application/json";
    struct pp_hub *hub = exchange->hub;
    struct pp_job *job = &exchange->job;
    pp_hub_lock(hub);
    bool left = job->outlet.left, ended = job->outlet.ended, failed = job->failed;
    if (!left && !ended)
        pp_outlet_sleep(&job->outlet);
    pp_hub_unlock(hub);
    if (left)
        return MHD_NO;
    if (!ended)
        return MHD_YES;
    if (failed) {
        pp_refuse_with(&exchange->refusal, MHD_HTTP_SERVICE_UNAVAILABLE, "%s",
                       job->failure);
        exchange->refusal.code = "unavailable";
        return pp_respond_refusal(connection, &exchange->refusal);
    }
    return pp_respond_text(connection, MHD_HTTP_OK, application_json,
                           pp_answer_whole(job));
}

static enum MHD_Result generate(struct pp_exchange *exchange,
                                struct MHD_Connection *connection,
                                enum pp_ask_shape shape)
{
    struct pp_hub *hub = exchange->hub;
    if (exchange->has_job)
        return wake_up(exchange, connection);
    if (make_job(exchange, shape)) {
        pp_hub_lock(hub);
        submit(exchange, connection);
        pp_hub_unlock(hub);
    }
    if (exchange->refusal.status)
        return pp_respond_refusal(connection, &exchange->refusal);
    if (exchange->job.ask.stream)
        return pp_respond_stream(connection, &exchange->job.outlet);
    return MHD_YES;
}

enum MHD_Result pp_handle_completions(struct pp_exchange *exchange,
                                      struct MHD_Connection *connection)
{
    return generate(exchange, connection, PP_SHAPE_COMPLETION);
}

enum MHD_Result pp_handle_chat_completions(struct pp_exchange *exchange,
                                           struct MHD_Connection *connection)
{
    return generate(exchange, connection, PP_SHAPE_CHAT);
}

enum MHD_Result pp_handle_chat(struct pp_exchange *exchange,
                               struct MHD_Connection *connection)
{
    return generate(exchange, connection, PP_SHAPE_TEXT);
}

void pp_exchange_free(struct pp_exchange *exchange)
{
    struct pp_hub *hub = exchange->hub;
    pp_hub_lock(hub);
    if (exchange->has_job)
        pp_hub_drop(hub, &exchange->job);
    if (exchange->listener)
        pp_listener_close(exchange->listener, &hub->events);
    pp_hub_unlock(hub);
    free(exchange->listener);
    pp_bytes_release(&exchange->body);
    free(exchange);
}
