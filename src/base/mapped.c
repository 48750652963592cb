#include "base/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int pp_map_file(const char *path, const unsigned char **bytes, size_t *size,
                struct pp_error *error)
{
    int result = -1;
    struct stat status;
    void *map;

    /* Non-blocking, so that a pipe is refused below instead of waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0) {
        pp_fail(error, PP_BAD_INPUT, "cannot read '%s': %s", path, strerror(errno));
        goto done;
    }
    if (!S_ISREG(status.st_mode)) {
        pp_fail(error, PP_BAD_INPUT, "cannot read '%s': %s, not a regular file", path,
                S_ISDIR(status.st_mode) ? "it is a directory"
                                        : "it is a device or a pipe");
        goto done;
    }
    if (status.st_size == 0) {
        pp_fail(error, PP_BAD_INPUT, "'%s' is empty", path);
        goto done;
    }
    map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
        pp_fail(error, PP_ENVIRONMENT, "cannot map '%s': %s", path, strerror(errno));
        goto done;
    }
    *bytes = map;
    *size = (size_t)status.st_size;
    result = 0;

done:
    if (fd >= 0)
        close(fd);
    return result;
}

void pp_unmap_file(const unsigned char *bytes, size_t size)
{
    if (bytes != NULL)
        munmap((void *)bytes, size);
}
