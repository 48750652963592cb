#include "cli/environment.h"

#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "cli/terminal.h"

void pp_describe_environment(struct pp_report *report,
                             const struct pp_run_environment *environment)
{
    struct pp_report_environment *told = &report->environment;
    told->cores = environment->cores;
    told->oversubscribed = environment->oversubscribed;
    told->clock_error_s = environment->clock_error_s;
    pp_assign(told->clock, sizeof told->clock, "%s", environment->clock);
    memcpy(told->mpi, environment->mpi, sizeof told->mpi);
    memcpy(told->blas, environment->blas, sizeof told->blas);
    memcpy(told->host, environment->host, sizeof told->host);
    report->link_latency_s = environment->link_latency_s;
    report->link_bandwidth = environment->link_bandwidth;
}

void pp_warn_of_clock(const struct pp_run_environment *environment, int ranks,
                      const char *link)
{
    if (strcmp(environment->clock, "wall") != 0)
        return;
    if (environment->oversubscribed)
        fprintf(stderr,
                "ppsim: warning: %d ranks share %d cores: bubbles on the wall clock "
                "are noise; use '--clock' virtual\n",
                ranks, environment->cores);
    if (link)
        fprintf(stderr, "ppsim: warning: '--link' has no effect on the wall clock: it "
                        "sets what messages take under '--clock' virtual\n");
}

void pp_warn_of_groups(int groups, int sequences)
{
    if (groups > sequences)
        pp_say("warning: '--groups' %d is cut to %d: each group needs a sequence, and "
               "no more are under way at once",
               groups, sequences);
}
