#include "run/mpiexec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/lair.h"

/* The ranks have none of this process's files: where a path names one, as a shell's
 * >(command) does, they are to open it through this process. */
static char *path_for_ranks(const char *argument, pid_t launcher)
{
    static const char *const own[] = {"/dev/fd/", "/proc/self/fd/"};
    static const char standard_input[] = "/dev/stdin";
    char *text = NULL;
    if (strcmp(argument, standard_input) == 0)
        argument = "/dev/fd/0";
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        const char *found = strstr(argument, own[i]);
        if (found && (found == argument || found[-1] == '=') &&
            asprintf(&text, "%.*s/proc/%d/fd/%s", (int)(found - argument), argument,
                     (int)launcher, found + strlen(own[i])) >= 0)
            return text;
    }
    return strdup(argument);
}

/* What ranks on another host are to have of this process's environment: mpiexec passes
 * on its own variables alone. What is not set is left out, for mpiexec would complain.
 */
static const char *const handed_on[] = {
    PP_LAUNCHED, "PPSIM_TERMINAL",    "TERM",
    "NO_COLOR",  "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"};

/* A command line in the making. */
struct words {
    char **items; /* [count], room for more */
    int count;
    bool complete; /* or out of memory */
};

static void add_word(struct words *words, char *word)
{
    words->complete = words->complete && word;
    if (words->complete)
        words->items[words->count++] = word;
    else
        free(word);
}

static void add_own_words(struct words *words, const struct pp_mpiexec *mpiexec)
{
    /* Debian's mpiexec may be another MPI's; the suffixed one is Open MPI's. */
    static const char *const own[] = {"mpiexec.openmpi",
                                      "--allow-run-as-root",
                                      "--oversubscribe",
                                      "--bind-to",
                                      "none",
                                      "--quiet",
                                      "--stdin"};
    char count[16];
    snprintf(count, sizeof count, "%d", mpiexec->ranks);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        add_word(words, strdup(own[i]));
    add_word(words, strdup(mpiexec->passes_input ? "0" : "none"));
    for (size_t i = 0; mpiexec->hosts && i < sizeof handed_on / sizeof handed_on[0];
         i++) {
        if (!getenv(handed_on[i]))
            continue;
        add_word(words, strdup("-x"));
        add_word(words, strdup(handed_on[i]));
    }
    if (mpiexec->hosts) {
        add_word(words, strdup("--hostfile"));
        add_word(words, strdup(mpiexec->hosts));
    }
    add_word(words, strdup("-n"));
    add_word(words, strdup(count));
}

char **pp_mpiexec_words(const struct pp_mpiexec *mpiexec, pid_t launcher)
{
    enum { OWN = 32 };
    int arguments = 0;
    while (mpiexec->argv[arguments])
        arguments++;
    struct words words = {.items = calloc((size_t)(OWN + arguments), sizeof(char *))};
    words.complete = words.items != NULL;
    add_own_words(&words, mpiexec);
    add_word(&words, strdup(mpiexec->self));
    for (int i = 1; i < arguments; i++)
        add_word(&words, path_for_ranks(mpiexec->argv[i], launcher));
    if (words.complete)
        return words.items;
    for (int i = 0; i < words.count; i++)
        free(words.items[i]);
    free(words.items);
    return NULL;
}
