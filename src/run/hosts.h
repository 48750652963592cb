/* A host file, as mpiexec reads it: a host a line, its name first ("slots=4" and the
 * like behind it), comments behind '#'. */
#ifndef PP_RUN_HOSTS_H
#define PP_RUN_HOSTS_H

#include "base/error.h"

struct pp_hosts {
    char **names; /* [count] as ssh takes them: HOST or USER@HOST; each once */
    int count;    /* at least 1 */
};

/* PP_BAD_INPUT where the file cannot be read or names no host. To be released, unless
 * it failed. */
int pp_hosts_read(struct pp_hosts *hosts, const char *path, struct pp_error *error);
void pp_hosts_release(struct pp_hosts *hosts);

#endif
