/* A folder of checkpoints: 'latest' up to the first line's end, checkpoint.json up to a
 * zero byte, and a shard. Where 'latest' begins with '+', which is not written, the
 * manifest gets the digests that fit: or nothing behind them would be reached. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/words.h"
#include "fuzz.h"
#include "model/safetensors.h"
#include "run/resume.h"
#include "run/store.h"

enum { PATH = 512 };
static const char step[] = "step-00000002", shard[] = "rank-00000.safetensors";

/* The manifest with digests that fit, to be freed; NULL where it is no JSON object, or
 * when out of memory. */
static char *mend(struct fuzz_part manifest, struct fuzz_part content)
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
static bool fill(const char *folder, struct fuzz_part input)
{
    bool fits = input.size > 0 && input.data[0] == '+';
    if (fits)
        input = (struct fuzz_part){input.data + 1, input.size - 1};
    struct fuzz_part latest = fuzz_take(&input, '\n'),
                     manifest = fuzz_take(&input, '\0');
    char path[PATH], *mended = fits ? mend(manifest, input) : NULL;
    pp_assign(path, sizeof path, "%s/%s", folder, step);
    mkdir(path, 0700);
    fuzz_write(folder, "latest", latest);
    fuzz_write(path, "checkpoint.json",
               mended ? (struct fuzz_part){mended, strlen(mended)} : manifest);
    fuzz_write(path, shard, input);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *folder = fuzz_folder();
    if (!fill(folder, (struct fuzz_part){(const char *)data, size}))
        return 0;
    resume(folder);
    open_shard(folder);
    return 0;
}
