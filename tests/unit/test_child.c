#include "base/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/folder.h"
#include "unit.h"

/* Runs it; returns its exit status. */
static int run(struct pp_program *program)
{
    int status;
    pid_t child = pp_program_start(program);
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(pp_child_wait(child, &status), 0);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect_content(const char *path, const char *expected)
{
    char text[256];
    FILE *stream = fopen(path, "r");
    ck_assert_ptr_nonnull(stream);
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    ck_assert_str_eq(text, expected);
}

START_TEST(a_program_runs_where_it_is_told)
{
    char *arguments[] = {(char[]){"sh"}, (char[]){"-c"},
                         (char[]){"pwd; echo wrong >&2; cat; exit 7"}, NULL};
    const char *output = unit_path("output");
    ck_assert_int_eq(run(&(struct pp_program){
                         .arguments = arguments, .folder = "/", .output = output}),
                     7);
    expect_content(output, "/\nwrong\n");
}
END_TEST

START_TEST(what_cannot_be_started)
{
    char *arguments[] = {(char[]){"ppsim-no-such-program"}, NULL};
    struct pp_program program = {.arguments = arguments};
    ck_assert_int_eq(run(&program), PP_PROGRAM_NOT_FOUND);
    program.path = "/";
    ck_assert_int_eq(run(&program), PP_PROGRAM_NOT_STARTED);
    program.path = "/bin/true";
    ck_assert_int_eq(run(&program), 0);
    program.folder = unit_path("no-such-folder");
    ck_assert_int_eq(run(&program), PP_PROGRAM_NOT_STARTED);
}
END_TEST

/* Where SIGCHLD is ignored, which is inherited, the system keeps no status. */
START_TEST(a_status_is_kept_where_children_are_ignored)
{
    char *arguments[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"exit 3"}, NULL};
    struct sigaction after;
    signal(SIGCHLD, SIG_IGN);
    ck_assert_int_eq(run(&(struct pp_program){.arguments = arguments}), 3);
    sigaction(SIGCHLD, NULL, &after);
    ck_assert(after.sa_handler == SIG_IGN);
}
END_TEST

START_TEST(a_signal_ends_the_child_and_is_told)
{
    /* The child sends it itself, to its parent, which passes it on. */
    char *arguments[] = {(char[]){"sh"}, (char[]){"-c"},
                         (char[]){"kill -TERM $PPID; exec sleep 60"}, NULL};
    struct pp_program program = {.arguments = arguments};
    int status;
    pid_t child = pp_program_start(&program);
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(pp_child_wait(child, &status), SIGTERM);
    ck_assert(WIFSIGNALED(status));
}
END_TEST

static void become_late_listener(void *data)
{
    static const char script[] = "trap '' USR2; kill -TERM $PPID; sleep 0.1; "
                                 "trap 'exit 3' USR2; while :; do sleep 0.1; done";
    (void)data;
    execlp("sh", "sh", "-c", script, NULL);
}

START_TEST(a_child_is_asked_until_it_listens)
{
    const struct pp_child_signals signals = {.ask = SIGUSR2, .end = SIGKILL};
    int status;
    pid_t child = pp_child_start(become_late_listener, NULL, &signals);
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(pp_child_wait(child, &status), SIGTERM);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 3);
}
END_TEST

START_TEST(a_folder_is_removed_with_its_content)
{
    struct pp_folder folder;
    struct pp_error error = {0};
    struct stat status;
    const char *parent = unit_path("parent"), *kept = unit_file("kept", "x", 1);
    ck_assert_int_eq(mkdir(parent, 0700), 0);
    setenv("TMPDIR", parent, 1);
    ck_assert_int_eq(pp_folder_init(&folder, "test", &error), 0);
    ck_assert_int_eq(strncmp(folder.path, parent, strlen(parent)), 0);
    ck_assert_ptr_nonnull(strstr(folder.path, "/ppsim-test."));
    ck_assert_int_eq(stat(folder.path, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0700);
    char *file = pp_folder_file(&folder, "a", &error);
    char *below = pp_folder_file(&folder, "below", &error);
    char *link = pp_folder_file(&folder, "below/link", &error);
    fclose(fopen(file, "w"));
    ck_assert_int_eq(mkdir(below, 0700), 0);
    ck_assert_int_eq(symlink(kept, link), 0);
    pp_folder_release(&folder);
    ck_assert_ptr_null(folder.path);
    ck_assert_int_eq(stat(kept, &status), 0);
    ck_assert_int_eq(rmdir(parent), 0); /* empty again */
    pp_folder_release(&folder);         /* does nothing */
    free(file);
    free(below);
    free(link);

    ck_assert_int_eq(pp_folder_init(&folder, "test", &error), -1);
    unit_expect_error(&error, PP_ENVIRONMENT, "cannot make the directory '", parent,
                      strerror(ENOENT), NULL);
    pp_folder_release(&folder);
}
END_TEST

/* A process that ends without a word: its folder is removed by who makes the next one,
 * but no folder whose owner lives, and nothing that is no such folder. */
START_TEST(a_folder_of_a_dead_owner_is_removed_by_the_next)
{
    struct pp_folder mine, dead, next;
    struct pp_error error = {0};
    struct stat status;
    const char *parent = unit_path("shared");
    char *other;
    ck_assert_int_eq(mkdir(parent, 0700), 0);
    ck_assert_int_eq(asprintf(&other, "%s/ppsim-other.abcdef", parent) > 0, 1);
    ck_assert_int_eq(mkdir(other, 0700), 0);
    ck_assert_int_eq(pp_folder_init_in(&mine, parent, "test", &error), 0);
    ck_assert_int_eq(pp_folder_init_in(&dead, parent, "test", &error), 0);
    char *file = pp_folder_file(&dead, "a", &error);
    fclose(fopen(file, "w"));
    ck_assert_int_ge(dead.lock, 0);
    close(dead.lock); /* as its end would do */

    ck_assert_int_eq(pp_folder_init_in(&next, parent, "test", &error), 0);
    ck_assert_int_eq(stat(dead.path, &status), -1);
    ck_assert_int_eq(stat(mine.path, &status), 0);
    ck_assert_int_eq(stat(next.path, &status), 0);
    ck_assert_int_eq(stat(other, &status), 0);
    pp_folder_release(&mine);
    pp_folder_release(&next);
    rmdir(other);
    ck_assert_int_eq(rmdir(parent), 0);
    free(dead.path);
    free(file);
    free(other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("child");
    TCase *tests = tcase_create("child");
    tcase_add_test(tests, a_program_runs_where_it_is_told);
    tcase_add_test(tests, what_cannot_be_started);
    tcase_add_test(tests, a_status_is_kept_where_children_are_ignored);
    tcase_add_test(tests, a_signal_ends_the_child_and_is_told);
    tcase_add_test(tests, a_child_is_asked_until_it_listens);
    tcase_add_test(tests, a_folder_is_removed_with_its_content);
    tcase_add_test(tests, a_folder_of_a_dead_owner_is_removed_by_the_next);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
