#include "run/save_folder.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/input.h"
#include "base/output.h"
#include "base/words.h"
#include "model/gpt2_config.h"
#include "text/tokenizer.h"

enum { BYTES = 256 };

static const char parameters_name[] = "model.safetensors";
static const char config_name[] = "config.json";

/* In the folder, to be freed. */
static char *path_in(const char *folder, const char *name, struct pp_error *error)
{
    size_t length = strlen(folder);
    char *path;
    if (asprintf(&path, "%s%s%s", folder,
                 length > 0 && folder[length - 1] == '/' ? "" : "/", name) >= 0)
        return path;
    pp_fail(error, PP_ENVIRONMENT, "out of memory for a file's name");
    return NULL;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool pp_save_folder_named(const char *path)
{
    size_t length = strlen(path);
    if (length == 0 || strcmp(path, "-") == 0)
        return false;
    if (path[length - 1] == '/' || is_folder(path))
        return true;
    return access(path, F_OK) != 0 && fnmatch("*.safetensors", path, 0) != 0;
}

bool pp_save_folder_has_tokenizer(int vocab)
{
    return vocab >= BYTES;
}

static bool is_of_bytes(const struct pp_tokenizer *tokenizer)
{
    bool is = tokenizer->vocab == BYTES && tokenizer->bpe.merges.count == 0;
    for (int byte = 0; byte < BYTES && is; byte++)
        is = tokenizer->bpe.of_byte[byte] == byte;
    return is;
}

/* The parameters' own tokenizer is of bytes: another one is not what they were trained
 * with, nor is it to be lost. */
static int check_tokenizer(const char *folder, struct pp_error *error)
{
    struct pp_tokenizer tokenizer;
    if (!pp_tokenizer_found(folder))
        return 0;
    int read = pp_tokenizer_init(&tokenizer, folder, error);
    if (read != 0 && error->status != PP_BAD_INPUT)
        return -1;
    bool own = read == 0 && is_of_bytes(&tokenizer);
    if (read == 0)
        pp_tokenizer_release(&tokenizer);
    if (own)
        return 0;
    return pp_fail(error, PP_BAD_INPUT,
                   "'%s' holds another tokenizer than that of the parameters, whose "
                   "tokens are bytes: save them into another folder",
                   folder);
}

/* Can the files be written in a folder that is there? */
static int check_files(const char *folder, struct pp_error *error)
{
    static const char *const names[] = {parameters_name, config_name, "vocab.json",
                                        "merges.txt", "tokenizer_config.json"};
    int status = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names && status == 0; i++) {
        char *path = path_in(folder, names[i], error);
        status = path ? pp_output_check(path, error) : -1;
        free(path);
    }
    return status == 0 ? check_tokenizer(folder, error) : -1;
}

int pp_save_folder_check(const char *path, struct pp_error *error)
{
    char name[PATH_MAX];
    if (is_folder(path))
        return check_files(path, error);
    /* Where a file can be made, a folder can. */
    if (!pp_assign(name, sizeof name, "%s", path))
        return pp_fail(error, PP_BAD_INPUT, "cannot write '%s': %s", path,
                       strerror(ENAMETOOLONG));
    for (size_t end = strlen(name); end > 1 && name[end - 1] == '/'; end--)
        name[end - 1] = '\0';
    if (access(name, F_OK) == 0)
        return pp_fail(error, PP_BAD_INPUT, "cannot write '%s': it is no folder", path);
    return pp_output_check(name, error);
}

bool pp_save_folder_has(const char *folder, const char *path)
{
    static const char *const names[] = {
        "*.safetensors", "*.safetensors.index.json", config_name,  "tokenizer.json",
        "vocab.json",    "tokenizer_config.json",    "merges.txt",
    };
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    struct stat here, there;
    int length = slash ? (int)(slash - path) + 1 : 0;
    if (!pp_assign(parent, sizeof parent, "%.*s", length, path) ||
        stat(folder, &here) != 0 || !S_ISDIR(here.st_mode) ||
        stat(length > 0 ? parent : ".", &there) != 0 || here.st_dev != there.st_dev ||
        here.st_ino != there.st_ino)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (fnmatch(names[i], name, 0) == 0)
            return true;
    }
    return false;
}

void pp_save_folder_tidy(const char *path)
{
    struct pp_error error;
    char *file = is_folder(path) ? path_in(path, parameters_name, &error) : NULL;
    if (file)
        pp_output_tidy(file);
    free(file);
}

/* Does the file hold this text? */
static bool holds(const char *path, const char *text)
{
    struct pp_error error;
    char *bytes;
    size_t size;
    if (pp_input_whole(path, &bytes, &size, &error) != 0)
        return false;
    bool same = size == strlen(text) && memcmp(bytes, text, size) == 0;
    free(bytes);
    return same;
}

/* The path of config.json and its text, both to be freed. */
static int describe(const char *folder, const struct pp_model_config *model,
                    char **path, char **text, struct pp_error *error)
{
    *path = path_in(folder, config_name, error);
    *text = *path ? pp_gpt2_config_text(model) : NULL;
    if (*path && !*text)
        pp_fail(error, PP_ENVIRONMENT, "out of memory for '%s'", *path);
    return *text ? 0 : -1;
}

char *pp_save_folder_begin(const char *folder, struct pp_error *error)
{
    if (mkdir(folder, 0777) == 0 || errno == EEXIST)
        return path_in(folder, parameters_name, error);
    pp_fail(error, PP_ENVIRONMENT, "cannot make the directory '%s': %s", folder,
            strerror(errno));
    return NULL;
}

int pp_save_folder_replace(const char *folder, const struct pp_model_config *model,
                           struct pp_error *error)
{
    char *path, *text;
    int status = describe(folder, model, &path, &text, error);
    if (status == 0 && !holds(path, text) && unlink(path) != 0 && errno != ENOENT)
        status = pp_fail(error, PP_ENVIRONMENT, "cannot write '%s': %s", path,
                         strerror(errno));
    free(path);
    free(text);
    return status;
}

static int write_text(const char *path, const char *text, struct pp_error *error)
{
    struct pp_output output;
    if (pp_output_open(&output, path, error) != 0)
        return -1;
    fprintf(output.stream, "%s", text);
    return pp_output_commit(&output, error);
}

static int write_tokenizer(const char *folder, struct pp_error *error)
{
    struct pp_tokenizer tokenizer;
    if (pp_tokenizer_init(&tokenizer, "bytes", error) != 0)
        return -1;
    int status = pp_tokenizer_write(&tokenizer, folder, error);
    pp_tokenizer_release(&tokenizer);
    return status;
}

int pp_save_folder_end(const char *folder, const struct pp_model_config *model,
                       struct pp_error *error)
{
    char *path, *text;
    int status = describe(folder, model, &path, &text, error);
    if (status == 0 && pp_save_folder_has_tokenizer(model->vocab))
        status = write_tokenizer(folder, error);
    if (status == 0 && !holds(path, text))
        status = write_text(path, text, error);
    free(path);
    free(text);
    return status;
}
