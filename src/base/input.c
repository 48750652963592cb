#include "base/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Refuses what has no size to rely on. */
static int check(int fd, const char *path, size_t *size, struct pp_error *error)
{
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return pp_fail(error, pp_status_of(errno), "cannot read '%s': %s", path,
                       strerror(errno));
    if (!S_ISREG(status.st_mode))
        return pp_fail(
            error, PP_BAD_INPUT, "cannot read '%s': %s, not a regular file", path,
            S_ISDIR(status.st_mode) ? "it is a directory" : "it is a device or a pipe");
    if (status.st_size == 0)
        return pp_fail(error, PP_BAD_INPUT, "'%s' is empty", path);
    *size = (size_t)status.st_size;
    return 0;
}

int pp_input_open(struct pp_input *input, const char *path, struct pp_error *error)
{
    /* Non-blocking, so that a pipe is refused below instead of waited for. */
    *input = (struct pp_input){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    int status = check(input->fd, path, &input->size, error);
    if (status == 0) {
        input->path = strdup(path);
        if (!input->path)
            status = pp_fail(error, PP_ENVIRONMENT, "'%s': out of memory", path);
    }
    if (status != 0 && input->fd >= 0)
        close(input->fd);
    if (status != 0)
        *input = (struct pp_input){0};
    return status;
}

void pp_input_close(struct pp_input *input)
{
    if (input->path)
        close(input->fd);
    free(input->path);
    *input = (struct pp_input){0};
}

int pp_input_read(const struct pp_input *input, size_t at, void *into, size_t bytes,
                  struct pp_error *error)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t got =
            pread(input->fd, (char *)into + done, bytes - done, (off_t)(at + done));
        if (got < 0 && errno != EINTR)
            return pp_fail(error, PP_ENVIRONMENT, "cannot read '%s': %s", input->path,
                           strerror(errno));
        if (got == 0)
            return pp_fail(error, PP_ENVIRONMENT,
                           "'%s' has become shorter while it was read: it had %zu "
                           "bytes, now it ends before byte %zu",
                           input->path, input->size, at + done);
        done += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

int pp_input_whole(const char *path, char **bytes, size_t *size, struct pp_error *error)
{
    struct pp_input input;
    *bytes = NULL;
    if (pp_input_open(&input, path, error) != 0)
        return -1;
    int status = 0;
    *size = input.size;
    *bytes = malloc(input.size);
    if (!*bytes)
        status = pp_fail(error, PP_ENVIRONMENT, "'%s': out of memory for %zu bytes",
                         path, input.size);
    else
        status = pp_input_read(&input, 0, *bytes, input.size, error);
    pp_input_close(&input);
    if (status == 0)
        return 0;
    free(*bytes);
    *bytes = NULL;
    return -1;
}
