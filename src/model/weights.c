#include "model/weights.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "model/gpt2_config.h"
#include "model/weight_shards.h"

/* What was found, while it is put together. */
struct finding {
    struct pp_weights *weights;
    bool is_folder;
    char *config_path;            /* NULL: there is none that is the model's */
    struct pp_gpt2_config config; /* where there is one */
    int heads;                    /* that the files say; 0: none does */
    const char *heads_said_by;    /* which of them; borrowed */
    bool has_head, head_is_copy;  /* lm_head.weight: is there one, as wte.weight? */
};

static int no_memory(const char *path, struct pp_error *error)
{
    return pp_fail(error, PP_ENVIRONMENT, "'%s': out of memory", path);
}

/* --- files ----------------------------------------------------------------------- */

static char *path_in(const char *folder, const char *name, struct pp_error *error)
{
    const struct pp_folder in = {.path = (char *)folder};
    return pp_folder_file(&in, name, error);
}

static int open_file(struct pp_weights *weights, const char *path,
                     struct pp_error *error)
{
    weights->files = calloc(1, sizeof *weights->files);
    if (!weights->files)
        return no_memory(path, error);
    weights->file_count = 1;
    return pp_st_open(&weights->files[0], path, error);
}

/* model.safetensors or its shards. */
static int open_folder(struct pp_weights *weights, const char *path,
                       struct pp_error *error)
{
    char *one = path_in(path, "model.safetensors", error);
    char *index = path_in(path, "model.safetensors.index.json", error);
    int status = -1;
    if (one && index && access(one, F_OK) == 0)
        status = open_file(weights, one, error);
    else if (one && index && access(index, F_OK) == 0)
        status = pp_weight_shards_open(&weights->files, &weights->file_count, path,
                                       index, error);
    else if (one && index)
        pp_fail(error, PP_BAD_INPUT,
                "'%s' has no 'model.safetensors', nor a "
                "'model.safetensors.index.json': need a folder with one of them, or a "
                ".safetensors file",
                path);
    free(one);
    free(index);
    return status;
}

/* Where a file lies; "." for a name alone. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static int open_files(struct finding *finding, const char *path, struct pp_error *error)
{
    struct pp_weights *weights = finding->weights;
    struct stat status;
    finding->is_folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    weights->folder = finding->is_folder ? strdup(path) : folder_of(path);
    weights->name = strdup(path);
    if (!weights->folder || !weights->name)
        return no_memory(path, error);
    return finding->is_folder ? open_folder(weights, path, error)
                              : open_file(weights, path, error);
}

/* config.json in the folder. Beside a file it may be some other program's. */
static int read_config(struct finding *finding, struct pp_error *error)
{
    char *path = path_in(finding->weights->folder, "config.json", error);
    int status = path ? 0 : -1;
    bool there = path && access(path, F_OK) == 0;
    if (there)
        status =
            pp_gpt2_config_read(&finding->config, path, !finding->is_folder, error);
    if (status == 0 && there && (finding->is_folder || finding->config.has_model)) {
        finding->config_path = path;
        return 0;
    }
    free(path);
    return status;
}

/* --- tensors --------------------------------------------------------------------- */

static const struct pp_st_tensor *find(const struct pp_weights *weights,
                                       const char *name, const struct pp_st_file **file)
{
    for (int i = 0; i < weights->file_count; i++) {
        const struct pp_st_tensor *tensor = pp_st_find(&weights->files[i], name);
        *file = &weights->files[i];
        if (tensor)
            return tensor;
    }
    return NULL;
}

static const char *plain_name(const struct pp_st_tensor *tensor)
{
    static const char prefix[] = "transformer.";
    size_t length = sizeof prefix - 1;
    return strncmp(tensor->name, prefix, length) == 0 ? tensor->name + length
                                                      : tensor->name;
}

/* The layer in "h.LAYER.…", with what is behind it; -1 for other names. */
static int layer_of(const struct pp_st_tensor *tensor, const char **rest)
{
    enum { MOST = 1 << 20 };
    const char *name = plain_name(tensor);
    char *end;
    if (strncmp(name, "h.", 2) != 0 || !isdigit((unsigned char)name[2]))
        return -1;
    long layer = strtol(name + 2, &end, 10);
    if (layer >= MOST || *end != '.')
        return -1;
    *rest = end + 1;
    return (int)layer;
}

static int missing(const struct pp_weights *weights, const char *name,
                   struct pp_error *error)
{
    return pp_fail(error, PP_BAD_INPUT,
                   "'%s' has no F32, F16 or BF16 tensor '%s' (nor 'transformer.%s'), "
                   "which the model needs",
                   weights->name, name, name);
}

/* A tensor of two dimensions, from 1 to what an int counts. */
static const struct pp_st_tensor *find_table(const struct pp_weights *weights,
                                             const char *name, struct pp_error *error)
{
    const struct pp_st_file *file;
    const struct pp_st_tensor *tensor = find(weights, name, &file);
    if (!tensor) {
        missing(weights, name, error);
        return NULL;
    }
    bool fits = tensor->rank == 2;
    for (int d = 0; d < 2; d++)
        fits &= tensor->shape[d] >= 1 && tensor->shape[d] <= INT_MAX / 4;
    if (fits)
        return tensor;
    pp_fail(error, PP_BAD_INPUT,
            "'%s': tensor '%s' is no table: need two dimensions, from 1 to %d",
            file->input.path, name, INT_MAX / 4);
    return NULL;
}

static int count_layers(const struct pp_weights *weights)
{
    const char *rest;
    int layers = 0;
    for (int f = 0; f < weights->file_count; f++) {
        const struct pp_st_file *file = &weights->files[f];
        for (int i = 0; i < file->count; i++) {
            int layer = layer_of(&file->tensors[i], &rest);
            layers = layer >= layers ? layer + 1 : layers;
        }
    }
    return layers;
}

/* The sizes that the tensors tell. */
static int find_sizes(struct finding *finding, struct pp_error *error)
{
    struct pp_weights *weights = finding->weights;
    const struct pp_st_tensor *wte = find_table(weights, "wte.weight", error);
    const struct pp_st_tensor *wpe =
        wte ? find_table(weights, "wpe.weight", error) : NULL;
    const struct pp_st_file *file, *head_file;
    if (!wpe)
        return -1;
    weights->config = (struct pp_model_config){.layers = count_layers(weights),
                                               .d_model = (int)wte->shape[1],
                                               .seq_len = (int)wpe->shape[0],
                                               .microbatch_size = 1,
                                               .vocab = (int)wte->shape[0]};
    if (weights->config.layers == 0)
        return missing(weights, "h.0.ln_1.weight", error);
    find(weights, "wte.weight", &file);
    const struct pp_st_tensor *head = find(weights, "lm_head.weight", &head_file);
    finding->has_head = head != NULL;
    return head ? pp_st_same(file, wte, head_file, head, &finding->head_is_copy, error)
                : 0;
}

/* --- what files and options say --------------------------------------------------- */

static int take_heads(struct finding *finding, int heads, const char *said_by,
                      struct pp_error *error)
{
    if (finding->heads != 0 && finding->heads != heads)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' says that the model has %d heads, but '%s' says %d",
                       finding->heads_said_by, finding->heads, said_by, heads);
    finding->heads = heads;
    finding->heads_said_by = said_by;
    return 0;
}

static int find_heads(struct finding *finding, struct pp_error *error)
{
    const struct pp_weights *weights = finding->weights;
    if (finding->config_path && finding->config.heads != 0 &&
        take_heads(finding, finding->config.heads, finding->config_path, error) != 0)
        return -1;
    for (int i = 0; i < weights->file_count; i++) {
        const char *path = weights->files[i].input.path;
        const char *note = pp_st_note(&weights->files[i], PP_WEIGHTS_HEADS);
        char *end = NULL, shown[PP_ST_SHOWN];
        if (!note)
            continue;
        long heads = strtol(note, &end, 10);
        if (!isdigit((unsigned char)note[0]) || *end || heads < 1 || heads > INT_MAX)
            return pp_fail(error, PP_BAD_INPUT,
                           "'%s': its metadata say '" PP_WEIGHTS_HEADS
                           "' '%s': need a whole number from 1",
                           path, pp_st_shown(note, shown));
        if (take_heads(finding, (int)heads, path, error) != 0)
            return -1;
    }
    int C = weights->config.d_model;
    if (finding->heads == 0 || C % finding->heads == 0)
        return 0;
    return pp_fail(
        error, PP_BAD_INPUT,
        "'%s' says that the model has %d heads: need a divisor of its width, "
        "%d",
        finding->heads_said_by, finding->heads, C);
}

/* heads: of the options, 0: not given. */
static int settle_heads(struct finding *finding, int heads, struct pp_error *error)
{
    struct pp_weights *weights = finding->weights;
    if (finding->heads == 0 && heads == 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' does not say how many heads the model has, and there is "
                       "no 'config.json' of it: give '--heads'",
                       weights->name);
    if (finding->heads != 0 && heads != 0 && heads != finding->heads)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--heads' is %d, but '%s' says that the model has %d heads: "
                       "leave the option out, or give '--heads' %d",
                       heads, finding->heads_said_by, finding->heads, finding->heads);
    weights->config.heads = heads ? heads : finding->heads;
    return pp_model_check(&weights->config, error);
}

/* Refuses another model than the one that is wanted. */
static int check_wanted(const struct finding *finding,
                        const struct pp_model_config *wanted, struct pp_error *error)
{
    const struct pp_model_config *found = &finding->weights->config;
    const char *name = finding->weights->name;
    char heads[64] = "";
    if (finding->heads != 0)
        snprintf(heads, sizeof heads, ", '--heads' %d", finding->heads);
    if (found->layers != wanted->layers || found->d_model != wanted->d_model ||
        found->vocab != wanted->vocab || found->seq_len != wanted->seq_len ||
        (finding->heads != 0 && finding->heads != wanted->heads))
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' holds a model of another shape: use '--layers' %d, "
                       "'--d-model' %d%s, '--vocab' %d and '--seq-len' %d",
                       name, found->layers, found->d_model, heads, found->vocab,
                       found->seq_len);
    if (wanted->untied && !finding->has_head)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' has no tensor 'lm_head.weight', so its head is tied: "
                       "leave '--untied' out",
                       name);
    if (!wanted->untied && finding->has_head && !finding->head_is_copy)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s': 'lm_head.weight' is not a copy of 'wte.weight', so the "
                       "head is not tied: use '--untied'",
                       name);
    return 0;
}

/* --- are they all there, and no others? ------------------------------------------- */

static bool is_extra(const struct pp_st_tensor *tensor)
{
    const char *rest = "";
    if (layer_of(tensor, &rest) >= 0)
        return strcmp(rest, "attn.bias") == 0 || strcmp(rest, "attn.masked_bias") == 0;
    return strcmp(plain_name(tensor), "lm_head.weight") == 0;
}

/* Each tensor of the file is found under its name as one of the model. */
static int check_known(const struct pp_weights *weights, const struct pp_st_file *file,
                       const bool *known, struct pp_error *error)
{
    char shown[PP_ST_SHOWN];
    for (int i = 0; i < file->count; i++) {
        if (!known[i] && !is_extra(&file->tensors[i]))
            return pp_fail(error, PP_BAD_INPUT,
                           "'%s' has a tensor '%s' that the model does not have: is it "
                           "a GPT-2 checkpoint",
                           weights->name, pp_st_shown(file->tensors[i].name, shown));
    }
    return 0;
}

/* known: for each file, for each of its tensors. */
static int check_shapes(const struct pp_weights *weights, bool **known,
                        struct pp_error *error)
{
    int count = pp_model_tensor_count(&weights->config);
    for (int i = 0; i < count; i++) {
        struct pp_tensor_spec spec = pp_model_tensor(&weights->config, i);
        const struct pp_st_file *file;
        const struct pp_st_tensor *tensor = find(weights, spec.name, &file);
        if (!tensor)
            return missing(weights, spec.name, error);
        if (pp_st_expect(file, tensor, spec.rank, spec.shape, error) != 0)
            return -1;
        known[file - weights->files][tensor - file->tensors] = true;
    }
    return 0;
}

static int check_tensors(const struct pp_weights *weights, struct pp_error *error)
{
    bool **known = calloc((size_t)weights->file_count, sizeof *known);
    int status = known ? 0 : no_memory(weights->name, error);
    for (int f = 0; f < weights->file_count && status == 0; f++) {
        known[f] = calloc((size_t)weights->files[f].count + 1, sizeof **known);
        status = known[f] ? 0 : no_memory(weights->name, error);
    }
    if (status == 0)
        status = check_shapes(weights, known, error);
    for (int f = 0; f < weights->file_count && status == 0; f++)
        status = check_known(weights, &weights->files[f], known[f], error);
    for (int f = 0; known && f < weights->file_count; f++)
        free(known[f]);
    free(known);
    return status;
}

/* --- all of it -------------------------------------------------------------------- */

static int put_together(struct finding *finding, const char *path, int heads,
                        const struct pp_model_config *wanted, struct pp_error *error)
{
    struct pp_weights *weights = finding->weights;
    if (open_files(finding, path, error) != 0 || read_config(finding, error) != 0 ||
        find_sizes(finding, error) != 0 || find_heads(finding, error) != 0)
        return -1;
    /* A second copy of a tied head may be called untied, by who says it. */
    bool tied = !finding->has_head || (finding->head_is_copy &&
                                       (!finding->config_path || finding->config.tied));
    weights->config.untied = !tied;
    weights->end_token = -1;
    if (finding->config_path) {
        if (pp_gpt2_config_check(&finding->config, finding->config_path,
                                 &weights->config, weights->name, error) != 0)
            return -1;
        if (finding->config.end_token < weights->config.vocab)
            weights->end_token = finding->config.end_token;
    }
    if (wanted && check_wanted(finding, wanted, error) != 0)
        return -1;
    if (wanted)
        weights->config.untied = wanted->untied;
    return settle_heads(finding, heads, error) != 0 ? -1
                                                    : check_tensors(weights, error);
}

static int open_weights(struct pp_weights *weights, const char *path, int heads,
                        const struct pp_model_config *wanted, struct pp_error *error)
{
    *weights = (struct pp_weights){0};
    struct finding finding = {.weights = weights};
    int status = put_together(&finding, path, heads, wanted, error);
    free(finding.config_path);
    if (status != 0)
        pp_weights_close(weights);
    return status;
}

int pp_weights_open(struct pp_weights *weights, const char *path, int heads,
                    struct pp_error *error)
{
    return open_weights(weights, path, heads, NULL, error);
}

int pp_weights_open_as(struct pp_weights *weights, const char *path,
                       const struct pp_model_config *model, struct pp_error *error)
{
    return open_weights(weights, path, model->heads, model, error);
}

void pp_weights_close(struct pp_weights *weights)
{
    for (int i = 0; i < weights->file_count; i++)
        pp_st_close(&weights->files[i]);
    free(weights->files);
    free(weights->folder);
    free(weights->name);
    *weights = (struct pp_weights){0};
}

int pp_weights_read(const struct pp_weights *weights, int index, float *data,
                    struct pp_error *error)
{
    struct pp_tensor_spec spec = pp_model_tensor(&weights->config, index);
    const struct pp_st_file *file;
    if (!find(weights, spec.name, &file))
        return missing(weights, spec.name, error);
    return pp_st_read(file, spec.name, spec.rank, spec.shape, data, error);
}
