/* A folder of checkpoints: 'latest' up to the first line's end, checkpoint.json up to a
 * zero byte, and a shard. Where 'latest' begins with '+', which is not written, the
 * manifest gets the digests that fit: or nothing behind them would be reached. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/folder.h"
#include "base/json.h"
#include "base/words.h"
#include "fuzz.h"
#include "model/safetensors.h"
#include "run/resume.h"
#include "run/store.h"

enum { PATH = 512 };
static const char step[] = "step-00000002", shard[] = "rank-00000.safetensors";

struct bytes {
    const char *data;
    size_t size;
};

static void write_file(const char *folder, const char *name, struct bytes bytes)
{
    char path[PATH];
    pp_assign(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    if (file < 0 || write(file, bytes.data, bytes.size) != (ssize_t)bytes.size)
        abort();
    close(file);
}

/* Takes the input's first part off it, up to the sign. */
static struct bytes take(struct bytes *rest, char sign)
{
    const char *end = memchr(rest->data, sign, rest->size);
    struct bytes part = {rest->data, end ? (size_t)(end - rest->data) : rest->size};
    size_t gone = part.size + (end != NULL);
    *rest = (struct bytes){rest->data + gone, rest->size - gone};
    return part;
}

/* The manifest with digests that fit, to be freed; NULL where it is no JSON object, or
 * when out of memory. */
static char *mend(struct bytes manifest, struct bytes content)
{
    char text[PP_DIGEST_TEXT];
    json_t *root = json_loadb(manifest.data, manifest.size, 0, NULL);
    if (!json_is_object(root)) {
        json_decref(root);
        return NULL;
    }
    pp_digest_text(pp_digest(content.data, content.size), text);
    pp_json_set(&root, "files",
                json_pack("[{s:s, s:I, s:s}]", "name", shard, "bytes",
                          (json_int_t)content.size, "digest", text));
    json_object_del(root, "digest");
    char *all =
        pp_json_dump(root, JSON_REAL_PRECISION(17) | JSON_COMPACT | JSON_SORT_KEYS);
    if (all)
        pp_digest_text(pp_digest(all, strlen(all)), text);
    pp_json_set(&root, "digest", all ? json_string(text) : NULL);
    free(all);
    char *mended = pp_json_dump(root, JSON_REAL_PRECISION(17));
    json_decref(root);
    return mended;
}

/* Returns whether there was memory for it. */
static bool fill(const char *folder, struct bytes input)
{
    bool fits = input.size > 0 && input.data[0] == '+';
    if (fits)
        input = (struct bytes){input.data + 1, input.size - 1};
    struct bytes latest = take(&input, '\n'), manifest = take(&input, '\0');
    char path[PATH], *mended = fits ? mend(manifest, input) : NULL;
    pp_assign(path, sizeof path, "%s/%s", folder, step);
    mkdir(path, 0700);
    write_file(folder, "latest", latest);
    write_file(path, "checkpoint.json",
               mended ? (struct bytes){mended, strlen(mended)} : manifest);
    write_file(path, shard, input);
    free(mended);
    return mended || !fits;
}

static void resume(const char *folder)
{
    struct pp_error error = {0};
    struct pp_manifest here = {0}, found = {0};
    struct pp_run_config config = {
        .steps = 4, .checkpoint = folder, .keep = 1, .resume = true};
    config.numbers = json_pack("{s:i, s:f, s:s, s:n}", "layers", 2, "lr", 0.001,
                               "optimizer", "adamw", "data");
    if (config.numbers &&
        fuzz_check(pp_resume_describe(&here, &config, &error), &error) == 0)
        fuzz_check(pp_resume_find(&found, &config, &here, &error), &error);
    pp_manifest_release(&found);
    pp_manifest_release(&here);
    json_decref(config.numbers);
}

static void open_shard(const char *folder)
{
    struct pp_error error = {0};
    struct pp_st_file file;
    char path[PATH];
    pp_assign(path, sizeof path, "%s/%s/%s", folder, step, shard);
    if (fuzz_check(pp_st_open(&file, path, &error), &error) == 0)
        pp_st_close(&file);
}

/* Removed at the end of the process. */
static struct pp_folder folder;

static void remove_folder(void)
{
    pp_folder_release(&folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pp_error error = {0};
    if (!folder.path) {
        if (pp_folder_init(&folder, "fuzz", &error) != 0)
            abort();
        atexit(remove_folder);
    }
    char inner[PATH];
    pp_assign(inner, sizeof inner, "%s/ck", folder.path);
    pp_folder_remove(inner);
    mkdir(inner, 0700);
    if (!fill(inner, (struct bytes){(const char *)data, size}))
        return 0;
    resume(inner);
    open_shard(inner);
    return 0;
}
