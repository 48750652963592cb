/* The command line with which mpiexec starts the ranks. */
#ifndef PP_RUN_MPIEXEC_H
#define PP_RUN_MPIEXEC_H

#include <stdbool.h>
#include <sys/types.h>

struct pp_mpiexec {
    int ranks;
    const char *hosts; /* a file of hosts (hosts.h); NULL: this host */
    bool passes_input; /* rank 0 reads what mpiexec does */
    char **argv;       /* of the process that starts them, its id being launcher */
    char self[4096];   /* path of this program */
};

/* mpiexec's own options, then this program and its arguments, ended by NULL. The caller
 * becomes mpiexec, and so never frees them. NULL when out of memory. */
char **pp_mpiexec_words(const struct pp_mpiexec *mpiexec, pid_t launcher);

#endif
