#include "run/manifest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/folder.h"
#include "base/json.h"
#include "base/output.h"
#include "base/words.h"

static const char schema[] = "ppsim.checkpoint/1";
static const char file_name[] = "checkpoint.json";
/* Doubles come back as they were. */
enum { EXACT = JSON_REAL_PRECISION(17) };

static char *path_in(const char *folder, const char *name, struct pp_error *error)
{
    const struct pp_folder in = {(char *)folder};
    return pp_folder_file(&in, name, error);
}

int pp_mark_file(struct pp_mark *mark, const char *path, struct pp_error *error)
{
    return pp_digest_file(path, &mark->bytes, &mark->digest, error);
}

/* Of the whole object but its own digest. False when out of memory. */
static bool digest_of(const json_t *root, char text[PP_DIGEST_TEXT])
{
    json_t *copy = pp_json_copy(root);
    json_object_del(copy, "digest");
    char *all = pp_json_dump(copy, EXACT | JSON_COMPACT | JSON_SORT_KEYS);
    if (all)
        pp_digest_text(pp_digest(all, strlen(all)), text);
    free(all);
    json_decref(copy);
    return all != NULL;
}

/* --- writing --------------------------------------------------------------------- */

static json_t *mark_json(bool known, const struct pp_mark *mark)
{
    char text[PP_DIGEST_TEXT];
    if (!known)
        return json_null();
    return json_pack("{s:I, s:s}", "bytes", (json_int_t)mark->bytes, "digest",
                     pp_digest_text(mark->digest, text));
}

/* NULL when out of memory. */
static json_t *to_json(const struct pp_manifest *manifest)
{
    json_t *losses = json_array(), *files = json_array(), *evaluations = json_array();
    char text[PP_DIGEST_TEXT];
    bool complete = true;
    for (int i = 0; i < manifest->step; i++)
        complete &= json_array_append_new(losses, json_real(manifest->losses[i])) == 0;
    for (int i = 0; i < manifest->evaluation_count; i++)
        complete &= json_array_append_new(
                        evaluations,
                        json_pack("{s:i, s:f}", "step", manifest->evaluations[i].step,
                                  "loss", manifest->evaluations[i].loss)) == 0;
    for (int i = 0; i < manifest->file_count; i++) {
        json_t *file = mark_json(true, &manifest->files[i].mark);
        complete &= json_object_set_new(file, "name",
                                        json_string(manifest->files[i].name)) == 0;
        complete &= json_array_append_new(files, file) == 0;
    }
    json_t *root = json_pack(
        "{s:s, s:i, s:O, s:o, s:o, s:{s:s, s:s}, s:s?, s:o, s:o, s:o}", "schema",
        schema, "step", manifest->step, "options", manifest->options, "data",
        mark_json(manifest->has_data, &manifest->data), "eval_data",
        mark_json(manifest->has_eval_data, &manifest->eval_data), "machine", "blas",
        manifest->machine.blas, "cpu", manifest->machine.cpu, "load", manifest->load,
        "losses", losses, "evaluations", evaluations, "files", files);
    if (complete && root && digest_of(root, text) &&
        json_object_set_new(root, "digest", json_string(text)) == 0)
        return root;
    json_decref(root);
    return NULL;
}

int pp_manifest_write(const struct pp_manifest *manifest, const char *folder,
                      struct pp_error *error)
{
    struct pp_output output;
    char *path = path_in(folder, file_name, error);
    json_t *root = path ? to_json(manifest) : NULL;
    int status = -1;
    if (path && !root)
        pp_fail(error, PP_ENVIRONMENT, "out of memory for '%s'", path);
    else if (path && pp_output_open(&output, path, error) == 0) {
        json_dumpf(root, output.stream, EXACT);
        fputc('\n', output.stream);
        status = pp_output_commit(&output, error);
    }
    json_decref(root);
    free(path);
    return status;
}

/* --- reading --------------------------------------------------------------------- */

static int damaged(const char *path, const char *what, struct pp_error *error)
{
    return pp_fail(error, PP_BAD_INPUT, "'%s' is damaged: %s", path, what);
}

/* The schema first: of another one nothing else is known. */
static int check_origin(const json_t *root, const char *path, struct pp_error *error)
{
    char own[PP_DIGEST_TEXT] = "", found[40];
    const char *name = json_string_value(json_object_get(root, "schema"));
    const char *digest = json_string_value(json_object_get(root, "digest"));
    if (!name || strcmp(name, schema) != 0) {
        pp_assign(found, sizeof found, "%s", name ? name : "none");
        pp_make_printable(found);
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' is no checkpoint that can be read here: its schema is "
                       "'%s', should be '%s'",
                       path, found, schema);
    }
    if (!digest_of(root, own))
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for '%s'", path);
    if (!digest || strcmp(digest, own) != 0)
        return damaged(path, "it does not have the digest that it was written with",
                       error);
    return 0;
}

static bool read_mark(const json_t *object, struct pp_mark *mark)
{
    const json_t *bytes = json_object_get(object, "bytes");
    const char *digest = json_string_value(json_object_get(object, "digest"));
    char *end = NULL;
    if (!json_is_integer(bytes) || json_integer_value(bytes) < 0 || !digest)
        return false;
    mark->bytes = (uint64_t)json_integer_value(bytes);
    mark->digest = strtoull(digest, &end, 16);
    return strlen(digest) == PP_DIGEST_TEXT - 1 && *end == '\0';
}

/* A name leads nowhere but into the folder. */
static bool read_file(const json_t *object, struct pp_shard_file *file)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    return name && strlen(name) < PP_SHARD_NAME && name[0] != '.' &&
           !strchr(name, '/') && read_mark(object, &file->mark) &&
           pp_assign(file->name, sizeof file->name, "%s", name);
}

/* Their steps ascend, and are among those trained. */
static const char *read_evaluations(struct pp_manifest *manifest, const json_t *list,
                                    struct pp_error *error)
{
    size_t count = json_array_size(list);
    int before = 0;
    manifest->evaluations = calloc(count + 1, sizeof *manifest->evaluations);
    if (!manifest->evaluations) {
        pp_fail(error, PP_ENVIRONMENT, "out of memory for a checkpoint's losses");
        return "";
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *object = json_array_get(list, i);
        const json_t *loss = json_object_get(object, "loss");
        json_int_t step = json_integer_value(json_object_get(object, "step"));
        if (!json_is_real(loss) || step <= before || step > manifest->step)
            return "each of 'evaluations' should have a loss, and a step above the one "
                   "before";
        before = (int)step;
        manifest->evaluations[i] =
            (struct pp_evaluation){before, json_real_value(loss)};
    }
    manifest->evaluation_count = (int)count;
    return NULL;
}

static const char *read_lists(struct pp_manifest *manifest, const json_t *root,
                              struct pp_error *error)
{
    const json_t *losses = json_object_get(root, "losses");
    const json_t *files = json_object_get(root, "files");
    if (json_array_size(losses) != (size_t)manifest->step)
        return "'losses' should have one for each step";
    manifest->losses = calloc((size_t)manifest->step, sizeof(double));
    manifest->files = calloc(json_array_size(files) + 1, sizeof *manifest->files);
    if (!manifest->losses || !manifest->files) {
        pp_fail(error, PP_ENVIRONMENT, "out of memory for a checkpoint's losses");
        return "";
    }
    for (int i = 0; i < manifest->step; i++) {
        const json_t *loss = json_array_get(losses, (size_t)i);
        if (!json_is_real(loss))
            return "'losses' should be numbers";
        manifest->losses[i] = json_real_value(loss);
    }
    for (size_t i = 0; i < json_array_size(files); i++, manifest->file_count++) {
        if (!read_file(json_array_get(files, i), &manifest->files[i]))
            return "each of 'files' should have a name, bytes and a digest";
    }
    return read_evaluations(manifest, json_object_get(root, "evaluations"), error);
}

/* Only told, never relied on. */
static void read_machine(struct pp_machine *machine, const json_t *object)
{
    const char *blas = json_string_value(json_object_get(object, "blas"));
    const char *cpu = json_string_value(json_object_get(object, "cpu"));
    pp_assign(machine->blas, sizeof machine->blas, "%s", blas ? blas : "");
    pp_assign(machine->cpu, sizeof machine->cpu, "%s", cpu ? cpu : "");
    pp_make_printable(machine->blas);
    pp_make_printable(machine->cpu);
}

/* What is wrong; "" where the error is set already; NULL: nothing. */
static const char *read_root(struct pp_manifest *manifest, const json_t *root,
                             struct pp_error *error)
{
    enum { MOST_STEPS = 1 << 24 };
    const json_t *step = json_object_get(root, "step");
    const json_t *data = json_object_get(root, "data");
    const json_t *eval_data = json_object_get(root, "eval_data");
    const json_t *from = json_object_get(root, "load");
    if (!json_is_integer(step) || json_integer_value(step) < 1 ||
        json_integer_value(step) > MOST_STEPS)
        return "'step' should be a whole number from 1 to 16777216";
    manifest->step = (int)json_integer_value(step);
    manifest->options = json_incref(json_object_get(root, "options"));
    if (!json_is_object(manifest->options))
        return "'options' should be an object";
    manifest->has_data = !json_is_null(data);
    manifest->has_eval_data = eval_data && !json_is_null(eval_data);
    if ((manifest->has_data && !read_mark(data, &manifest->data)) ||
        (manifest->has_eval_data && !read_mark(eval_data, &manifest->eval_data)))
        return "'data' and 'eval_data' should have bytes and a digest, or be null";
    read_machine(&manifest->machine, json_object_get(root, "machine"));
    if (json_is_string(from))
        manifest->load = strdup(json_string_value(from));
    else if (!json_is_null(from))
        return "'load' should be a text or null";
    return read_lists(manifest, root, error);
}

int pp_manifest_read(struct pp_manifest *manifest, const char *folder,
                     struct pp_error *error)
{
    *manifest = (struct pp_manifest){0};
    char *path = path_in(folder, file_name, error);
    json_t *root = path ? pp_json_read(path, "is damaged", error) : NULL;
    int status = -1;
    if (root && check_origin(root, path, error) == 0) {
        const char *wrong = read_root(manifest, root, error);
        status = wrong ? -1 : 0;
        if (wrong && wrong[0])
            damaged(path, wrong, error);
    }
    json_decref(root);
    free(path);
    return status;
}

void pp_manifest_release(struct pp_manifest *manifest)
{
    json_decref(manifest->options);
    free(manifest->load);
    free(manifest->losses);
    free(manifest->evaluations);
    free(manifest->files);
    *manifest = (struct pp_manifest){0};
}

static int check_file(const struct pp_shard_file *file, const char *folder,
                      struct pp_error *error)
{
    struct pp_mark found;
    char *path = path_in(folder, file->name, error);
    int status = path ? pp_mark_file(&found, path, error) : -1;
    if (status == 0 && found.bytes != file->mark.bytes)
        status = pp_fail(
            error, PP_BAD_INPUT,
            "'%s' is damaged: it has %llu bytes, and was written with %llu", path,
            (unsigned long long)found.bytes, (unsigned long long)file->mark.bytes);
    else if (status == 0 && found.digest != file->mark.digest)
        status = damaged(path, "it does not have the digest that it was written with",
                         error);
    free(path);
    return status;
}

int pp_manifest_check_files(const struct pp_manifest *manifest, const char *folder,
                            struct pp_error *error)
{
    for (int i = 0; i < manifest->file_count; i++) {
        if (check_file(&manifest->files[i], folder, error) != 0)
            return -1;
    }
    return 0;
}
