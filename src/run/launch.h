/* Getting ranks to run: joining the world that a launcher started, or starting one. */
#ifndef PP_RUN_LAUNCH_H
#define PP_RUN_LAUNCH_H

#include "base/error.h"

#include <stdbool.h>

/* Was this process started by mpirun or srun? */
bool pp_launched(void);

/* Was it started so by the user, rather than by pp_launch? */
bool pp_launched_by_user(void);

/* Was it, as another rank than the first? What is wrong for all is then for the first
 * to say. Needs no world. */
bool pp_launched_behind(void);

/* Starts `ranks` copies of this program with mpiexec, waits for them, and sets
 * *status to what this process is to exit with: that of rank 0, or PP_ENVIRONMENT,
 * with a word on stderr, where a rank died. A signal to this process reaches the
 * ranks. Whoever reads what they print may leave: they run to their end, then this
 * process ends by SIGPIPE. PP_ENVIRONMENT if mpiexec cannot be started, or what the
 * ranks print cannot be written. */
int pp_launch(int ranks, int threads, char **argv, int *status, struct pp_error *error);

/* Joins the world, before any other call of run/. Sets rank and ranks of the world. */
void pp_world_enter(int *rank, int *ranks);

/* Collective: 0 only if status is 0 on every rank; otherwise error is that of the
 * lowest failing one, on every rank. Before there is a pipeline: see pp_agree. */
int pp_world_agree(int status, struct pp_error *error);

/* Leaves the world; the program is then to exit with the value returned. Only rank 0's
 * status counts. */
int pp_world_leave(int status);

#endif
