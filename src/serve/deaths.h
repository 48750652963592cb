/* Which rank's process has ended, as soon as it has: the kernel tells of those of this
 * host (pidfd_open(2)). */
#ifndef PP_SERVE_DEATHS_H
#define PP_SERVE_DEATHS_H

#include <jansson.h>

enum { PP_MOST_WATCHED = 256 };

struct pp_deaths {
    int any; /* can be read when one has ended (poll); -1: none is watched */
    int ranks[PP_MOST_WATCHED]; /* [count] */
    int count;
};

void pp_deaths_init(struct pp_deaths *deaths);
void pp_deaths_release(struct pp_deaths *deaths);

/* Watches the ranks of an engine that has just said that it is ready (link_source.h),
 * instead of others. Of those that cannot be watched their launcher tells, later. */
void pp_deaths_watch(struct pp_deaths *deaths, const json_t *ranks);

/* A rank that has ended, once; -1: none. */
int pp_deaths_look(struct pp_deaths *deaths);

#endif
