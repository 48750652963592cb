#include "serve/serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/words.h"
#include "serve/deaths.h"
#include "serve/http.h"
#include "serve/link_source.h"
#include "serve/listen.h"
#include "serve/ranks.h"

/* How often it looks at clients and ranks, however little happens. */
enum { LOOK_MS = 250 };
/* When ranks that were asked to end are told to, and when they are killed; how long
 * they may take to end once they have nothing more to do. */
static const double told_s = 1.2, killed_s = 6, rest_s = 5;

struct server {
    const struct pp_serve_config *config;
    struct pp_hub hub;
    struct pp_http http;
    struct pp_ranks ranks;
    struct pp_deaths deaths;
    struct pp_folder folder;
    char *path; /* of the link's socket */
    char address[PP_LISTEN_ADDRESS];
    int local, signals; /* the link's socket, where rank 0 connects; signalfd */
    bool was_ready;     /* once: from then on the server outlives its ranks */
    bool said_ready;    /* of these ranks */
    bool drained;       /* the ranks were told that nothing more comes */
    double ending; /* since when the ranks are asked to end, in s; 0: they are not */
    double last_asked; /* the last time that they were */
    double alone;      /* since when rank 0 is gone and the child still there */
    int stopped;       /* the first signal; 0 */
    double stopped_at;
    bool over;
    int status;
};

static void set_signals(struct server *server)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD};
    struct sigaction before;
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        sigaction(numbers[i], NULL, &before);
        /* What is ignored stays so, as nohup has it. */
        if (numbers[i] == SIGCHLD || before.sa_handler != SIG_IGN)
            sigaddset(&set, numbers[i]);
    }
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    server->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* The ranks. */

static int start_ranks(struct server *server, struct pp_error *error)
{
    struct pp_hub *hub = &server->hub;
    if (pp_ranks_start(&server->ranks, server->config->command, PP_SERVE_SOCKET,
                       server->path, error) != 0)
        return -1;
    server->ending = server->alone = 0;
    server->said_ready = false;
    pp_deaths_release(&server->deaths);
    pp_hub_lock(hub);
    hub->state = PP_HUB_LOADING;
    hub->reason[0] = '\0';
    hub->restart = false;
    hub->metrics.starts++;
    pp_hub_unlock(hub);
    return 0;
}

/* Asks them to end, then tells them, then kills them: to be called again and again.
 * Rank 0 does so by itself when the link has ended. */
static void end_ranks(struct server *server)
{
    double now = pp_now_s();
    if (server->ranks.child <= 0)
        return;
    if (server->ending == 0) {
        pp_hub_lock(&server->hub);
        pp_wire_release(&server->hub.wire);
        pp_hub_unlock(&server->hub);
        server->ending = now;
    } else if (now - server->last_asked < told_s) {
        return;
    }
    server->last_asked = now;
    pp_ranks_end(&server->ranks, now - server->ending >= killed_s);
}

/* Without the lock, since who reads standard output may be slow: what the ranks are
 * changes in this thread alone. */
static void say_ready(struct server *server)
{
    const json_t *info = server->hub.info;
    long long layers = json_integer_value(json_object_get(info, "layers"));
    size_t ranks = json_array_size(json_object_get(info, "ranks"));
    int slots = server->hub.slots;
    printf("serving %s (%s, %lld layer%s on %zu rank%s, %d sequence%s at once; Ctrl-C "
           "ends)\n",
           server->address, server->config->model, layers, layers == 1 ? "" : "s",
           ranks, ranks == 1 ? "" : "s", slots, slots == 1 ? "" : "s");
    fflush(stdout);
    server->was_ready = server->said_ready = true;
    pp_deaths_watch(&server->deaths, json_object_get(info, "ranks"));
}

/* With the lock. */
static void listen_to_ranks(struct server *server)
{
    struct pp_hub *hub = &server->hub;
    json_t *message;
    pp_wire_write(&hub->wire, false);
    pp_wire_read(&hub->wire);
    while ((message = pp_wire_next(&hub->wire))) {
        pp_hub_hear(hub, message);
        json_decref(message);
    }
    if (hub->state == PP_HUB_DEAD && server->alone == 0)
        server->alone = pp_now_s(); /* they live, but are of no use */
    if (!hub->wire.ended)
        return;
    pp_wire_release(&hub->wire);
    server->alone = pp_now_s();
    if (hub->state == PP_HUB_READY && !server->drained)
        pp_hub_lose(hub, "the ranks have ended");
}

/* mpiexec takes a second and more until it has ended the other ranks of one that has
 * died, and says so: clients are not kept waiting for that. */
static void note_deaths(struct server *server)
{
    char reason[64];
    int rank = pp_deaths_look(&server->deaths);
    if (rank < 0 || server->drained || server->ending > 0)
        return;
    pp_assign(reason, sizeof reason, "rank %d has ended", rank);
    server->alone = pp_now_s();
    pp_hub_lock(&server->hub);
    if (server->hub.state == PP_HUB_READY)
        pp_hub_lose(&server->hub, reason);
    pp_hub_unlock(&server->hub);
}

static void accept_ranks(struct server *server)
{
    int fd = accept4(server->local, NULL, NULL, SOCK_CLOEXEC);
    pp_hub_lock(&server->hub);
    if (fd >= 0 && server->hub.wire.fd < 0)
        pp_wire_init(&server->hub.wire, fd);
    else if (fd >= 0)
        close(fd);
    pp_hub_unlock(&server->hub);
}

/* The child has ended, and with it all ranks. */
static void note_end(struct server *server, int status)
{
    struct pp_hub *hub = &server->hub;
    char reason[sizeof server->ranks.reason];
    bool wanted = server->ending > 0 || server->drained;
    pp_hub_lock(hub);
    if (server->ranks.reason[0])
        pp_assign(reason, sizeof reason, "%s", server->ranks.reason);
    else if (hub->state == PP_HUB_DEAD)
        pp_assign(reason, sizeof reason, "%s", hub->reason);
    else
        pp_assign(reason, sizeof reason, "the ranks ended with status %d", status);
    bool restart = hub->restart;
    if (hub->wire.fd >= 0)
        listen_to_ranks(server); /* their last words */
    pp_wire_release(&hub->wire);
    if (!restart)
        pp_hub_lose(hub, server->drained ? "the server has ended" : reason);
    pp_hub_unlock(hub);
    server->ending = 0;
    if (!wanted && !server->was_ready) {
        server->over = true;
        server->status = status > 0 && status < 128 ? status : PP_ENVIRONMENT;
    } else if (!wanted && !restart) {
        fprintf(stderr, "ppsim: the ranks have ended: POST /reconnect starts them "
                        "again\n");
    }
}

/* What is to be done about the ranks, as things are. */
static void look_at_ranks(struct server *server)
{
    struct pp_error error = {0};
    struct pp_hub *hub = &server->hub;
    int status;
    pp_ranks_listen(&server->ranks);
    if (pp_ranks_ended(&server->ranks, &status))
        note_end(server, status);
    pp_hub_lock(hub);
    bool restart = hub->restart && !hub->draining;
    pp_hub_unlock(hub);
    if (server->ranks.child > 0 &&
        (restart || server->ending > 0 ||
         (server->alone > 0 && pp_now_s() - server->alone > rest_s)))
        end_ranks(server);
    if (restart && server->ranks.child == 0 && !server->over &&
        start_ranks(server, &error) != 0) {
        fprintf(stderr, "ppsim: %s\n", error.text);
        pp_hub_lock(hub);
        hub->restart = false;
        pp_hub_lose(hub, error.text);
        pp_hub_unlock(hub);
    }
}

/* The end. */

static void note_signal(struct server *server, int number)
{
    struct pp_hub *hub = &server->hub;
    double now = pp_now_s();
    if (number == SIGCHLD)
        return;
    /* What comes again at once is the same one: timeout(1) sends each to its child and
     * then to the group. */
    if (server->stopped == number && now - server->stopped_at < 0.2)
        return;
    if (server->stopped || number == SIGQUIT) {
        server->over = true;
        server->status = number == SIGINT ? PP_INTERRUPTED : PP_TERMINATED;
        return;
    }
    server->stopped = number;
    server->stopped_at = now;
    pp_hub_lock(hub);
    hub->draining = true;
    int left = hub->running.count + hub->waiting.count;
    pp_hub_unlock(hub);
    if (left > 0)
        fprintf(stderr,
                "ppsim: %d sequence%s under way: ends when they have ended; once more "
                "ends at once\n",
                left, left == 1 ? " is" : "s are");
}

static void read_signals(struct server *server)
{
    struct signalfd_siginfo info;
    while (read(server->signals, &info, sizeof info) == sizeof info)
        note_signal(server, (int)info.ssi_signo);
}

/* While it drains: ends what has nothing more to do. */
static void drain(struct server *server)
{
    struct pp_hub *hub = &server->hub;
    pp_hub_lock(hub);
    bool draining = hub->draining, ready = hub->state == PP_HUB_READY;
    bool done = hub->running.count + hub->waiting.count == 0 &&
                hub->outlets.count == hub->events.count;
    if (draining && done && ready && !server->drained) {
        json_t *message = json_object();
        json_object_set_new(message, "drain", json_true());
        pp_wire_add(&hub->wire, message);
        pp_wire_write(&hub->wire, false);
        server->drained = true;
        server->alone = pp_now_s();
    }
    pp_hub_unlock(hub);
    if (!draining || !done)
        return;
    if (server->ranks.child > 0 && !server->drained)
        end_ranks(server);
    if (server->ranks.child == 0)
        server->over = true;
}

static void look(struct server *server)
{
    look_at_ranks(server);
    pp_hub_lock(&server->hub);
    pp_outlets_look(&server->hub.outlets);
    pp_http_look(&server->http);
    pp_hub_unlock(&server->hub);
    drain(server);
}

static void wait_and_do(struct server *server)
{
    struct pp_hub *hub = &server->hub;
    eventfd_t rings;
    pp_hub_lock(hub);
    short more = pp_wire_waits(&hub->wire) ? POLLIN | POLLOUT : POLLIN;
    int wire = hub->wire.fd;
    pp_hub_unlock(hub);
    struct pollfd things[] = {
        {.fd = wire, .events = more},
        {.fd = wire < 0 ? server->local : -1, .events = POLLIN},
        {.fd = server->ranks.said, .events = POLLIN},
        {.fd = server->signals, .events = POLLIN},
        {.fd = hub->bell, .events = POLLIN},
        {.fd = server->deaths.any, .events = POLLIN},
    };
    poll(things, sizeof things / sizeof things[0], LOOK_MS);
    eventfd_read(hub->bell, &rings);
    read_signals(server);
    if (things[1].revents)
        accept_ranks(server);
    pp_hub_lock(hub);
    if (hub->wire.fd >= 0)
        listen_to_ranks(server);
    bool ready = hub->state == PP_HUB_READY;
    pp_hub_unlock(hub);
    if (ready && !server->said_ready)
        say_ready(server);
    note_deaths(server);
}

static void serve(struct server *server)
{
    double looked = 0;
    while (!server->over) {
        wait_and_do(server);
        if (pp_now_s() - looked < LOOK_MS / 1e3 && !server->hub.draining &&
            server->hub.wire.fd >= 0)
            continue;
        look(server);
        looked = pp_now_s();
    }
}

static int start(struct server *server, struct pp_error *error)
{
    const struct pp_serve_config *config = server->config;
    server->http.guard.host = config->host;
    if (config->key_file &&
        pp_guard_read_key(&server->http.guard, config->key_file, error) != 0)
        return -1;
    if (!config->key_file && !pp_guard_is_local(config->host))
        return pp_fail(error, PP_BAD_INPUT,
                       "'--host' '%s' lets other machines in: give '--api-key-file', a "
                       "file with a key that they are to know",
                       config->host);
    int listening = pp_listen_http(config->host, config->port, server->address, error);
    if (listening < 0)
        return -1;
    set_signals(server);
    server->hub.model = config->model;
    server->hub.tokenizer = config->tokenizer;
    server->hub.turns = config->turns;
    server->hub.slots = config->slots;
    server->hub.queue = config->queue;
    server->http.hub = &server->hub;
    server->local = pp_listen_local(&server->folder, &server->path, error);
    if (server->local < 0 || pp_hub_init(&server->hub, error) != 0) {
        close(listening);
        return -1;
    }
    return pp_http_start(&server->http, listening, error) != 0
               ? -1
               : start_ranks(server, error);
}

/* Lets clients go, and the ranks. */
static void stop(struct server *server)
{
    int status;
    pp_hub_lock(&server->hub);
    pp_outlets_close(&server->hub.outlets);
    pp_hub_unlock(&server->hub);
    pp_http_stop(&server->http);
    while (server->ranks.child > 0) {
        end_ranks(server);
        poll(&(struct pollfd){.fd = server->ranks.said, .events = POLLIN}, 1, 20);
        pp_ranks_listen(&server->ranks);
        if (pp_ranks_ended(&server->ranks, &status))
            break;
    }
}

int pp_serve(const struct pp_serve_config *config, int *status, struct pp_error *error)
{
    struct server server = {
        .config = config, .local = -1, .signals = -1, .hub = {.bell = -1}};
    pp_deaths_init(&server.deaths);
    pp_ranks_init(&server.ranks);
    int started = start(&server, error);
    if (started == 0)
        serve(&server);
    if (server.http.daemon)
        stop(&server);
    if (server.hub.bell >= 0)
        pp_hub_release(&server.hub);
    pp_deaths_release(&server.deaths);
    if (server.local >= 0)
        close(server.local);
    if (server.signals >= 0)
        close(server.signals);
    free(server.path);
    pp_folder_release(&server.folder);
    *status = server.status;
    return started;
}
