/* The clock: how long an op lasts, and when a message arrives.
 *
 *   wall     monotonic time, aligned between hosts. True where every rank has a core
 *            of its own.
 *   virtual  an op lasts the CPU time that its thread spent in it; a message arrives
 *            at its sender's virtual time plus what the link takes. Shows what each
 *            rank would do on a core of its own when they share cores: the logical
 *            clocks of parallel discrete-event simulation (Lamport, CACM 21(7), 1978),
 *            driven by real ops. */
#ifndef PP_RUN_CLOCK_H
#define PP_RUN_CLOCK_H

#include <stdint.h>

#include "run/cores.h"
#include "run/world.h"

enum pp_clock_kind { PP_CLOCK_WALL, PP_CLOCK_VIRTUAL };

struct pp_clock {
    enum pp_clock_kind kind;
    int64_t offset;         /* ns to add to this host's monotonic clock */
    int64_t error;          /* ns, half the smallest round trip: what the alignment
                             * may be off by; 0 on one host */
    double drift;           /* ns per ns against rank 0's host, 0 on one host */
    int64_t aligned_at;     /* local ns of the alignment that drift counts from */
    int64_t now;            /* virtual: end of the rank's last op */
    int64_t cpu;            /* virtual: thread CPU time at the start of this op */
    int64_t link_latency;   /* virtual: ns */
    double link_bandwidth;  /* virtual: bytes per second, INFINITY: free */
    double slow;            /* virtual: how many times an op's CPU time counts */
    struct pp_cores *cores; /* virtual: what ops take turns on; NULL: own cores */
};

/* Collective. Aligns the clocks of several hosts with rank 0's, and sets the origin so
 * that times are small. */
void pp_clock_init(struct pp_clock *clock, enum pp_clock_kind kind,
                   const struct pp_world *world);

/* Collective, at the end of a run: measures the hosts' alignment again, and from the
 * change the drift. Only the error and the drift are updated. */
void pp_clock_realign(struct pp_clock *clock, const struct pp_world *world);

/* A time of this rank on rank 0's clock, the drift since the alignment taken out. */
int64_t pp_clock_corrected(const struct pp_clock *clock, int64_t time);

/* This host's monotonic time on the common clock, in ns. */
int64_t pp_clock_wall(const struct pp_clock *clock);

/* CPU time of this thread, in ns. */
int64_t pp_clock_cpu(void);

/* A step begins: every rank's virtual time is 0. After a barrier. */
void pp_clock_restart(struct pp_clock *clock);

/* Now on this clock, outside of ops. */
int64_t pp_clock_now(const struct pp_clock *clock);

/* When a message that ends its op at sent, of so many bytes, arrives here; to be asked
 * when it has been received. */
int64_t pp_clock_arrival(const struct pp_clock *clock, int64_t sent, size_t bytes);

/* An op begins whose input arrived then; returns its start. Nothing else reads the
 * clock between begin and end. */
int64_t pp_clock_begin(struct pp_clock *clock, int64_t arrived);

/* The op that started at start has ended; returns its end. */
int64_t pp_clock_end(struct pp_clock *clock, int64_t start);

#endif
