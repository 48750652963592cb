#include "unit.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char directory[64];

static int remove_entry(const char *path, const struct stat *status, int type,
                        struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static void remove_directory(void)
{
    nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int unit_run(Suite *suite)
{
    /* Before Check forks, so that the tests share it and only this process removes
     * it. */
    strcpy(directory, "/tmp/ppsim-unit-XXXXXX");
    if (mkdtemp(directory) == NULL)
        return EXIT_FAILURE;
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    remove_directory();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

const char *unit_path(const char *name)
{
    static char paths[8][320];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

const char *unit_file(const char *name, const void *bytes, size_t size)
{
    const char *path = unit_path(name);
    FILE *stream = fopen(path, "w");
    ck_assert_ptr_nonnull(stream);
    ck_assert_uint_eq(fwrite(bytes, 1, size, stream), size);
    ck_assert_int_eq(fclose(stream), 0);
    return path;
}

char *unit_content(const char *path)
{
    FILE *stream = fopen(path, "r");
    ck_assert_ptr_nonnull(stream);
    char *text = NULL;
    size_t size = 0;
    ck_assert_int_gt(getdelim(&text, &size, '\0', stream), 0);
    fclose(stream);
    return text;
}

void unit_expect_error(const struct pp_error *error, enum pp_status status, ...)
{
    ck_assert_msg(error->status == status, "status %d: %s", error->status, error->text);
    ck_assert_int_eq(error->lines, 1);
    ck_assert_ptr_null(strchr(error->text, '\n'));
    va_list fragments;
    va_start(fragments, status);
    const char *fragment;
    while ((fragment = va_arg(fragments, const char *)) != NULL)
        ck_assert_msg(strstr(error->text, fragment) != NULL, "no \"%s\" in \"%s\"",
                      fragment, error->text);
    va_end(fragments);
}
