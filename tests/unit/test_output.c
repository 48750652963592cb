#include "base/output.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

/* A directory of that name, which each test fills for itself. */
static const char *make_directory(const char *name)
{
    const char *path = unit_path(name);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    return path;
}

static int entries_of(const char *path)
{
    DIR *directory = opendir(path);
    ck_assert_ptr_nonnull(directory);
    int count = 0;
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count - 2; /* . and .. */
}

static void expect_text(const char *path, const char *expected)
{
    char text[64] = "";
    FILE *stream = fopen(path, "r");
    ck_assert_ptr_nonnull(stream);
    ck_assert_uint_lt(fread(text, 1, sizeof text, stream), sizeof text);
    fclose(stream);
    ck_assert_str_eq(text, expected);
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    ck_assert_int_eq(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

/* Checks and writes a path, as a run does. */
static void write_whole(const char *path, const char *text)
{
    struct pp_output output;
    struct pp_error error = {0};
    ck_assert_msg(pp_output_check(path, &error) == 0, "%s", error.text);
    ck_assert_msg(pp_output_open(&output, path, &error) == 0, "%s", error.text);
    ck_assert_int_ge(fputs(text, output.stream), 0);
    ck_assert_msg(pp_output_commit(&output, &error) == 0, "%s", error.text);
    pp_output_abandon(&output); /* does nothing after commit */
}

START_TEST(a_new_file_appears_whole)
{
    const char *directory = make_directory("new");
    const char *path = unit_path("new/out");
    struct pp_output output;
    struct pp_error error = {0};
    umask(027);
    ck_assert_int_eq(pp_output_check(path, &error), 0);
    ck_assert_int_eq(entries_of(directory), 0);
    ck_assert_int_eq(pp_output_open(&output, path, &error), 0);
    fputs("whole", output.stream);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(pp_output_commit(&output, &error), 0);
    expect_text(path, "whole");
    ck_assert_int_eq(entries_of(directory), 1);
    ck_assert_uint_eq(mode_of(path), 0640);
}
END_TEST

START_TEST(an_old_file_stays_until_commit_and_keeps_its_mode)
{
    const char *directory = make_directory("old");
    const char *path = unit_file("old/out", "before", 6);
    struct pp_output output;
    struct pp_error error = {0};
    chmod(path, 0604);
    ck_assert_int_eq(pp_output_open(&output, path, &error), 0);
    fputs("after", output.stream);
    fflush(output.stream);
    expect_text(path, "before");
    ck_assert_int_eq(pp_output_commit(&output, &error), 0);
    expect_text(path, "after");
    ck_assert_uint_eq(mode_of(path), 0604);
    ck_assert_int_eq(entries_of(directory), 1);
}
END_TEST

START_TEST(abandon_leaves_everything_as_it_was)
{
    const char *directory = make_directory("abandon");
    const char *old = unit_file("abandon/old", "before", 6);
    const char *paths[] = {old, unit_path("abandon/new")};
    struct pp_error error = {0};
    for (int i = 0; i < 2; i++) {
        struct pp_output output;
        ck_assert_int_eq(pp_output_open(&output, paths[i], &error), 0);
        fputs("half", output.stream);
        pp_output_abandon(&output);
        pp_output_abandon(&output);
    }
    expect_text(old, "before");
    ck_assert_int_eq(entries_of(directory), 1);
}
END_TEST

/* A process that has written half a file: it says its temporary name. */
static pid_t write_half(const char *path, char name[PATH_MAX])
{
    int names[2];
    struct pp_output output;
    struct pp_error error = {0};
    ck_assert_int_eq(pipe(names), 0);
    pid_t writer = fork();
    if (writer == 0) {
        if (pp_output_open(&output, path, &error) != 0)
            _exit(1);
        fputs("half", output.stream);
        fflush(output.stream);
        if (write(names[1], output.temporary, strlen(output.temporary) + 1) < 0)
            _exit(1);
        pause();
        _exit(0);
    }
    ck_assert_int_gt(read(names[0], name, PATH_MAX), 0);
    close(names[0]);
    close(names[1]);
    return writer;
}

static void end(pid_t process)
{
    kill(process, SIGKILL);
    ck_assert_int_eq(waitpid(process, NULL, 0), process);
}

START_TEST(what_a_killed_writer_left_is_removed)
{
    const char *directory = make_directory("killed");
    const char *path = unit_file("killed/out", "before", 6);
    const char *other = unit_file("killed/.ppsim-notes", "kept", 4);
    char dead[PATH_MAX], living[PATH_MAX];
    pid_t first = write_half(path, dead), second = write_half(path, living);
    end(first);
    ck_assert_int_eq(access(dead, F_OK), 0);
    write_whole(path, "after");
    ck_assert_int_ne(access(dead, F_OK), 0);
    ck_assert_int_eq(access(living, F_OK), 0);
    end(second);
    pp_output_tidy(path);
    ck_assert_int_eq(entries_of(directory), 2);
    expect_text(path, "after");
    ck_assert_int_eq(unlink(other), 0);
}
END_TEST

/* Nobody takes what is just being made for what a dead writer left. */
START_TEST(writers_side_by_side_keep_their_own)
{
    enum { WRITERS = 4, TIMES = 200 };
    const char *directory = make_directory("side");
    const char *path = unit_path("side/out");
    pid_t writers[WRITERS];
    for (int w = 0; w < WRITERS; w++) {
        writers[w] = fork();
        if (writers[w] != 0)
            continue;
        for (int i = 0; i < TIMES; i++) {
            struct pp_output output;
            struct pp_error error = {0};
            if (pp_output_open(&output, path, &error) != 0)
                _exit(1);
            fputs("whole", output.stream);
            if (pp_output_commit(&output, &error) != 0)
                _exit(2);
        }
        _exit(0);
    }
    for (int w = 0; w < WRITERS; w++) {
        int status;
        ck_assert_int_eq(waitpid(writers[w], &status, 0), writers[w]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_int_eq(entries_of(directory), 1);
    expect_text(path, "whole");
}
END_TEST

START_TEST(a_failed_commit_leaves_the_old_file)
{
    const char *directory = make_directory("failed");
    const char *path = unit_file("failed/out", "before", 6);
    struct pp_output output;
    struct pp_error error = {0};
    ck_assert_int_eq(pp_output_open(&output, path, &error), 0);
    /* The descriptor now leads to a full disk. */
    int full = open("/dev/full", O_WRONLY);
    ck_assert_int_ge(dup2(full, fileno(output.stream)), 0);
    close(full);
    fputs("half", output.stream);
    ck_assert_int_eq(pp_output_commit(&output, &error), -1);
    unit_expect_error(&error, PP_ENVIRONMENT, path, "No space left on device", NULL);
    expect_text(path, "before");
    ck_assert_int_eq(entries_of(directory), 1);
}
END_TEST

/* A write that failed before commit must not be forgotten because the last one did
 * not. */
START_TEST(an_early_failure_counts)
{
    const char *path = unit_path("early");
    struct pp_output output;
    struct pp_error error = {0};
    ck_assert_int_eq(pp_output_open(&output, path, &error), 0);
    int good = dup(fileno(output.stream)), full = open("/dev/full", O_WRONLY);
    dup2(full, fileno(output.stream));
    setvbuf(output.stream, NULL, _IONBF, 0);
    ck_assert_int_lt(fputs("lost", output.stream), 0);
    dup2(good, fileno(output.stream));
    fputs("kept", output.stream);
    ck_assert_int_eq(pp_output_commit(&output, &error), -1);
    unit_expect_error(&error, PP_ENVIRONMENT, path, NULL);
    ck_assert_int_ne(access(path, F_OK), 0);
    close(good);
    close(full);
}
END_TEST

START_TEST(links_are_followed)
{
    make_directory("links");
    make_directory("links/far");
    const char *target = unit_file("links/far/target", "before", 6);
    const char *link = unit_path("links/link"), *chain = unit_path("links/chain");
    ck_assert_int_eq(symlink("far/target", link), 0);
    ck_assert_int_eq(symlink(link, chain), 0);
    write_whole(chain, "after");
    struct stat status;
    ck_assert_int_eq(lstat(link, &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
    ck_assert_int_eq(lstat(chain, &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
    expect_text(target, "after");
    ck_assert_int_eq(entries_of(unit_path("links")), 3);
    ck_assert_int_eq(entries_of(unit_path("links/far")), 1);
}
END_TEST

START_TEST(a_link_to_nothing_is_filled)
{
    make_directory("dangling");
    const char *link = unit_path("dangling/link");
    ck_assert_int_eq(symlink("target", link), 0);
    write_whole(link, "new");
    expect_text(unit_path("dangling/target"), "new");
}
END_TEST

START_TEST(a_bare_name_is_in_the_working_directory)
{
    ck_assert_int_eq(chdir(make_directory("bare")), 0);
    write_whole("out", "here");
    expect_text(unit_path("bare/out"), "here");
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(devices_are_written_in_place)
{
    write_whole("/dev/null", "nothing");
    struct stat status;
    ck_assert_int_eq(stat("/dev/null", &status), 0);
    ck_assert(S_ISCHR(status.st_mode));

    struct pp_output output;
    struct pp_error error = {0};
    ck_assert_int_eq(pp_output_check("/dev/full", &error), 0);
    ck_assert_int_eq(pp_output_open(&output, "/dev/full", &error), 0);
    fputs("something", output.stream);
    ck_assert_int_eq(pp_output_commit(&output, &error), -1);
    unit_expect_error(&error, PP_ENVIRONMENT, "'/dev/full'", "No space left on device",
                      NULL);
}
END_TEST

static void *read_pipe(void *path)
{
    static char text[64];
    FILE *stream = fopen(path, "r");
    size_t length = fread(text, 1, sizeof text - 1, stream);
    text[length] = '\0';
    fclose(stream);
    return text;
}

START_TEST(a_pipe_is_written_in_place_and_checked_without_being_opened)
{
    char path[320];
    strcpy(path, unit_path("pipe"));
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    pthread_t reader;
    void *text;
    ck_assert_int_eq(pthread_create(&reader, NULL, read_pipe, path), 0);
    write_whole(path, "through");
    ck_assert_int_eq(pthread_join(reader, &text), 0);
    ck_assert_str_eq(text, "through");
}
END_TEST

START_TEST(a_dash_is_standard_output)
{
    fflush(stdout);
    int before = dup(STDOUT_FILENO);
    const char *path = unit_file("stdout", "", 0);
    int file = open(path, O_WRONLY);
    dup2(file, STDOUT_FILENO);
    write_whole("-", "shown");
    /* Still open for what comes after. */
    fputs(" and more", stdout);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    close(file);
    expect_text(path, "shown and more");
}
END_TEST

START_TEST(standard_output_may_be_full)
{
    fflush(stdout);
    int before = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY);
    dup2(full, STDOUT_FILENO);
    struct pp_output output;
    struct pp_error error = {0};
    ck_assert_int_eq(pp_output_open(&output, "-", &error), 0);
    fputs("lost", output.stream);
    int result = pp_output_commit(&output, &error);
    dup2(before, STDOUT_FILENO);
    close(before);
    close(full);
    ck_assert_int_eq(result, -1);
    unit_expect_error(&error, PP_ENVIRONMENT, "standard output",
                      "No space left on device", NULL);
}
END_TEST

static void expect_refusal(const char *path, const char *fragment)
{
    struct pp_output output;
    struct pp_error checked = {0}, opened = {0};
    ck_assert_int_eq(pp_output_check(path, &checked), -1);
    unit_expect_error(&checked, PP_BAD_INPUT, "cannot write '", path, fragment, NULL);
    ck_assert_int_eq(pp_output_open(&output, path, &opened), -1);
    ck_assert_str_eq(checked.text, opened.text);
    pp_output_abandon(&output);
}

START_TEST(what_cannot_be_written_is_refused)
{
    make_directory("refuse");
    expect_refusal(unit_path("refuse"), "Is a directory");
    expect_refusal(unit_path("refuse/"), "Is a directory");
    expect_refusal(unit_path("refuse/none/out"), "no file can be created in '");
    expect_refusal(unit_path("refuse/none/out"), "refuse/none/': No such file");
    unit_file("refuse/file", "", 0);
    expect_refusal(unit_path("refuse/file/out"), "Not a directory");
    ck_assert_int_eq(symlink("loop", unit_path("refuse/loop")), 0);
    expect_refusal(unit_path("refuse/loop"), "Too many levels of symbolic links");
    expect_refusal("", "No such file or directory");
    expect_refusal("/proc/out", "no file can be created in '/proc/'");
}
END_TEST

START_TEST(permissions_are_asked)
{
    /* Root may write everywhere; anyone else will do. */
    uid_t before = geteuid();
    make_directory("locked");
    const char *file = unit_file("locked/file", "before", 6);
    chmod(file, 0444);
    chmod(unit_path("locked"), 0555);
    chmod(unit_path("."), 0755);
    if (before == 0)
        ck_assert_int_eq(seteuid(65534), 0);
    expect_refusal(unit_path("locked/new"), "Permission denied");
    expect_refusal(file, "Permission denied");
    if (before == 0)
        ck_assert_int_eq(seteuid(0), 0);
    /* Where the directory would let a read-only file be replaced, its mode forbids. */
    chmod(unit_path("locked"), 0777);
    if (before == 0)
        ck_assert_int_eq(seteuid(65534), 0);
    expect_refusal(file, "Permission denied");
    if (before == 0)
        ck_assert_int_eq(seteuid(0), 0);
    /* Lost with the user, and needed by the leak sanitizer. */
    prctl(PR_SET_DUMPABLE, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("output");
    TCase *tests = tcase_create("output");
    tcase_add_test(tests, a_new_file_appears_whole);
    tcase_add_test(tests, an_old_file_stays_until_commit_and_keeps_its_mode);
    tcase_add_test(tests, abandon_leaves_everything_as_it_was);
    tcase_add_test(tests, what_a_killed_writer_left_is_removed);
    tcase_add_test(tests, writers_side_by_side_keep_their_own);
    tcase_add_test(tests, a_failed_commit_leaves_the_old_file);
    tcase_add_test(tests, an_early_failure_counts);
    tcase_add_test(tests, links_are_followed);
    tcase_add_test(tests, a_link_to_nothing_is_filled);
    tcase_add_test(tests, a_bare_name_is_in_the_working_directory);
    tcase_add_test(tests, devices_are_written_in_place);
    tcase_add_test(tests, a_pipe_is_written_in_place_and_checked_without_being_opened);
    tcase_add_test(tests, a_dash_is_standard_output);
    tcase_add_test(tests, standard_output_may_be_full);
    tcase_add_test(tests, what_cannot_be_written_is_refused);
    tcase_add_test(tests, permissions_are_asked);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
