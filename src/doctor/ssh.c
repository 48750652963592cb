/* A host, reached as mpiexec reaches it. */
#include <math.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/words.h"
#include "doctor/check.h"
#include "doctor/trial.h"

enum { SECONDS = 15, MOST_WORDS = 16 };
static const char reached[] = "ppsim-doctor reached";

static double time_of_day(void)
{
    struct timeval time;
    gettimeofday(&time, NULL);
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* The words of Open MPI's agent, ssh unless the user has chosen another, up to the
 * first choice's end. ssh is not to ask: mpiexec could not answer. Cuts text. */
static int agent_words(char *text, const char **words)
{
    int count = 0;
    for (char *word; count < MOST_WORDS && (word = strsep(&text, " "));) {
        if (strcmp(word, ":") == 0)
            break;
        if (word[0] != '\0')
            words[count++] = word;
    }
    if (count == 1 && strcmp(words[0], "ssh") == 0) {
        words[count++] = "-oBatchMode=yes";
        words[count++] = "-oConnectTimeout=10";
    }
    return count;
}

static void not_reached(struct pp_trial *trial, const char *host, const char *agent,
                        struct pp_finding *finding)
{
    pp_find(finding, PP_WRONG, "cannot be reached: %s",
            trial->status == 124   ? "no answer"
            : trial->status == 127 ? "there is no such program as the agent"
                                   : pp_trial_reason(trial));
    pp_advise(finding, "make '%s %s true' work without a password or a question", agent,
              host);
}

/* What the host's ppsim and clock say. offset: of its time of day, s, to within half
 * the time that asking took. */
static void judge(const struct pp_patient *patient, char *text, double offset,
                  double within, struct pp_finding *finding)
{
    const char *version = patient->version;
    char theirs[32] = "";
    const char *said = strstr(text, "\nppsim ");
    if (!said || sscanf(said, "\nppsim %31s", theirs) != 1) {
        pp_find(finding, PP_WRONG, "is reached, but has no ppsim at '%s'",
                patient->program);
        pp_advise(finding, "install ppsim %s there, under the same path", version);
    } else if (strcmp(theirs, version) != 0) {
        pp_find(finding, PP_WRONG, "has ppsim %s, this host %s", theirs, version);
        pp_advise(finding, "install the same version on every host");
    } else if (fabs(offset) > within + 1) {
        pp_find(finding, PP_DOUBTFUL, "has ppsim %s; its time of day is %.1f s %s",
                theirs, fabs(offset), offset > 0 ? "ahead" : "behind");
        pp_advise(finding,
                  "set it by NTP, or times in files and logs will not agree; a "
                  "run aligns its clocks itself");
    } else {
        pp_find(finding, PP_FINE,
                "has ppsim %s; its time of day is %.2f s %s, within %.2f s", theirs,
                fabs(offset), offset > 0 ? "ahead" : "behind", within);
    }
}

/* Has this host an address of that name? Then mpiexec needs no ssh to it. */
static bool is_this_host(const char *name)
{
    const char *at = strchr(name, '@');
    struct addrinfo *list = NULL;
    bool ours = false;
    if (getaddrinfo(at ? at + 1 : name, NULL,
                    &(struct addrinfo){.ai_socktype = SOCK_DGRAM}, &list) != 0)
        return false;
    for (const struct addrinfo *item = list; item && !ours; item = item->ai_next) {
        int end = socket(item->ai_family, SOCK_DGRAM, 0);
        ours = end >= 0 && bind(end, item->ai_addr, item->ai_addrlen) == 0;
        if (end >= 0)
            close(end);
    }
    freeaddrinfo(list);
    return ours;
}

void pp_check_host(struct pp_patient *patient, const char *host,
                   struct pp_finding *finding)
{
    const char *chosen = getenv("OMPI_MCA_plm_rsh_agent"), *words[MOST_WORDS + 8] = {0};
    char agent[512], command[sizeof patient->program + 128], *at;
    struct pp_trial trial;
    if (is_this_host(host)) {
        pp_find(finding, PP_FINE, "is this one");
        return;
    }
    pp_assign(agent, sizeof agent, "%s", chosen && chosen[0] ? chosen : "ssh");
    int count = agent_words(agent, words);
    pp_assign(command, sizeof command,
              "echo %s; '%s' --version; echo time $(date +%%s.%%N)", reached,
              patient->program);
    words[count++] = host;
    words[count++] = command;
    double before = time_of_day();
    if (pp_try(patient, (char *const *)words, SECONDS, &trial, finding) != 0)
        return;
    double after = time_of_day(), theirs = 0;
    at = strstr(trial.text, reached);
    if (!at) {
        not_reached(&trial, host, words[0], finding);
        return;
    }
    const char *time = strstr(at, "\ntime ");
    if (time)
        sscanf(time, "\ntime %lf", &theirs);
    judge(patient, at, theirs - (before + after) / 2, (after - before) / 2, finding);
}
