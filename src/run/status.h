/* The status page: memory that the ranks of one host share, where each notes what it
 * does. Whoever looks after them reads it: the process that started them, or, where
 * that was somebody else's mpirun, they themselves (pulse.h).
 *
 * Each rank writes its own line alone: its thread that computes what it is at, with a
 * few plain stores per op; a thread of its own (pulse.h) the beats, several per second.
 * Beats are the sign of life: a rank that computes for an hour has them, one that is
 * stopped or dead has not. The lines outlast their ranks. */
#ifndef PP_RUN_STATUS_H
#define PP_RUN_STATUS_H

#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>

#include "schedule/schedule.h"

enum pp_place {
    PP_BEFORE_STEPS,
    PP_IN_OP,
    PP_BEFORE_OP,   /* it waits for what the op needs */
    PP_OUTSIDE_OPS, /* of a step: its data, the update, a checkpoint, what comes after
                     * the last */
    PP_BEFORE_ALL   /* it waits for something that all ranks take part in */
};

/* A rank's line. */
struct pp_line {
    _Alignas(128) atomic_int pid; /* 0: the rank has not come, or is of another host */
    atomic_uint beats;
    atomic_int place; /* enum pp_place */
    atomic_int step;
    atomic_uint kind, stage, microbatch; /* the op that it is in, or waits for */
    atomic_int from;                     /* the rank that computes what it waits for */
    atomic_llong told; /* ns of the monotonic clock: when it got its last SIGTERM; 0 */
    atomic_bool left;  /* it has ended as it should */
};

struct pp_status_page {
    int ranks;
    atomic_bool spoken;        /* a rank has said why all of them end */
    char folders[2][PATH_MAX]; /* of the parent (lair.h), "" for none; where there is no
                                * parent, none */
    struct pp_line lines[];
};

size_t pp_status_bytes(int ranks);

/* Makes the file and maps it, with room on its file system for all of it. NULL with the
 * error set: PP_ENVIRONMENT. */
struct pp_status_page *pp_status_create(const char *path, int ranks,
                                        struct pp_error *error);
/* Maps one that somebody else has made; NULL if there is none for so many ranks. */
struct pp_status_page *pp_status_attach(const char *path, int ranks);
void pp_status_release(struct pp_status_page *page);

/* This process's own line. Until it is given one on a page nobody else sees it. */
struct pp_line *pp_status_line(void);
/* Moves it to that line, with all that it says; NULL: to where nobody sees it. */
void pp_status_move(struct pp_line *line);

/* This process notes: what it computes; what it waits for, an op of that rank; that it
 * is at a place of the step. */
void pp_note_op(struct pp_op op);
void pp_note_wait(struct pp_op awaited, int from);
void pp_note_place(enum pp_place place, int step);
/* It got SIGTERM. mpiexec sends that to all when one of them has ended by itself: who
 * was the first is known by not having got it. For signal handlers. */
void pp_note_told(void);
/* It begins to wait for all ranks; returns where it was, to be noted when it goes on.
 */
enum pp_place pp_note_wait_all(void);
void pp_note_back(enum pp_place place);

#endif
