/* Where the parent keeps what its ranks share: folders for what Open MPI leaves behind
 * when it is killed, and the status page. They are temporary folders (base/folder.h):
 * if the parent is killed, its ranks remove them, and if all are killed, the next
 * start.
 *
 *   $TMPDIR/ppsim-run.XXXXXX/    mpiexec's session, unless the user has placed that
 *   /dev/shm/ppsim-run.XXXXXX/   shared memory of the ranks of the parent's host, and
 * the page; where there is no such place all of it is in the first, and of the ranks'
 * in mpiexec's session
 */
#ifndef PP_RUN_LAIR_H
#define PP_RUN_LAIR_H

#include "base/folder.h"
#include "run/status.h"

/* In the environment of ranks that this program started itself: the folder of the page.
 */
#define PP_LAUNCHED "PPSIM_LAUNCHED"

struct pp_lair {
    struct pp_folder session, shared;
    struct pp_status_page *page;
};

/* Makes it for so many ranks, and tells them and Open MPI by this process's
 * environment. PP_ENVIRONMENT. */
int pp_lair_init(struct pp_lair *lair, int ranks, struct pp_error *error);
/* Ends what is left of the processes that were told of it, waits until they have ended,
 * and removes all. Those of other hosts end with their daemon's connection. */
void pp_lair_release(struct pp_lair *lair);

/* A rank, or another process below the parent: was it told of a lair? */
bool pp_lair_told(void);

/* mpiexec uses small statuses for its own failures, so ranks that a parent looks after
 * return theirs above this. What a rank returns that ends with that status. */
enum { PP_STATUS_BASE = 64 };
int pp_lair_status(int status);

/* In a rank: the page, and the lock on its folder (pp_folder_ownerless), where Open MPI
 * is then told to put its shared memory; NULL: it was told of none, or it is of another
 * host. */
struct pp_status_page *pp_lair_enter(int *lock);

/* In a rank whose parent has ended: removes the folders. */
void pp_lair_abandon(const struct pp_status_page *page);

/* In a rank whose launcher, somebody else's, has ended without doing so: removes the
 * session of its job on this host, and the shared memory that this rank sees. */
void pp_lair_abandon_session(void);

#endif
