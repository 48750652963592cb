/* Figures of a server's life, as Prometheus reads them (text format 0.0.4). The names
 * are vLLM's, so that dashboards made for it show them: docs.vllm.ai, "Production
 * Metrics"; both its names of what was renamed there. */
#ifndef PP_SERVE_METRICS_H
#define PP_SERVE_METRICS_H

#include <stdint.h>

#include "serve/bytes.h"

enum { PP_MOST_BUCKETS = 24 };

enum pp_histogram {
    PP_TIME_TO_FIRST_TOKEN, /* s, from the request to a sequence's first token */
    PP_INTER_TOKEN,         /* s, between one token of a sequence and the next */
    PP_TIME_PER_TOKEN,      /* s, of a sequence: the mean of those between its tokens */
    PP_LATENCY,             /* s, from the request to a sequence's end */
    PP_QUEUE_TIME,          /* s, until a sequence had a slot */
    PP_PREFILL_TIME,        /* s, from then to its first token */
    PP_DECODE_TIME,         /* s, from its first token to its last */
    PP_PROMPT_TOKENS,       /* of a sequence */
    PP_GENERATION_TOKENS,   /* of a sequence */
    PP_HISTOGRAMS
};

enum pp_outcome { PP_OUTCOME_STOP, PP_OUTCOME_LENGTH, PP_OUTCOME_ABORT, PP_OUTCOMES };

struct pp_metrics {
    struct {
        uint64_t counts[PP_MOST_BUCKETS + 1]; /* the last: beyond all bounds */
        double sum;
    } histograms[PP_HISTOGRAMS];
    uint64_t prompt_tokens, generation_tokens, outcomes[PP_OUTCOMES];
    uint64_t refused; /* the queue was full */
    uint64_t starts;  /* of the ranks */
};

void pp_metrics_add(struct pp_metrics *metrics, enum pp_histogram histogram,
                    double value);

/* What is so at this moment. */
struct pp_gauges {
    const char *model;
    int running, waiting;
    double slots_used; /* part of all, 0 to 1 */
    bool ready;
};
void pp_metrics_print(const struct pp_metrics *metrics, const struct pp_gauges *gauges,
                      struct pp_bytes *text);

#endif
