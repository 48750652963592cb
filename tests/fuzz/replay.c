/* Runs a target over files that are kept: without libFuzzer, by any compiler. Where
 * tests/faults/failing-allocation.c is loaded before it, each allocation for an input
 * fails once: nothing may be left, and nothing be refused that is not else. */
#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../faults/failing-allocation.h"
#include "fuzz.h"

__attribute__((weak)) void failing_allocation_begin(long n);
__attribute__((weak)) bool failing_allocation_end(int *not_freed);

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "r");
    enum { MOST = 1 << 20 };
    uint8_t *data = malloc(MOST);
    *size = file && data ? fread(data, 1, MOST, file) : 0;
    if (!file || !data || ferror(file)) {
        fprintf(stderr, "cannot read '%s'\n", path);
        exit(1);
    }
    fclose(file);
    uint8_t *fit = realloc(data, *size + 1);
    return fit ? fit : data;
}

/* Runs with the n-th allocation failing; returns whether there was one. */
static bool starve(const char *path, const uint8_t *data, size_t size, long n)
{
    static int refused; /* where none fails */
    int not_freed;
    fuzz_refused = 0;
    failing_allocation_begin(n);
    LLVMFuzzerTestOneInput(data, size);
    bool reached = failing_allocation_end(&not_freed);
    if (not_freed > 0) {
        fprintf(stderr, "%s: %d not freed after allocation %ld failed\n", path,
                not_freed, n);
        exit(1);
    }
    if (n == 0)
        refused = fuzz_refused;
    if (fuzz_refused > refused) {
        fprintf(stderr, "%s: is called wrong after allocation %ld failed\n", path, n);
        exit(1);
    }
    return n > 0 && reached;
}

static void replay(const char *path)
{
    size_t size;
    uint8_t *data = read_file(path, &size);
    LLVMFuzzerTestOneInput(data, size); /* what is made once, is made now */
    long n = 0;
    if (failing_allocation_begin) {
        starve(path, data, size, 0);
        while (starve(path, data, size, n + 1))
            n++;
    }
    printf("%s: %zu bytes, %ld allocations\n", path, size, n);
    free(data);
}

int main(int argc, char **argv)
{
    int files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        const struct dirent *entry;
        while (folder && (entry = readdir(folder))) {
            char path[4096];
            if (entry->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            replay(path);
            files++;
        }
        if (folder)
            closedir(folder);
    }
    return files > 0 ? 0 : 1;
}
