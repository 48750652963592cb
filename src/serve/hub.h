/* Where HTTP and the ranks meet: requests wait here for a slot, and tokens come here on
 * their way to clients. HTTP's thread and the main thread share it under one lock,
 * which nobody holds while it waits or computes. */
#ifndef PP_SERVE_HUB_H
#define PP_SERVE_HUB_H

#include <pthread.h>

#include "serve/events.h"
#include "serve/job.h"
#include "serve/metrics.h"
#include "serve/wire.h"

enum pp_hub_state {
    PP_HUB_LOADING,
    PP_HUB_READY,
    PP_HUB_DEAD /* the ranks; reason says why */
};

struct pp_sequences {
    struct pp_sequence *first, *last;
    int count;
};

struct pp_hub {
    pthread_mutex_t lock;
    int bell; /* an eventfd that wakes the main thread */
    /* Set once, before there is a second thread. */
    const char *model; /* its name */
    const struct pp_tokenizer *tokenizer;
    enum pp_turns turns;
    int queue; /* sequences that wait, at most */
    time_t created;
    /* Under the lock. */
    enum pp_hub_state state;
    bool draining, restart; /* who asked for the ranks anew sets restart */
    char reason[256];
    json_t *info; /* what the ranks said when they were ready last; NULL */
    struct pp_sequences waiting, running;
    int slots; /* sequences that run, at most; set before, too: the ranks may say that
                * they have fewer */
    uint64_t last_id;
    struct pp_wire wire; /* its reading is the main thread's alone */
    struct pp_outlets outlets;
    struct pp_events events;
    struct pp_metrics metrics;
};

/* The members that are set once, and slots, are the caller's to set. PP_ENVIRONMENT. */
int pp_hub_init(struct pp_hub *hub, struct pp_error *error);
void pp_hub_release(struct pp_hub *hub);

void pp_hub_lock(struct pp_hub *hub);
void pp_hub_unlock(struct pp_hub *hub);
void pp_hub_ring(const struct pp_hub *hub);

/* All below with the lock held. */

/* "ready", "loading", "draining" or "dead". */
const char *pp_hub_status(const struct pp_hub *hub);

enum pp_admission { PP_ADMITTED, PP_ADMISSION_FULL, PP_ADMISSION_CLOSED };
/* The job's sequences wait for slots; its outlet is open. */
enum pp_admission pp_hub_submit(struct pp_hub *hub, struct pp_job *job);
/* Its client has left: its sequences leave. */
void pp_hub_cancel(struct pp_hub *hub, struct pp_job *job);
/* The same, and the job is released; also one that was never submitted. */
void pp_hub_drop(struct pp_hub *hub, struct pp_job *job);

/* What rank 0 says. The message is borrowed. */
void pp_hub_hear(struct pp_hub *hub, const json_t *message);
/* The ranks are no more: whatever is under way has failed. */
void pp_hub_lose(struct pp_hub *hub, const char *reason);

#endif
