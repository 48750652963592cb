/* A run that is told to stop: by SIGINT or SIGTERM, or by SIGUSR1, which mpiexec passes
 * on to its ranks where it does not pass on the others. The step ends, what there is is
 * written. One rank that was told is enough: the step's outcome tells all (train.h). */
#ifndef PP_RUN_STOP_H
#define PP_RUN_STOP_H

/* From now on these signals are a wish to stop, not the end. SIGINT or SIGTERM that
 * comes a second or more after the first wish is the end. */
void pp_stop_listen(void);

/* SIGINT or SIGTERM where this rank was told to stop (SIGTERM for SIGUSR1), 0 where it
 * was not. */
int pp_stop_asked(void);

#endif
