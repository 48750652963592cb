/* What the unit tests share: one suite per executable, a directory for files. */
#ifndef PP_TESTS_UNIT_H
#define PP_TESTS_UNIT_H

#include <check.h>
#include <stddef.h>

#include "base/error.h"

/* Runs the suite; returns the exit status of the test. Frees the suite. */
int unit_run(Suite *suite);

/* A path of that name in a directory that unit_run makes and removes. Valid until the
 * eighth call after it. */
const char *unit_path(const char *name);

/* Writes a file of that name there; returns its path. */
const char *unit_file(const char *name, const void *bytes, size_t size);

/* The bytes of a file, ended by a 0; to be freed. */
char *unit_content(const char *path);

/* Asserts that the error is one line of that status, and holds each of the texts that
 * follow, ended by NULL. */
void unit_expect_error(const struct pp_error *error, enum pp_status status, ...);

#endif
