#include "doctor/trial.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/child.h"
#include "base/words.h"

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void read_text(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t length = file ? fread(text, 1, size - 1, file) : 0;
    text[length] = '\0';
    if (file)
        fclose(file);
}

/* Returns the signal that this process is to end with, 0 for none, -1. */
static int run(char *const *arguments, const char *output, struct pp_trial *trial)
{
    struct pp_program program = {.arguments = arguments, .output = output};
    int ended = 0;
    double start = now();
    pid_t child = pp_program_start(&program);
    int caught = child > 0 ? pp_child_wait(child, &ended) : -1;
    trial->seconds = now() - start;
    trial->status = WIFSIGNALED(ended) ? 128 + WTERMSIG(ended) : WEXITSTATUS(ended);
    return caught;
}

int pp_try(struct pp_patient *patient, char *const *arguments, int seconds,
           struct pp_trial *trial, struct pp_finding *finding)
{
    enum { MOST = 64 };
    char timeout[] = "timeout", grace[] = "--kill-after=5", limit[16];
    char *words[MOST + 4] = {timeout, grace, limit};
    struct pp_error error = {0};
    *trial = (struct pp_trial){0};
    snprintf(limit, sizeof limit, "%d", seconds);
    for (int i = 0; i < MOST && arguments[i]; i++)
        words[i + 3] = arguments[i];
    if (!patient->folder.path) {
        pp_find(finding, PP_WRONG, "%s", patient->no_folder.text);
        return -1;
    }
    char *output = pp_folder_file(&patient->folder, "output", &error);
    int caught = output ? run(words, output, trial) : -1;
    if (caught < 0)
        pp_find(finding, PP_WRONG, "cannot run '%s': %s", arguments[0],
                strerror(errno));
    else
        read_text(output, trial->text, sizeof trial->text);
    free(output);
    if (caught > 0) { /* all is tidy: end as the user wanted */
        pp_folder_release(&patient->folder);
        raise(caught);
    }
    return caught < 0 ? -1 : 0;
}

const char *pp_trial_reason(struct pp_trial *trial)
{
    static const char mark[] = "ppsim: ";
    char *own = strstr(trial->text, mark);
    char *reason = own ? own + strlen(mark) : trial->text + strspn(trial->text, "\n");
    reason[strcspn(reason, "\r\n")] = '\0';
    pp_make_printable(reason);
    return reason[0] ? reason : "it said nothing";
}
