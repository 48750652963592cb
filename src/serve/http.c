#include "serve/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/exchange.h"

/* Seconds in which a request's header, its body, and the next request are to be there,
 * however slowly their bytes come. */
static const double header_s = 10, body_s = 30, next_s = 30;

static void set_deadline(struct pp_http *http, struct MHD_Connection *connection,
                         double seconds)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct pp_connection *own = info ? info->socket_context : NULL;
    if (!own)
        return;
    pp_hub_lock(http->hub);
    own->deadline = seconds > 0 ? pp_now_s() + seconds : 0;
    pp_hub_unlock(http->hub);
}

static void open_connection(struct pp_http *http, struct MHD_Connection *connection,
                            void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pp_connection *own = calloc(1, sizeof *own);
    if (!own || !info) {
        free(own);
        return;
    }
    own->socket = info->connect_fd;
    own->deadline = pp_now_s() + header_s;
    pp_hub_lock(http->hub);
    own->next = http->connections;
    own->link = &http->connections;
    if (own->next)
        own->next->link = &own->next;
    http->connections = own;
    pp_hub_unlock(http->hub);
    *context = own;
}

static void close_connection(struct pp_http *http, void **context)
{
    struct pp_connection *own = *context;
    if (!own)
        return;
    pp_hub_lock(http->hub);
    *own->link = own->next;
    if (own->next)
        own->next->link = own->link;
    pp_hub_unlock(http->hub);
    free(own);
    *context = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        open_connection(cls, connection, context);
    else
        close_connection(cls, context);
}

/* The socket stays open until MHD has seen its end. */
void pp_http_look(struct pp_http *http)
{
    double now = pp_now_s();
    for (struct pp_connection *own = http->connections; own; own = own->next) {
        if (own->deadline == 0 || now < own->deadline)
            continue;
        shutdown(own->socket, SHUT_RDWR);
        own->deadline = 0;
    }
}

/* The route of this path and method, or the refusal. What is asked by HEAD is what GET
 * would answer, without its body. */
static const struct pp_route *find_route(const char *path, const char *method,
                                         struct pp_refusal *refusal)
{
    const struct pp_route *other = NULL;
    if (strcmp(method, MHD_HTTP_METHOD_HEAD) == 0)
        method = MHD_HTTP_METHOD_GET;
    for (const struct pp_route *route = pp_routes; route->path; route++) {
        if (strcmp(route->path, path) != 0)
            continue;
        if (strcmp(route->method, method) == 0)
            return route;
        other = route;
    }
    if (!other) {
        pp_refuse_with(refusal, MHD_HTTP_NOT_FOUND, "there is no '%s' here", path);
        return NULL;
    }
    pp_refuse_with(refusal, MHD_HTTP_METHOD_NOT_ALLOWED, "'%s' takes %s alone", path,
                   other->method);
    refusal->allow = other->method;
    return NULL;
}

static enum MHD_Result count_length(void *cls, enum MHD_ValueKind kind,
                                    const char *name, const char *value)
{
    int *count = cls;
    (void)kind;
    (void)value;
    *count += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ||
              strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    return MHD_YES;
}

/* Where its length stands there twice, a proxy in between may have taken the other one:
 * what it holds for a body would be the next request here (RFC 9112, 6.3). */
static bool has_two_lengths(struct MHD_Connection *connection)
{
    int count = 0;
    MHD_get_connection_values(connection, MHD_HEADER_KIND, count_length, &count);
    return count > 1;
}

static void check_length(struct MHD_Connection *connection, struct pp_refusal *refusal)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length && strtoull(length, NULL, 10) > PP_MOST_BODY)
        pp_refuse_with(refusal, MHD_HTTP_CONTENT_TOO_LARGE,
                       "the body has %s bytes: at most %d are taken", length,
                       PP_MOST_BODY);
}

/* The header is there. */
static struct pp_exchange *begin(struct pp_http *http,
                                 struct MHD_Connection *connection, const char *path,
                                 const char *method)
{
    struct pp_exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange)
        return NULL;
    exchange->hub = http->hub;
    exchange->route = find_route(path, method, &exchange->refusal);
    struct pp_refusal guarded = {0};
    pp_guard_check(&http->guard, connection, method,
                   exchange->route && exchange->route->open, &guarded);
    /* A stranger does not learn which routes there are. */
    if (guarded.status &&
        (exchange->route || guarded.status != MHD_HTTP_UNSUPPORTED_MEDIA_TYPE))
        exchange->refusal = guarded;
    if (!exchange->refusal.status)
        check_length(connection, &exchange->refusal);
    set_deadline(http, connection, body_s);
    return exchange;
}

/* A part of the body. Of a request that is refused it is thrown away: its client may
 * read the answer only when it has sent all. */
static void take_body(struct pp_exchange *exchange, const char *data, size_t size)
{
    exchange->received += size;
    if (exchange->refusal.status)
        return;
    if (exchange->received > PP_MOST_BODY)
        pp_refuse_with(&exchange->refusal, MHD_HTTP_CONTENT_TOO_LARGE,
                       "the body is too long: at most %d bytes are taken",
                       PP_MOST_BODY);
    else
        pp_bytes_add(&exchange->body, data, size);
    if (exchange->body.failed)
        pp_refuse_with(&exchange->refusal, MHD_HTTP_INTERNAL_SERVER_ERROR,
                       "out of memory for a body");
    if (exchange->refusal.status)
        pp_bytes_release(&exchange->body);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *data, size_t *size,
                                  void **context)
{
    struct pp_http *http = cls;
    struct pp_exchange *exchange = *context;
    (void)version;
    if (!exchange) {
        *context = exchange = begin(http, connection, url, method);
        if (!exchange)
            return MHD_NO;
        if (has_two_lengths(connection)) {
            pp_refuse_with(&exchange->refusal, MHD_HTTP_BAD_REQUEST,
                           "the body's length is given more than once");
            /* An answer now closes the connection. */
            return pp_respond_refusal(connection, &exchange->refusal);
        }
        /* Who asks before it sends a body is told now. */
        if (exchange->refusal.status &&
            MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                        MHD_HTTP_HEADER_EXPECT))
            return pp_respond_refusal(connection, &exchange->refusal);
        return MHD_YES;
    }
    if (*size > 0) {
        take_body(exchange, data, *size);
        *size = 0;
        return MHD_YES;
    }
    set_deadline(http, connection, 0);
    if (exchange->refusal.status)
        return pp_respond_refusal(connection, &exchange->refusal);
    return exchange->route->handle(exchange, connection);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)code;
    if (*context)
        pp_exchange_free(*context);
    *context = NULL;
    set_deadline(cls, connection, next_s);
}

/* No route has an escape in it, so that what has one is none. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

int pp_http_start(struct pp_http *http, int listening, struct pp_error *error)
{
    enum { CONNECTIONS = 512, TIMEOUT_S = 30 };
    http->daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
        on_request, http, MHD_OPTION_LISTEN_SOCKET, listening,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes,
        NULL, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    if (http->daemon)
        return 0;
    close(listening);
    return pp_fail(error, PP_ENVIRONMENT, "cannot start the HTTP server");
}

void pp_http_stop(struct pp_http *http)
{
    if (http->daemon)
        MHD_stop_daemon(http->daemon);
    http->daemon = NULL;
}
