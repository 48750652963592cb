/* The pulse: a thread of each rank's own that shows that the rank lives, and that sees
 * to it that the rank ends when there is nobody left to train for or with.
 *
 * Several times per second it
 *   beats on the status page (status.h), whatever the rank computes or waits for;
 *   looks whether the parent lives, which started mpiexec and holds the lock on the
 *       folder of the page: if not, the first rank to see it removes what is left
 *       behind, and all ranks end;
 *   looks whether the process lives that started this one: mpiexec, or its daemon on
 *       another host. If not, the rank ends;
 *   looks for silent ranks where no parent does: on hosts other than the parent's, and
 *       under somebody else's mpirun. Such ranks share a page of their own host. Who
 *       finds one says so, once per host, and ends; the launcher then ends the rest.
 *
 * It takes no signal: those are for the rank's other thread. */
#ifndef PP_RUN_PULSE_H
#define PP_RUN_PULSE_H

#include "run/status.h"

/* Begins to beat. Before MPI_Init, so that a rank that is stopped in it is seen. Ends
 * the process where the system has no thread for that. */
void pp_pulse_start(void);

/* Collective, after MPI_Init: from now on ranks that no parent looks after look after
 * each other. timeout_s as for pp_watch_init. */
void pp_pulse_watch(double timeout_s);

/* Collective, before MPI_Finalize: no longer. */
void pp_pulse_watch_end(void);

/* This rank ends as it should. After MPI_Finalize. */
void pp_pulse_stop(void);

#endif
