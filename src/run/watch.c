#include "run/watch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/words.h"

/* What was heard of a rank. */
struct pp_heard {
    unsigned beats;
    double silent_s; /* since then */
};

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int pp_watch_init(struct pp_watch *watch, const struct pp_status_page *page,
                  double timeout_s, struct pp_error *error)
{
    *watch = (struct pp_watch){.page = page, .timeout_s = timeout_s, .looked = now()};
    watch->heard = calloc((size_t)page->ranks, sizeof *watch->heard);
    if (!watch->heard)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d ranks",
                       page->ranks);
    return 0;
}

void pp_watch_release(struct pp_watch *watch)
{
    free(watch->heard);
    *watch = (struct pp_watch){0};
}

/* Seconds since the last look, as far as they count. */
static double elapsed(struct pp_watch *watch)
{
    int64_t time = now();
    double seconds = (double)(time - watch->looked) / 1e9, most = watch->timeout_s / 4;
    watch->looked = time;
    return seconds < most ? seconds : most;
}

int pp_watch_look(struct pp_watch *watch)
{
    watch->seconds = elapsed(watch);
    for (int r = 0; r < watch->page->ranks; r++) {
        const struct pp_line *line = &watch->page->lines[r];
        struct pp_heard *heard = &watch->heard[r];
        unsigned beats = atomic_load(&line->beats);
        bool there = atomic_load(&line->pid) != 0 && !atomic_load(&line->left);
        if (!there || beats != heard->beats)
            heard->silent_s = 0;
        else
            heard->silent_s += watch->seconds;
        heard->beats = beats;
        if (watch->timeout_s > 0 && heard->silent_s >= PP_PATIENCE * watch->timeout_s)
            return r;
    }
    return -1;
}

char pp_process_state(int pid)
{
    char path[32], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = pid > 0 ? fopen(path, "r") : NULL;
    if (!file)
        return '\0';
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    const char *name_end = strrchr(text, ')'); /* a name may hold anything */
    return name_end && name_end[1] ? name_end[2] : '\0';
}

enum { OP_TEXT = 40 };

static const char *op_text(const struct pp_line *line, char text[OP_TEXT])
{
    static const char letters[PP_KINDS] = {
        [PP_F] = 'F', [PP_B] = 'B', [PP_I] = 'I', [PP_W] = 'W'};
    snprintf(text, OP_TEXT, "%c(%u, %u)", letters[atomic_load(&line->kind) % PP_KINDS],
             atomic_load(&line->stage), atomic_load(&line->microbatch));
    return text;
}

/* Where a rank was. A generation has no steps: there it is 0. */
static void put_place(const struct pp_line *line, char *text, size_t size)
{
    char op[OP_TEXT], of[32] = "", in[32] = "";
    int step = atomic_load(&line->step);
    op_text(line, op);
    if (step > 0) {
        snprintf(of, sizeof of, " of step %d", step);
        snprintf(in, sizeof in, " in step %d", step);
    }
    switch ((enum pp_place)atomic_load(&line->place)) {
    case PP_BEFORE_STEPS:
        pp_append(text, size, " before the first step");
        break;
    case PP_IN_OP:
        pp_append(text, size, " in %s%s", op, of);
        break;
    case PP_BEFORE_OP:
        pp_append(text, size, "%s, waiting for %s", in, op);
        break;
    case PP_OUTSIDE_OPS:
        pp_append(text, size, " outside the ops%s", of);
        break;
    case PP_BEFORE_ALL:
        pp_append(text, size, "%s, waiting for all ranks", in);
        break;
    }
}

/* What it waited for; false if it did not wait. */
static bool awaited(const struct pp_line *line, char text[OP_TEXT])
{
    enum pp_place place = (enum pp_place)atomic_load(&line->place);
    if (place == PP_BEFORE_OP)
        op_text(line, text);
    else if (place == PP_BEFORE_ALL)
        snprintf(text, OP_TEXT, "all ranks");
    return place == PP_BEFORE_OP || place == PP_BEFORE_ALL;
}

/* What the others waited for: first those who waited for this rank. */
static void put_waits(const struct pp_status_page *page, int rank, char *text,
                      size_t size)
{
    enum { MOST = 4 };
    int told = 0, more = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int r = 0; r < page->ranks; r++) {
            const struct pp_line *line = &page->lines[r];
            char what[OP_TEXT];
            bool directly = atomic_load(&line->place) == PP_BEFORE_OP &&
                            atomic_load(&line->from) == rank;
            if (r == rank || atomic_load(&line->pid) == 0 || directly != (pass == 0) ||
                !awaited(line, what))
                continue;
            if (told == MOST) {
                more++;
                continue;
            }
            pp_append(text, size, "%s rank %d %s%s", told == 0 ? ":" : ",", r,
                      told == 0 ? "waited for " : "for ", what);
            told++;
        }
    }
    if (more > 0)
        pp_append(text, size, ", %d more waited", more);
}

static void tell(const struct pp_status_page *page, int rank, const char *how,
                 struct pp_error *error)
{
    char text[1024] = "";
    put_place(&page->lines[rank], text, sizeof text);
    put_waits(page, rank, text, sizeof text);
    pp_fail(error, PP_ENVIRONMENT, "rank %d %s%s", rank, how, text);
}

void pp_watch_tell_silent(const struct pp_watch *watch, int rank,
                          struct pp_error *error)
{
    char how[80];
    double seconds = watch->heard[rank].silent_s;
    switch (pp_process_state(atomic_load(&watch->page->lines[rank].pid))) {
    case 'T':
        snprintf(how, sizeof how, "was stopped (SIGSTOP) for %.2g s", seconds);
        break;
    case 't':
        snprintf(how, sizeof how, "was stopped by a debugger for %.2g s", seconds);
        break;
    case '\0':
    case 'Z':
    case 'X':
        snprintf(how, sizeof how, "has died");
        break;
    default:
        snprintf(how, sizeof how, "was silent for %.2g s", seconds);
    }
    tell(watch->page, rank, how, error);
}

bool pp_watch_tell_ended(const struct pp_status_page *page, const char *how,
                         struct pp_error *error)
{
    long long first = 0;
    int rank = -1;
    /* mpiexec tells the others to end when one has ended. */
    for (int r = 0; r < page->ranks; r++) {
        const struct pp_line *line = &page->lines[r];
        long long told = atomic_load(&line->told);
        if (atomic_load(&line->pid) == 0 || atomic_load(&line->left))
            continue;
        if (rank < 0 || told < first) {
            rank = r;
            first = told;
        }
    }
    if (rank >= 0)
        tell(page, rank, how, error);
    return rank >= 0;
}
