/* A request under way: its sequences, and what has become of each. */
#ifndef PP_SERVE_JOB_H
#define PP_SERVE_JOB_H

#include <time.h>

#include "base/error.h"
#include "generate/stopper.h"
#include "serve/ask.h"
#include "serve/outlet.h"
#include "serve/prompt.h"
#include "text/text_decoder.h"

struct pp_sequence {
    struct pp_sequence *next, *previous; /* of those that wait, or that run */
    struct pp_job *job;                  /* NULL: nobody wants it any more */
    uint64_t id;
    int index; /* of its choice in the answer, and of its random numbers */
    enum {
        PP_SEQUENCE_WAITS,
        PP_SEQUENCE_RUNS,
        PP_SEQUENCE_LEAVES, /* the ranks have yet to say that they let it go */
        PP_SEQUENCE_ENDED
    } state;
    int32_t *prompt; /* [prompt_count] owned */
    int prompt_count, generated, max_tokens;
    const char *finish; /* "stop" or "length"; NULL: not yet */
    bool opened;        /* a chat's stream has said who speaks */
    struct pp_text_decoder decoder;
    struct pp_stopper stopper;
    bool stopped;                 /* one of its stops has come */
    struct pp_bytes text;         /* of an answer that is not streamed */
    double joined, first, spoken; /* s of pp_now_s: it ran, first and last token */
};

struct pp_job {
    struct pp_outlet outlet;
    struct pp_ask ask;
    char name[40]; /* "cmpl-…" */
    const char *model;
    time_t created;
    double began;                   /* s of pp_now_s */
    struct pp_sequence **sequences; /* [count] owned, but for those that leave */
    int count, unfinished;
    int prompt_tokens; /* each prompt once */
    bool failed;       /* the ranks have, and failure says why */
    char failure[256];
};

/* Makes a job of what was asked, which it takes over (also on failure: the ask is then
 * released with the job). PP_BAD_INPUT where a prompt is not one that the model can
 * continue: *too_long says whether its context is why. */
int pp_job_init(struct pp_job *job, struct pp_ask *ask, const struct pp_limits *limits,
                bool *too_long, struct pp_error *error);
/* All its sequences have left or ended. */
void pp_job_release(struct pp_job *job);
void pp_sequence_free(struct pp_sequence *sequence);

int pp_job_generated(const struct pp_job *job);

/* The next token: sets the text that it adds (*length; valid until the next call), and
 * finish where it was the last or the text has come to a stop. ended: what the ranks
 * said, "length" or "end"; NULL: there is more. -1: no memory. */
int pp_sequence_hear(struct pp_sequence *sequence, int32_t token, const char *ended,
                     struct pp_bytes *text);

#endif
