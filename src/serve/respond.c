#include "serve/respond.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/words.h"
#include "serve/answer.h"
#include "serve/page.h"

static const char *type_of(unsigned status)
{
    switch (status) {
    case MHD_HTTP_UNAUTHORIZED:
        return "authentication_error";
    case MHD_HTTP_FORBIDDEN:
        return "permission_error";
    case MHD_HTTP_TOO_MANY_REQUESTS:
        return "rate_limit_error";
    default:
        return status < MHD_HTTP_INTERNAL_SERVER_ERROR ? "invalid_request_error"
                                                       : "server_error";
    }
}

void pp_refuse_with(struct pp_refusal *refusal, unsigned status, const char *format,
                    ...)
{
    va_list arguments;
    *refusal = (struct pp_refusal){.status = status, .type = type_of(status)};
    va_start(arguments, format);
    pp_assign_list(refusal->message, sizeof refusal->message, format, arguments);
    va_end(arguments);
    pp_make_printable(refusal->message);
}

/* No answer is for another site's page, to be kept, or to be taken for another type. */
static bool add_headers(struct MHD_Response *response, const char *type,
                        const char *policy)
{
    const char *const headers[][2] = {
        {MHD_HTTP_HEADER_CONTENT_TYPE, type},
        {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Content-Security-Policy", policy},
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        if (MHD_add_response_header(response, headers[i][0], headers[i][1]) != MHD_YES)
            return false;
    }
    return true;
}

/* Takes the response over. */
static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned status,
                                     struct MHD_Response *response, const char *type,
                                     const char *policy)
{
    enum MHD_Result result = MHD_NO;
    if (!response)
        return MHD_NO;
    if (add_headers(response, type, policy))
        result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static const char nothing[] = "default-src 'none'; frame-ancestors 'none'";
static const char application_json[] = "application/json";

static struct MHD_Response *text_response(char *text)
{
    static char no_memory[] = "{\"error\":{\"message\":\"out of memory\",\"type\":"
                              "\"server_error\",\"param\":null,\"code\":null}}";
    if (!text)
        return MHD_create_response_from_buffer(sizeof no_memory - 1, no_memory,
                                               MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    if (!response)
        free(text);
    return response;
}

enum MHD_Result pp_respond_text(struct MHD_Connection *connection, unsigned status,
                                const char *type, char *text)
{
    return send_response(connection, text ? status : MHD_HTTP_INTERNAL_SERVER_ERROR,
                         text_response(text), text ? type : application_json, nothing);
}

enum MHD_Result pp_respond_json(struct MHD_Connection *connection, unsigned status,
                                json_t *value)
{
    char *text = pp_json_dump(value, JSON_COMPACT);
    json_decref(value);
    return pp_respond_text(connection, status, application_json, text);
}

enum MHD_Result pp_respond_refusal(struct MHD_Connection *connection,
                                   const struct pp_refusal *refusal)
{
    struct MHD_Response *response = text_response(
        pp_answer_error(refusal->message, refusal->type,
                        refusal->param[0] ? refusal->param : NULL, refusal->code));
    char seconds[16];
    if (!response)
        return MHD_NO;
    snprintf(seconds, sizeof seconds, "%d", refusal->retry_s);
    if (refusal->retry_s > 0)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    if (refusal->allow)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, refusal->allow);
    if (refusal->status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    return send_response(connection, refusal->status, response, application_json,
                         nothing);
}

enum MHD_Result pp_respond_stream(struct MHD_Connection *connection,
                                  struct pp_outlet *outlet)
{
    enum { BLOCK = 1 << 13 };
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK, pp_outlet_read, outlet, NULL);
    /* Proxies hold back what they buffer. */
    if (response)
        MHD_add_response_header(response, "X-Accel-Buffering", "no");
    return send_response(connection, MHD_HTTP_OK, response, "text/event-stream",
                         nothing);
}

enum MHD_Result pp_respond_page(struct MHD_Connection *connection)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        pp_page_length, (void *)pp_page, MHD_RESPMEM_PERSISTENT);
    return send_response(connection, MHD_HTTP_OK, response, "text/html; charset=utf-8",
                         pp_page_csp);
}
