/* Answers over HTTP: what each has in its header, and the shape of a refusal. */
#ifndef PP_SERVE_RESPOND_H
#define PP_SERVE_RESPOND_H

#include <jansson.h>
#include <microhttpd.h>

#include "serve/outlet.h"

/* What a request is refused with, as OpenAI's API has it; status 0: it is not. */
struct pp_refusal {
    unsigned status;
    const char *type, *code; /* code: NULL */
    char param[64];          /* the field; "" */
    char message[512];
    int retry_s;       /* Retry-After; 0: none */
    const char *allow; /* of status 405: the method */
};

__attribute__((format(printf, 3, 4))) void
pp_refuse_with(struct pp_refusal *refusal, unsigned status, const char *format, ...);

/* text is taken over; NULL: there was no memory for it. */
enum MHD_Result pp_respond_text(struct MHD_Connection *connection, unsigned status,
                                const char *type, char *text);
/* Takes the value over. */
enum MHD_Result pp_respond_json(struct MHD_Connection *connection, unsigned status,
                                json_t *value);
enum MHD_Result pp_respond_refusal(struct MHD_Connection *connection,
                                   const struct pp_refusal *refusal);
/* The outlet is open, a stream. */
enum MHD_Result pp_respond_stream(struct MHD_Connection *connection,
                                  struct pp_outlet *outlet);
enum MHD_Result pp_respond_page(struct MHD_Connection *connection);

#endif
