/* What was executed, as data: the batches in their order, as a schedule that decodes,
 * and when each rank worked on each, as its timeline. */
#ifndef PP_GENERATE_RECORD_H
#define PP_GENERATE_RECORD_H

#include "generate/source.h"
#include "schedule/schedule.h"

struct pp_recorded {
    bool prefill;
    int group, rows;
    int64_t after;
};

struct pp_record {
    int ranks;
    struct pp_recorded *batches; /* [count] */
    struct pp_span *spans;       /* [count][ranks] */
    int count, capacity;
    bool full; /* memory was out, or a schedule cannot have more: the rest is missing */
};

void pp_record_init(struct pp_record *record, int ranks);
void pp_record_release(struct pp_record *record);

/* The next batch that has returned. */
void pp_record_add(struct pp_record *record, const struct pp_batch_trace *trace);

/* The schedule, called "decode", of all batches or (decoding) of those after the last
 * of a prompt alone; count is how many. Classes are by kind and rows. The timeline is
 * of it, and is to be released before it. PP_ENVIRONMENT when out of memory. After a
 * failure both may be released. */
int pp_record_timeline(const struct pp_record *record, bool decoding,
                       struct pp_schedule *schedule, struct pp_timeline *timeline,
                       struct pp_error *error);

/* Batches after the last of a prompt. */
int pp_record_decoding(const struct pp_record *record);

#endif
