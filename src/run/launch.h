/* Getting ranks to run: joining the world that a launcher started, or starting one. */
#ifndef PP_RUN_LAUNCH_H
#define PP_RUN_LAUNCH_H

#include <stdbool.h>

#include "base/error.h"

/* Was this process started by a launcher (mpirun, srun), by whomever? Only MPI knows
 * for sure: which rank it is says pp_world_enter. */
bool pp_launched(void);

/* Was the launcher the user's, rather than pp_launch? */
bool pp_launched_by_user(void);

/* Starts `ranks` copies of this program with mpiexec, looks after them (supervise.h),
 * and sets *status to what this process is to exit with: the status that rank 0 gave
 * pp_world_leave. hosts: the file of hosts to start them on (hosts.h), which have this
 * program at the same path; NULL: here. passes_input: rank 0 reads what this process
 * would; else the ranks read nothing.
 *
 * A signal to this process asks the ranks to stop (stop.h), a second one ends them; it
 * then ends by that signal, unless they have come to their end. If whoever reads their
 * output leaves, they still run to their end; it then ends by SIGPIPE. PP_ENVIRONMENT
 * if mpiexec cannot be started, a rank died, was silent for the timeout (0: may be
 * silent) or rank 0 did not come to its end, or what the ranks print cannot be written.
 * No process of the run is left then. Returns 0 also with an error set: of what went
 * wrong after rank 0 had said all that it had to say. */
int pp_launch(int ranks, const char *hosts, char **argv, bool passes_input,
              double timeout_s, int *status, struct pp_error *error);

/* Would ranks that pp_launch starts share cores? False where that is unknown. */
bool pp_launch_oversubscribes(int ranks, int threads);

/* Joins the world. To be called before any other function of run/ but those above. Sets
 * this process's rank and the number of ranks. PP_ENVIRONMENT, on every rank, where one
 * runs another version of the program; pp_world_leave is then to be called all the
 * same. */
int pp_world_enter(const char *version, int *rank, int *ranks, struct pp_error *error);

/* Collective. From now on the ranks that no pp_launch looks after look after each
 * other: one that is silent for the timeout (0: may be silent) ends the run. */
void pp_world_watch(double timeout_s);

/* Collective: 0 only if status is 0 on every rank; otherwise error is that of the
 * lowest failing rank, on every rank. For what can fail before pp_run: see pp_agree. */
int pp_world_agree(int status, struct pp_error *error);

/* Collective. Leaves the world; the program is then to exit with the value returned.
 * Only rank 0's status counts. */
int pp_world_leave(int status);

#endif
