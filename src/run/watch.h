/* Who of the ranks on a status page is silent, and the words for what became of one. */
#ifndef PP_RUN_WATCH_H
#define PP_RUN_WATCH_H

#include "run/status.h"

/* Between two beats of a rank, and between two looks of who watches. A write to memory
 * a few times per second costs nothing that could be measured. */
enum { PP_BEAT_MS = 100 };
/* The part of the timeout after which a rank is taken for silent; the rest is for
 * ending all. */
#define PP_PATIENCE 0.9

struct pp_watch {
    const struct pp_status_page *page;
    double timeout_s; /* 0: nobody is ever silent */
    int64_t looked;   /* ns, the last time */
    double seconds;   /* that the last look counted */
    struct pp_heard *heard;
};

/* PP_ENVIRONMENT when out of memory. */
int pp_watch_init(struct pp_watch *watch, const struct pp_status_page *page,
                  double timeout_s, struct pp_error *error);
void pp_watch_release(struct pp_watch *watch);

/* To be called every PP_BEAT_MS. Returns a rank that has been silent for too
 * long, -1 if there is none.
 *
 * Only time in which this process looks counts as silence, and of a long gap between
 * two looks only a quarter of the timeout: then this process was stopped (Ctrl-Z), or
 * the machine was, and the ranks likely with it. */
int pp_watch_look(struct pp_watch *watch);

/* Sets the error to one line: what became of that silent rank, where it was, and what
 * the others waited for. PP_ENVIRONMENT. */
void pp_watch_tell_silent(const struct pp_watch *watch, int rank,
                          struct pp_error *error);

/* The same of the rank that ended first without having been told to, where `how` says
 * how ("was killed by SIGKILL"). false if no such rank is known. */
bool pp_watch_tell_ended(const struct pp_status_page *page, const char *how,
                         struct pp_error *error);

/* Is the process stopped? As ps shows it: 'T' by a signal, 't' by a debugger, 'Z'
 * ended, 'R', 'S', ..; '\0' if there is none. */
char pp_process_state(int pid);

#endif
