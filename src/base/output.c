#include "base/output.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/temporary.h"

static int refuse(const char *path, int number, struct pp_error *error)
{
    return pp_fail(error, pp_status_of(number), "cannot write '%s': %s", path,
                   strerror(number));
}

static int directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (int)(slash - path) + 1 : 0;
}

/* The path that the last link of a chain points to, existing or not: renaming over a
 * link would replace the link instead of the file. NULL when out of memory. */
static char *follow_links(const char *path)
{
    char link[4096];
    char *at = strdup(path);
    while (at != NULL) {
        ssize_t length = readlink(at, link, sizeof link - 1);
        if (length < 0)
            break;
        link[length] = '\0';
        char *next;
        int directory = link[0] == '/' ? 0 : directory_length(at);
        if (asprintf(&next, "%.*s%s", directory, at, link) < 0)
            next = NULL;
        free(at);
        at = next;
    }
    return at;
}

static mode_t mode_of_new_files(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* Finds where the bytes go: *target and *mode of a regular file, existing or new, or
 * *target NULL for what can only be written in place. */
static int locate(const char *path, char **target, mode_t *mode, struct pp_error *error)
{
    *target = NULL;
    *mode = mode_of_new_files();
    struct stat status;
    if (stat(path, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            return refuse(path, EISDIR, error);
        /* Renaming asks only the directory: a file made read-only stays so. */
        if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
            return refuse(path, errno, error);
        if (!S_ISREG(status.st_mode))
            return 0;
        *mode = status.st_mode & 0777;
    } else if (errno != ENOENT || path[0] == '\0') {
        return refuse(path, errno, error);
    }
    *target = follow_links(path);
    return *target != NULL ? 0 : refuse(path, ENOMEM, error);
}

/* Creates a file of a name of its own beside target. Returns its descriptor, or -1. */
static int create_beside(const char *path, const char *target, mode_t mode,
                         char **temporary, struct pp_error *error)
{
    char *directory = strndup(target, (size_t)directory_length(target));
    int fd = directory ? pp_temporary_open(directory, temporary) : -1;
    if (fd < 0) {
        int number = errno;
        pp_fail(error, pp_status_of(number),
                "cannot write '%s': no file can be created in '%s': %s", path,
                directory && directory[0] ? directory : ".", strerror(number));
        free(directory);
        return -1;
    }
    free(directory);
    /* A file system without permissions is no reason to refuse: result ignored. */
    fchmod(fd, mode);
    return fd;
}

static bool is_standard_output(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* The path with no link in it, of a file that need not exist. NULL where its directory
 * does not, or when out of memory. */
static char *canonical(const char *path)
{
    char *target = follow_links(path), *directory = NULL, *whole = NULL;
    if (target == NULL)
        return NULL;
    int length = directory_length(target);
    char *name = strdup(target + length);
    target[length] = '\0';
    directory = realpath(length > 0 ? target : ".", NULL);
    if (name == NULL || directory == NULL ||
        asprintf(&whole, "%s/%s", directory, name) < 0)
        whole = NULL;
    free(directory);
    free(name);
    free(target);
    return whole;
}

bool pp_output_same(const char *a, const char *b)
{
    struct stat one, other;
    if (is_standard_output(a) || is_standard_output(b))
        return false;
    bool exists = stat(a, &one) == 0;
    if (exists != (stat(b, &other) == 0))
        return false;
    if (exists)
        return S_ISREG(one.st_mode) && one.st_dev == other.st_dev &&
               one.st_ino == other.st_ino;
    char *left = canonical(a), *right = canonical(b);
    bool same = left != NULL && right != NULL && strcmp(left, right) == 0;
    free(left);
    free(right);
    return same;
}

int pp_output_check(const char *path, struct pp_error *error)
{
    if (is_standard_output(path))
        return 0;
    char *target, *temporary;
    mode_t mode;
    if (locate(path, &target, &mode, error) != 0)
        return -1;
    /* What is written in place is not opened for a try: a reader of a pipe would see
     * its end. */
    if (target == NULL)
        return 0;
    int fd = create_beside(path, target, mode, &temporary, error);
    free(target);
    if (fd < 0)
        return -1;
    unlink(temporary);
    close(fd);
    free(temporary);
    return 0;
}

void pp_output_tidy(const char *path)
{
    char *target = is_standard_output(path) ? NULL : follow_links(path);
    if (target != NULL) {
        target[directory_length(target)] = '\0';
        pp_temporary_sweep(target);
    }
    free(target);
}

static void release(struct pp_output *output)
{
    if (output->in_place)
        signal(SIGPIPE, output->at_broken_pipe);
    free(output->temporary);
    free(output->target);
    free(output->path);
    *output = (struct pp_output){0};
}

int pp_output_open(struct pp_output *output, const char *path, struct pp_error *error)
{
    *output = (struct pp_output){0};
    mode_t mode;
    output->path = strdup(path);
    if (output->path == NULL)
        return refuse(path, ENOMEM, error);
    if (is_standard_output(path)) {
        output->stream = stdout;
        return 0;
    }
    if (locate(path, &output->target, &mode, error) != 0)
        goto error;

    int fd;
    if (output->target != NULL) {
        fd = create_beside(path, output->target, mode, &output->temporary, error);
        if (fd < 0)
            goto error;
    } else {
        /* A pipe whose reader leaves is an error of its write, which names it. */
        output->in_place = true;
        output->at_broken_pipe = signal(SIGPIPE, SIG_IGN);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0) {
            refuse(path, errno, error);
            goto error;
        }
    }
    output->stream = fdopen(fd, "w");
    if (output->stream == NULL) {
        refuse(path, errno, error);
        if (output->temporary != NULL)
            unlink(output->temporary);
        close(fd);
        goto error;
    }
    return 0;

error:
    release(output);
    return -1;
}

/* Writes all that is left; returns 0, or the errno of the first thing that went wrong.
 */
static int flush(struct pp_output *output)
{
    int number = ferror(output->stream) ? EIO : 0;
    /* The stream has forgotten why; the next write fails for the same reason. */
    if (number != 0 && output->stream != stdout &&
        write(fileno(output->stream), "", 1) < 0)
        number = errno;
    if (fflush(output->stream) != 0)
        number = errno;
    /* On disk before the rename, lest a crash leave the name with half the bytes. */
    if (number == 0 && output->temporary != NULL && fsync(fileno(output->stream)) != 0)
        number = errno;
    return number;
}

static int close_stream(struct pp_output *output)
{
    int failed = output->stream != stdout ? fclose(output->stream) : 0;
    int number = failed ? errno : 0;
    output->stream = NULL;
    return number;
}

static int cannot_write(const struct pp_output *output, int number,
                        struct pp_error *error)
{
    return pp_fail(error, PP_ENVIRONMENT, "cannot write '%s': %s",
                   is_standard_output(output->path) ? "standard output" : output->path,
                   strerror(number));
}

int pp_output_sync(struct pp_output *output, struct pp_error *error)
{
    int number = flush(output);
    return number == 0 ? 0 : cannot_write(output, number, error);
}

int pp_output_commit(struct pp_output *output, struct pp_error *error)
{
    assert(output->stream != NULL);
    int result = 0, number = flush(output);
    if (number == 0 && output->temporary != NULL) {
        if (rename(output->temporary, output->target) == 0) {
            free(output->temporary);
            output->temporary = NULL;
        } else {
            number = errno;
        }
    }
    if (output->temporary != NULL)
        unlink(output->temporary);
    /* Only now: the lock on what has a temporary name goes with the descriptor. */
    int closed = close_stream(output);
    if (number == 0)
        number = closed;
    if (number != 0)
        result = cannot_write(output, number, error);
    release(output);
    return result;
}

void pp_output_abandon(struct pp_output *output)
{
    if (output->temporary != NULL)
        unlink(output->temporary);
    if (output->stream != NULL)
        close_stream(output);
    release(output);
}
