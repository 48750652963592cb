/* The parent's look after mpiexec and its ranks.
 *
 * The protocol. The parent makes a lair (lair.h) with a status page (status.h), and
 * starts mpiexec in a process group of its own. Each rank notes on the page what it
 * does, and a thread of each beats there (pulse.h). The parent reads the page (watch.h)
 * and passes on what the ranks print.
 *
 *   a rank dies            mpiexec sees it, ends the others and itself; the page says
 *                          which rank was the first, where, and what the others
 *                          waited for
 *   a rank is silent       its beats stop for the timeout; the parent kills all
 *   mpiexec is stopped     the same
 *   mpiexec dies           the parent kills all that is left
 *   the parent dies        the ranks see that its lock is free, and end (pulse.h)
 *   all die at once        the next start removes the folders (base/folder.h)
 *
 * A rank on another host has no part in the page: its daemon ends with mpiexec, it ends
 * with its daemon, and the ranks of its host look after each other. */
#ifndef PP_RUN_SUPERVISE_H
#define PP_RUN_SUPERVISE_H

#include <sys/types.h>

#include "run/watch.h"

/* What became of what the ranks print. */
struct pp_passed {
    int write_failed; /* the errno of the write that failed; 0 */
    bool complete;    /* rank 0 has come to its end with PP_DONE (pp_verdict) */
};

/* What rank 0 prints last if all went well, since that mpiexec ended well does not say
 * that rank 0 has come to its end and judged. */
extern const char pp_verdict[];
enum { PP_VERDICT = 5 };

/* Passes on what the ranks print, from the pipe, until the child, which is mpiexec, has
 * ended, or is killed because a rank, or it, was silent: then the error says so. The
 * child is still to be waited for, and what it left behind to be ended. */
void pp_supervise(pid_t child, int from, const struct pp_status_page *page,
                  double timeout_s, struct pp_passed *passed, struct pp_error *error);

#endif
