/* What a generation found, beside what every report has. */
#ifndef PP_REPORT_GENERATION_H
#define PP_REPORT_GENERATION_H

#include <jansson.h>
#include <stdbool.h>

/* Over sequences, or over tokens. */
struct pp_quantiles {
    double p50, p95, p99;
};

struct pp_report_generation {
    int groups; /* in flight; 0: the report is of no generation */
    int prefill_chunk;
    int prompt_tokens, generated_tokens;
    double tokens_per_s; /* generated, from the first op's start to the last's end */
    struct pp_quantiles ttft; /* s, of the sequences: from the first op's start to the
                               * end of the op that drew the first token */
    struct pp_quantiles tpot; /* s, of all tokens but the sequences' first: since the
                               * one before; NaN: there are none */
    double utilization;       /* 1 - bubble */
    double weight_Bps;    /* bytes of weights that a rank reads per second of its ops
                           * that decode, the mean of the ranks; NaN: none decoded */
    double read_Bps;      /* that one thread reads plainly, likewise */
    double memory_Bps;    /* of an array beyond the caches that one thread of each rank
                           * reads plainly, likewise; NaN: not measured */
    bool weights_cached;  /* on some rank weights fit the last cache, so that what reads
                           * them need not read memory */
    double median_bubble; /* simulated like predicted, but with the median costs */
    /* After the last batch of a prompt. */
    int decode_batches;
    double decode_bubble; /* NaN: there are no batches */
    double
        decode_theory; /* of equal stages and free links; NaN: groups take no turns */
    json_t *sequences; /* [{"prompt_tokens", "tokens", "text", "finish"}]; owned */
};

#endif
