/* Do all ranks run the same version of the program? On several hosts each has its own.
 */
#ifndef PP_RUN_VERSION_H
#define PP_RUN_VERSION_H

#include <mpi.h>

#include "base/error.h"

/* Collective, before any other message, since another version's may look otherwise.
 * Returns 0 or -1 on every rank; the error, PP_ENVIRONMENT, names the lowest rank
 * whose version is not that of rank 0, with its host and both versions. */
int pp_version_agree(MPI_Comm comm, const char *version, struct pp_error *error);

#endif
