#include "serve/link_source.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/json.h"
#include "base/words.h"

static json_t *id_json(uint64_t id)
{
    return json_integer((json_int_t)id);
}

static uint64_t id_of(const json_t *message, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(message, key));
}

/* Says something about one sequence, by itself. */
static void say(struct pp_link_source *link, const char *what, uint64_t id)
{
    json_t *message = json_object();
    pp_json_set(&message, what, id_json(id));
    pp_wire_add(&link->wire, message);
}

/* What is cancelled before the engine has asked for it was never there. */
static void forget(struct pp_link_source *link, uint64_t id)
{
    size_t i;
    json_t *join;
    json_array_foreach(link->joins, i, join)
    {
        if (id_of(join, "join") != id)
            continue;
        json_array_remove(link->joins, i);
        say(link, "gone", id);
        return;
    }
}

static struct pp_link_sequence *find(const struct pp_link_source *link, uint64_t id)
{
    for (int i = 0; i < link->running_count; i++) {
        if (link->running[i].id == id)
            return &link->running[i];
    }
    return NULL;
}

/* The engine has it from now on. */
static int add_running(struct pp_link_source *link, uint64_t id)
{
    if (link->running_count == link->running_room) {
        int room = 2 * link->running_room + 16;
        void *running = realloc(link->running, (size_t)room * sizeof *link->running);
        if (!running)
            return -1;
        link->running = running;
        link->running_room = room;
    }
    link->running[link->running_count++] = (struct pp_link_sequence){.id = id};
    return 0;
}

static void drop_running(struct pp_link_source *link, uint64_t id)
{
    struct pp_link_sequence *sequence = find(link, id);
    if (sequence)
        *sequence = link->running[--link->running_count];
}

/* One that has ended by itself meanwhile is no more to be cancelled. */
static void cancel(struct pp_link_source *link, uint64_t id)
{
    struct pp_link_sequence *sequence = find(link, id);
    if (sequence)
        sequence->cancelled = true;
    else
        forget(link, id);
}

static void listen_to_parent(struct pp_link_source *link)
{
    json_t *message;
    pp_wire_read(&link->wire);
    while ((message = pp_wire_next(&link->wire))) {
        if (json_object_get(message, "join") &&
            json_array_append(link->joins, message) != 0)
            link->wire.ended = true;
        if (json_object_get(message, "cancel"))
            cancel(link, id_of(message, "cancel"));
        if (json_object_get(message, "drain"))
            link->drained = true;
        json_decref(message);
    }
}

/* Takes the first request that waits. */
static int take_join(struct pp_link_source *link, struct pp_request *request)
{
    json_t *join = json_incref(json_array_get(link->joins, 0));
    const json_t *prompt = json_object_get(join, "prompt");
    size_t count = json_array_size(prompt);
    json_array_remove(link->joins, 0);
    free(link->prompt);
    link->prompt = calloc(count + 1, sizeof *link->prompt);
    if (!link->prompt || add_running(link, id_of(join, "join")) != 0) {
        json_decref(join);
        link->wire.ended = true;
        return -1;
    }
    for (size_t i = 0; i < count; i++)
        link->prompt[i] = (int32_t)json_integer_value(json_array_get(prompt, i));
    *request = (struct pp_request){
        .id = id_of(join, "join"),
        .prompt = link->prompt,
        .prompt_count = (int)count,
        .max_tokens = (int)json_integer_value(json_object_get(join, "max_tokens")),
        .index = (int)json_integer_value(json_object_get(join, "index")),
        .sampling =
            {
                .greedy = json_is_true(json_object_get(join, "greedy")),
                .temperature = json_number_value(json_object_get(join, "temperature")),
                .top_k = (int)json_integer_value(json_object_get(join, "top_k")),
                .top_p = json_number_value(json_object_get(join, "top_p")),
                .seed = id_of(join, "seed"),
            },
    };
    json_decref(join);
    return 1;
}

static int next(void *data, bool idle, struct pp_request *request)
{
    enum { SLEEP_MS = 100 };
    struct pp_link_source *link = data;
    pp_wire_write(&link->wire, true);
    listen_to_parent(link);
    bool nothing = json_array_size(link->joins) == 0;
    if (idle && nothing && !link->drained && !link->wire.ended) {
        poll(&(struct pollfd){.fd = link->wire.fd, .events = POLLIN}, 1, SLEEP_MS);
        listen_to_parent(link);
    }
    if (link->wire.ended)
        return -1;
    if (json_array_size(link->joins) > 0)
        return take_join(link, request);
    return link->drained ? -1 : 0;
}

static bool cancelled(void *data, uint64_t id)
{
    struct pp_link_source *link = data;
    listen_to_parent(link);
    if (link->wire.ended)
        return true;
    const struct pp_link_sequence *sequence = find(link, id);
    if (!sequence || !sequence->cancelled)
        return false;
    drop_running(link, id);
    say(link, "gone", id);
    return true;
}

static bool token(void *data, uint64_t id, int32_t value, bool last, const char *finish)
{
    struct pp_link_source *link = data;
    json_t *message = json_object();
    pp_json_set(&message, "token", id_json(id));
    pp_json_set(&message, "value", json_integer(value));
    pp_json_set(&message, "last", json_boolean(last));
    if (finish)
        pp_json_set(&message, "finish", json_string(finish));
    pp_wire_add(&link->wire, message);
    if (last)
        drop_running(link, id);
    return false;
}

static json_t *span_json(const struct pp_span *span)
{
    json_t *pair = json_array();
    pp_json_append(&pair, json_real((double)span->start / 1e9));
    pp_json_append(&pair, json_real((double)span->end / 1e9));
    return pair;
}

/* A batch's tokens go with it, in one write. */
static void batch(void *data, const struct pp_batch_trace *trace)
{
    struct pp_link_source *link = data;
    json_t *message = json_object(), *made = json_object();
    json_t *ids = json_array(), *spans = json_array();
    for (int i = 0; i < trace->piece_count; i++)
        pp_json_append(&ids, id_json(trace->pieces[i].id));
    for (int r = 0; r < trace->ranks; r++)
        pp_json_append(&spans, span_json(&trace->spans[r]));
    pp_json_set(&made, "n", json_integer((json_int_t)trace->number));
    pp_json_set(&made, "class", json_string(trace->prefill ? "prefill" : "decode"));
    pp_json_set(&made, "group", json_integer(trace->group));
    pp_json_set(&made, "rows", json_integer(trace->rows));
    pp_json_set(&made, "ids", ids);
    pp_json_set(&made, "spans", spans);
    pp_json_set(&message, "batch", made);
    pp_wire_add(&link->wire, message);
    pp_wire_write(&link->wire, true);
}

static json_t *rank_json(int r, const struct pp_engine_rank *rank)
{
    json_t *made = json_object();
    pp_json_set(&made, "rank", json_integer(r));
    pp_json_set(&made, "first_layer", json_integer(rank->first_layer));
    pp_json_set(&made, "layers", json_integer(rank->layers));
    pp_json_set(&made, "parameter_bytes", json_integer(rank->parameter_bytes));
    pp_json_set(&made, "kv_cache_bytes", json_integer(rank->kv_cache_bytes));
    pp_json_set(&made, "cpuset", json_string(rank->cpuset));
    pp_json_set(&made, "host", json_string(rank->host));
    pp_json_set(&made, "pid", json_integer(rank->pid));
    return made;
}

static void ready(void *data, const struct pp_engine_info *info)
{
    struct pp_link_source *link = data;
    const struct {
        const char *name;
        int value;
    } figures[] = {{"layers", info->layers},   {"d_model", info->d_model},
                   {"heads", info->heads},     {"vocab", info->vocab},
                   {"context", info->context}, {"groups", info->groups},
                   {"slots", info->slots},     {"prefill_chunk", info->prefill_chunk}};
    json_t *message = json_object(), *made = json_object(), *ranks = json_array();
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        pp_json_set(&made, figures[i].name, json_integer(figures[i].value));
    pp_json_set(&made, "clock", json_string(info->clock));
    for (int r = 0; r < info->ranks; r++)
        pp_json_append(&ranks, rank_json(r, &info->rank[r]));
    pp_json_set(&made, "ranks", ranks);
    pp_json_set(&message, "ready", made);
    pp_wire_add(&link->wire, message);
    pp_wire_write(&link->wire, true);
}

static int connect_to(const char *path, struct pp_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool fits = pp_assign(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd >= 0 && fits && connect(fd, (void *)&address, sizeof address) == 0)
        return fd;
    pp_fail(error, PP_ENVIRONMENT, "cannot reach the server at '%s': %s", path,
            fits ? strerror(errno) : "the path is too long");
    if (fd >= 0)
        close(fd);
    return -1;
}

int pp_link_source_init(struct pp_link_source *link, const char *path,
                        struct pp_error *error)
{
    *link = (struct pp_link_source){
        .source = {.data = link,
                   .ready = ready,
                   .next = next,
                   .cancelled = cancelled,
                   .token = token,
                   .batch = batch},
    };
    pp_wire_init(&link->wire, -1);
    link->joins = json_array();
    if (!link->joins)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the link");
    int fd = connect_to(path, error);
    if (fd < 0)
        return -1;
    pp_wire_init(&link->wire, fd);
    const char *end = strrchr(path, '/');
    pp_assign(link->folder, sizeof link->folder, "%.*s", end ? (int)(end - path) : 0,
              path);
    return 0;
}

void pp_link_source_release(struct pp_link_source *link)
{
    int lock = link->folder[0] ? pp_folder_open_lock(link->folder) : -1;
    if (lock >= 0 && pp_folder_ownerless(lock))
        pp_folder_remove(link->folder);
    if (lock >= 0)
        close(lock);
    pp_wire_release(&link->wire);
    json_decref(link->joins);
    free(link->prompt);
    free(link->running);
    *link = (struct pp_link_source){0};
    pp_wire_init(&link->wire, -1);
}
