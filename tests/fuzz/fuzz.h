/* What the fuzz targets share. A target reads its input in every way that its name
 * says; what was read is used, and what was refused must have a message. libFuzzer's
 * main calls it with inputs of its own making, replay.c's with those that are kept. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How often something was refused for what it is, since this was set to 0. */
extern int fuzz_refused;

/* Ends the process if what a reader returned and what it said do not fit. To be called
 * behind every one; clears the error for the next. Returns result. */
int fuzz_check(int result, struct pp_error *error);

/* The input as a text that ends where it does, without its zero bytes; to be freed.
 * NULL when out of memory. */
char *fuzz_text(const uint8_t *data, size_t size);

/* A regular file in memory that holds the bytes; its path is good until the next call.
 */
const char *fuzz_file(const void *data, size_t size);

/* A part of the input. */
struct fuzz_part {
    const char *data;
    size_t size;
};

/* Takes the rest's first part off it, up to the sign, which goes too. */
struct fuzz_part fuzz_take(struct fuzz_part *rest, char sign);

/* An empty folder; its path is good until the next call, and the folder is removed at
 * the end of the process. Files are written into it, or into those below. */
const char *fuzz_folder(void);
void fuzz_write(const char *folder, const char *name, struct fuzz_part content);

/* Swallows what is printed. */
FILE *fuzz_nowhere(void);

#endif
