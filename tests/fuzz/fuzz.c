#include "fuzz.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/words.h"

enum { PATH = 512 };

int fuzz_refused;

int fuzz_check(int result, struct pp_error *error)
{
    bool said = error->lines > 0 && error->text[0] != '\0';
    bool known = error->status == PP_BAD_INPUT || error->status == PP_ENVIRONMENT;
    if (result < 0 ? !said || !known : error->lines > 0) {
        fprintf(stderr, "result %d, status %d, %d lines: '%s'\n", result, error->status,
                error->lines, error->text);
        abort();
    }
    fuzz_refused += result < 0 && error->status == PP_BAD_INPUT;
    *error = (struct pp_error){0};
    return result;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    size_t length = 0;
    if (!text)
        return NULL;
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '\0')
            text[length++] = (char)data[i];
    }
    text[length] = '\0';
    /* Of just its size: a sanitizer sees what reads on. */
    char *fit = realloc(text, length + 1);
    return fit ? fit : text;
}

const char *fuzz_file(const void *data, size_t size)
{
    static char path[64];
    static int file = -1;
    if (file < 0)
        file = memfd_create("input", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (file < 0 || ftruncate(file, 0) != 0 ||
        pwrite(file, data, size, 0) != (ssize_t)size)
        abort();
    return path;
}

struct fuzz_part fuzz_take(struct fuzz_part *rest, char sign)
{
    const char *end = rest->size > 0 ? memchr(rest->data, sign, rest->size) : NULL;
    struct fuzz_part part = {rest->data, end ? (size_t)(end - rest->data) : rest->size};
    size_t gone = part.size + (end != NULL);
    *rest = (struct fuzz_part){rest->data + gone, rest->size - gone};
    return part;
}

static struct pp_folder folder;

static void remove_folder(void)
{
    pp_folder_release(&folder);
}

const char *fuzz_folder(void)
{
    static char inner[PATH];
    struct pp_error error = {0};
    if (!folder.path) {
        if (pp_folder_init(&folder, "fuzz", &error) != 0)
            abort();
        atexit(remove_folder);
    }
    pp_assign(inner, sizeof inner, "%s/in", folder.path);
    pp_folder_remove(inner);
    if (mkdir(inner, 0700) != 0)
        abort();
    return inner;
}

void fuzz_write(const char *in, const char *name, struct fuzz_part content)
{
    char path[PATH];
    pp_assign(path, sizeof path, "%s/%s", in, name);
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    if (file < 0 || write(file, content.data, content.size) != (ssize_t)content.size)
        abort();
    close(file);
}

FILE *fuzz_nowhere(void)
{
    static FILE *nowhere;
    if (!nowhere)
        nowhere = fopen("/dev/null", "w");
    if (!nowhere)
        abort();
    return nowhere;
}
