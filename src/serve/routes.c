/* The routes: those that generate stand in generate.c, the others here. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "serve/exchange.h"

static enum MHD_Result show_page(struct pp_exchange *exchange,
                                 struct MHD_Connection *connection)
{
    (void)exchange;
    return pp_respond_page(connection);
}

/* The state and, unless all is well, the reason. With the lock. */
static json_t *state_json(const struct pp_hub *hub)
{
    const char *status = pp_hub_status(hub);
    json_t *state = json_object();
    const char *reason = hub->reason;
    if (hub->draining)
        reason = "the server ends when those under way have ended";
    else if (hub->state == PP_HUB_LOADING)
        reason = "the ranks start";
    pp_json_set(&state, "status", json_string(status));
    if (strcmp(status, "ready") != 0)
        pp_json_set(&state, "reason", json_string(reason));
    return state;
}

static enum MHD_Result show_health(struct pp_exchange *exchange,
                                   struct MHD_Connection *connection)
{
    struct pp_hub *hub = exchange->hub;
    pp_hub_lock(hub);
    bool ready = hub->state == PP_HUB_READY && !hub->draining;
    json_t *state = state_json(hub);
    pp_hub_unlock(hub);
    return pp_respond_json(connection,
                           ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, state);
}

static enum MHD_Result show_config(struct pp_exchange *exchange,
                                   struct MHD_Connection *connection)
{
    struct pp_hub *hub = exchange->hub;
    pp_hub_lock(hub);
    json_t *config = pp_json_copy(hub->info ? hub->info : json_null());
    pp_json_set(&config, "model", json_string(hub->model));
    pp_json_set(&config, "tokenizer",
                json_string(hub->tokenizer->end >= 0 ? "bpe" : "bytes"));
    pp_json_set(&config, "slots", json_integer(hub->slots));
    pp_json_set(&config, "queue", json_integer(hub->queue));
    pp_json_set(&config, "running", json_integer(hub->running.count));
    pp_json_set(&config, "waiting", json_integer(hub->waiting.count));
    if (!hub->info)
        pp_json_set(&config, "ranks", json_array());
    pp_hub_unlock(hub);
    return pp_respond_json(connection, MHD_HTTP_OK, config);
}

static enum MHD_Result show_models(struct pp_exchange *exchange,
                                   struct MHD_Connection *connection)
{
    const struct pp_hub *hub = exchange->hub;
    json_t *answer = json_object(), *models = json_array(), *model = json_object();
    pp_json_set(&model, "id", json_string(hub->model));
    pp_json_set(&model, "object", json_string("model"));
    pp_json_set(&model, "created", json_integer((json_int_t)hub->created));
    pp_json_set(&model, "owned_by", json_string("ppsim"));
    pp_json_append(&models, model);
    pp_json_set(&answer, "object", json_string("list"));
    pp_json_set(&answer, "data", models);
    return pp_respond_json(connection, MHD_HTTP_OK, answer);
}

static enum MHD_Result show_metrics(struct pp_exchange *exchange,
                                    struct MHD_Connection *connection)
{
    struct pp_hub *hub = exchange->hub;
    struct pp_bytes text = {0};
    pp_hub_lock(hub);
    const struct pp_metrics metrics = hub->metrics;
    const struct pp_gauges gauges = {
        .model = hub->model,
        .running = hub->running.count,
        .waiting = hub->waiting.count,
        .slots_used = (double)hub->running.count / hub->slots,
        .ready = hub->state == PP_HUB_READY,
    };
    pp_hub_unlock(hub);
    pp_metrics_print(&metrics, &gauges, &text);
    pp_bytes_add(&text, "", 1);
    if (text.failed)
        pp_bytes_release(&text);
    return pp_respond_text(connection, MHD_HTTP_OK, "text/plain; version=0.0.4",
                           text.all);
}

static enum MHD_Result show_events(struct pp_exchange *exchange,
                                   struct MHD_Connection *connection)
{
    struct pp_hub *hub = exchange->hub;
    struct pp_listener *listener = calloc(1, sizeof *listener);
    json_t *first = json_object();
    if (!listener) {
        json_decref(first);
        return MHD_NO;
    }
    pp_hub_lock(hub);
    bool full = hub->events.count >= PP_MOST_LISTENERS;
    if (!full) {
        exchange->listener = listener;
        pp_listener_open(listener, &hub->events, &hub->outlets, connection);
        pp_json_set(&first, "state", state_json(hub));
        pp_listener_send(listener, first);
    }
    pp_hub_unlock(hub);
    json_decref(first);
    if (!full)
        return pp_respond_stream(connection, &listener->outlet);
    free(listener);
    pp_refuse_with(&exchange->refusal, MHD_HTTP_TOO_MANY_REQUESTS,
                   "%d clients listen already", PP_MOST_LISTENERS);
    return pp_respond_refusal(connection, &exchange->refusal);
}

/* Whatever is under way has failed then; the main thread does the rest. */
static enum MHD_Result reconnect(struct pp_exchange *exchange,
                                 struct MHD_Connection *connection)
{
    struct pp_hub *hub = exchange->hub;
    pp_hub_lock(hub);
    bool draining = hub->draining;
    if (!draining && hub->state != PP_HUB_LOADING) {
        hub->restart = true;
        pp_hub_lose(hub, "the ranks are started again");
        hub->state = PP_HUB_LOADING;
        pp_hub_ring(hub);
    }
    json_t *state = state_json(hub);
    pp_hub_unlock(hub);
    return pp_respond_json(
        connection, draining ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_ACCEPTED, state);
}

static const char get[] = MHD_HTTP_METHOD_GET, post[] = MHD_HTTP_METHOD_POST;

const struct pp_route pp_routes[] = {
    {"/", get, true, show_page},
    {"/health", get, true, show_health},
    {"/config", get, false, show_config},
    {"/v1/models", get, false, show_models},
    {"/metrics", get, false, show_metrics},
    {"/events", get, false, show_events},
    {"/reconnect", post, false, reconnect},
    {"/chat", post, false, pp_handle_chat},
    {"/v1/completions", post, false, pp_handle_completions},
    {"/v1/chat/completions", post, false, pp_handle_chat_completions},
    {0},
};
