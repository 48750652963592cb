/* Rank 0's end of the link: requests come from serve's parent over a Unix socket, and
 * tokens go back. Lines of JSON. The parent says
 *
 *   {"join":ID,"prompt":[…],"max_tokens":N,"index":I,"temperature":X,"top_k":K,
 *    "top_p":P,"seed":S,"greedy":B}
 *   {"cancel":ID}      it is to leave, if it is still there
 *   {"drain":true}     no request comes any more
 *
 * and rank 0
 *
 *   {"ready":{"layers":…,…,"ranks":[{"rank":0,"first_layer":0,"layers":3,
 *     "parameter_bytes":…,"kv_cache_bytes":…,"cpuset":…,"host":…,"pid":…},…]}}
 *   {"token":ID,"value":T,"last":B,"finish":"length|end"}
 *   {"gone":ID}        it has left: its slot is free
 *   {"batch":{"n":…,"class":"prefill|decode","group":…,"rows":…,"ids":[…],
 *     "spans":[[start,end],…]}}   in seconds, a span for each rank
 *
 * When the parent ends, however it does, so does the source: no more requests, and all
 * that is under way is to leave. */
#ifndef PP_SERVE_LINK_SOURCE_H
#define PP_SERVE_LINK_SOURCE_H

#include "generate/source.h"
#include "serve/wire.h"

/* In the environment of the ranks, and of the child that starts them: the socket. */
#define PP_SERVE_SOCKET "PPSIM_SERVE_SOCKET"

struct pp_link_source {
    struct pp_source source; /* for the engine; its data is this */
    struct pp_wire wire;
    char folder[108]; /* of the socket */
    bool drained;
    json_t *joins;   /* requests that have not been asked for */
    int32_t *prompt; /* of the last that was */
    struct pp_link_sequence {
        uint64_t id;
        bool cancelled;
    } * running; /* [running_count] those that the engine has and that have not ended */
    int running_count, running_room;
};

/* Connects to the socket at path. PP_ENVIRONMENT. */
int pp_link_source_init(struct pp_link_source *link, const char *path,
                        struct pp_error *error);
/* Removes the parent's folder if that has ended without doing so. */
void pp_link_source_release(struct pp_link_source *link);

#endif
