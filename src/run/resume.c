#include "run/resume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/words.h"
#include "run/store.h"

int pp_resume_describe(struct pp_manifest *here, const struct pp_run_config *config,
                       struct pp_error *error)
{
    *here = (struct pp_manifest){.options = json_incref(config->numbers),
                                 .has_data = config->data != NULL,
                                 .has_eval_data = config->eval_data != NULL};
    if (config->load) {
        here->load = strdup(config->load);
        if (!here->load)
            return pp_fail(error, PP_ENVIRONMENT, "out of memory for a file's name");
        pp_make_printable(here->load);
    }
    if (here->has_data && pp_mark_file(&here->data, config->data, error) != 0)
        return -1;
    if (!here->has_eval_data)
        return 0;
    return pp_mark_file(&here->eval_data, config->eval_data, error);
}

/* --- is it whole? ------------------------------------------------------------------
 */

static int read_whole(struct pp_manifest *manifest, const char *path, int step,
                      struct pp_error *error)
{
    char *folder = pp_store_folder(path, step, error);
    int status = folder ? pp_manifest_read(manifest, folder, error) : -1;
    if (status == 0 && manifest->step != step)
        status = pp_fail(error, PP_BAD_INPUT,
                         "'%s' is damaged: it holds step %d, not that of its name",
                         folder, manifest->step);
    if (status == 0)
        status = pp_manifest_check_files(manifest, folder, error);
    free(folder);
    return status;
}

/* Adds to the error which checkpoint could be used instead of that of `step`. */
static void name_newest_good(const char *path, int step, struct pp_error *error)
{
    struct pp_error ignored = {0};
    char name[PP_STORE_NAME];
    if (error->status != PP_BAD_INPUT) /* another would be as hard to read */
        return;
    int *steps, count = pp_store_list(path, &steps, &ignored);
    for (int i = 0; i < count; i++) {
        struct pp_manifest manifest = {0};
        bool good =
            steps[i] != step && read_whole(&manifest, path, steps[i], &ignored) == 0;
        pp_manifest_release(&manifest);
        if (!good)
            continue;
        pp_store_name(steps[i], name);
        pp_fail_also(error, PP_BAD_INPUT,
                     "the newest good checkpoint is '%s/%s': write its name, %s, into "
                     "'%s/latest' to resume from it",
                     path, name, name, path);
        free(steps);
        return;
    }
    pp_fail_also(error, PP_BAD_INPUT, "'%s' holds no other checkpoint that is good",
                 path);
    free(steps);
}

/* --- does it fit? ------------------------------------------------------------------
 */

/* A value as the command line has it: a text without its quotes. */
static void show(const json_t *value, char *text, size_t size)
{
    if (json_is_string(value)) {
        pp_assign(text, size, "'%s'", json_string_value(value));
    } else {
        char *json =
            value ? pp_json_dump(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))
                  : NULL;
        pp_assign(text, size, "%s", json ? json : "not known");
        free(json);
    }
    pp_make_printable(text);
}

static void differ(const char *key, const json_t *there, const json_t *here,
                   struct pp_error *error)
{
    char option[64], old[120], new[120];
    pp_assign(option, sizeof option, "%s", key);
    for (char *c = option; *c; c++)
        *c = *c == '_' ? '-' : *c;
    pp_make_printable(option);
    show(there, old, sizeof old);
    show(here, new, sizeof new);
    pp_fail_also(error, PP_BAD_INPUT, "'--%s' is %s in the checkpoint, %s here", option,
                 old, new);
}

/* How many weight copies the microbatches are spread over. */
static int count_copies(const json_t *copy_of)
{
    json_int_t last = 0;
    for (size_t i = 0; i < json_array_size(copy_of); i++) {
        json_int_t copy = json_integer_value(json_array_get(copy_of, i));
        last = copy > last ? copy : last;
    }
    return (int)last + 1;
}

/* Each copy adds up its own gradients: as many copies, with the same microbatches. */
static void compare_copies(const json_t *there, const json_t *here,
                           struct pp_error *error)
{
    const json_t *old = json_object_get(there, PP_NUMBERS_COPIES);
    const json_t *new = json_object_get(here, PP_NUMBERS_COPIES);
    int before = count_copies(old), now = count_copies(new);
    if (before != now)
        pp_fail_also(error, PP_BAD_INPUT,
                     "the checkpoint is of a schedule with %d cop%s of the weights, "
                     "'--schedule' has %d: their gradients add up to other bits",
                     before, before == 1 ? "y" : "ies", now);
    else if (old && !json_equal(old, new))
        pp_fail_also(error, PP_BAD_INPUT,
                     "the weight copies of the checkpoint's schedule have other "
                     "microbatches than those of '--schedule': their gradients add up "
                     "to other bits");
}

static void compare_options(const json_t *there, const json_t *here,
                            struct pp_error *error)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)here, key, value)
    {
        const json_t *other = json_object_get(there, key);
        if (strcmp(key, PP_NUMBERS_COPIES) == 0)
            continue; /* compare_copies */
        if (!other || !json_equal(other, value))
            differ(key, other, value, error);
    }
    json_object_foreach((json_t *)there, key, value)
    {
        if (!json_object_get(here, key) && strcmp(key, PP_NUMBERS_COPIES) != 0)
            differ(key, value, NULL, error);
    }
}

/* More '--steps' would stretch a cosine whose end was not given: says how to keep it.
 */
static void compare_decay(const json_t *there, const struct pp_run_config *config,
                          struct pp_error *error)
{
    const struct pp_learning_rate *rate = &config->optimizer.lr;
    int steps = (int)json_integer_value(json_object_get(there, "lr_decay_steps"));
    if (rate->kind == PP_RATE_COSINE && steps > 0 && rate->decay == config->steps &&
        steps != rate->decay)
        pp_fail_also(error, PP_BAD_INPUT,
                     "the cosine ends at '--steps' where '--lr-decay-steps' is not "
                     "given: '--lr-decay-steps' %d goes on with that of the checkpoint",
                     steps);
}

/* mark NULL: no file was given. */
static void show_data(const struct pp_mark *mark, char *text, size_t size)
{
    char digest[PP_DIGEST_TEXT];
    if (mark)
        pp_assign(text, size, "%llu bytes of digest %s",
                  (unsigned long long)mark->bytes,
                  pp_digest_text(mark->digest, digest));
    else
        pp_assign(text, size, "not given");
}

static void compare_data(const char *option, const struct pp_mark *there,
                         const struct pp_mark *here, struct pp_error *error)
{
    char old[80], new[80];
    if ((!there && !here) ||
        (there && here && there->bytes == here->bytes && there->digest == here->digest))
        return;
    show_data(there, old, sizeof old);
    show_data(here, new, sizeof new);
    pp_fail_also(error, PP_BAD_INPUT, "'--%s' is %s in the checkpoint, %s here", option,
                 old, new);
}

/* What training began from is in the checkpoint's parameters: another file is a
 * mistake, but it need not be given again. */
static void compare_load(const struct pp_manifest *there,
                         const struct pp_manifest *here, struct pp_error *error)
{
    if (!here->load || (there->load && strcmp(there->load, here->load) == 0))
        return;
    pp_fail_also(error, PP_BAD_INPUT, "'--load' is %s%s%s in the checkpoint, '%s' here",
                 there->load ? "'" : "", there->load ? there->load : "not given",
                 there->load ? "'" : "", here->load);
}

static int check_fit(const struct pp_manifest *there,
                     const struct pp_run_config *config, const struct pp_manifest *here,
                     struct pp_error *error)
{
    *error = (struct pp_error){0};
    compare_options(there->options, here->options, error);
    compare_copies(there->options, here->options, error);
    compare_decay(there->options, config, error);
    compare_data("data", there->has_data ? &there->data : NULL,
                 here->has_data ? &here->data : NULL, error);
    compare_data("eval-data", there->has_eval_data ? &there->eval_data : NULL,
                 here->has_eval_data ? &here->eval_data : NULL, error);
    compare_load(there, here, error);
    if (error->lines > 0)
        return -1;
    if (there->step >= config->steps)
        return pp_fail(error, PP_BAD_INPUT,
                       "the checkpoint in '%s' is of step %d, so '--steps' %d leaves "
                       "nothing to train: give more than %d to go on",
                       config->checkpoint, there->step, config->steps, there->step);
    return 0;
}

int pp_resume_find(struct pp_manifest *manifest, const struct pp_run_config *config,
                   const struct pp_manifest *here, struct pp_error *error)
{
    const char *path = config->checkpoint;
    *manifest = (struct pp_manifest){0};
    int step = pp_store_latest(path, error);
    if (step > 0 && !config->resume)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' holds checkpoints, the newest of step %d: give "
                       "'--resume' to go on from it, or another '--checkpoint'",
                       path, step);
    if (step < 0 || (step > 0 && read_whole(manifest, path, step, error) != 0)) {
        if (error->status == PP_BAD_INPUT)
            name_newest_good(path, step, error);
        return -1;
    }
    if (step > 0 && check_fit(manifest, config, here, error) != 0)
        return -1;
    return step;
}

/* What is known of both, and differs. */
static bool other(const char *there, const char *here)
{
    return there[0] && here[0] && strcmp(there, here) != 0;
}

void pp_resume_compare_machines(const struct pp_machine *there,
                                const struct pp_machine *here, char *text, size_t size)
{
    bool blas = other(there->blas, here->blas), cpu = other(there->cpu, here->cpu);
    text[0] = '\0';
    if (!blas && !cpu)
        return;
    pp_assign(text, size, "the checkpoint was made");
    if (blas)
        pp_append(text, size, " with %s", there->blas);
    if (cpu)
        pp_append(text, size, " on %s", there->cpu);
    pp_append(text, size, ", here it is");
    if (blas)
        pp_append(text, size, " %s", here->blas);
    if (cpu)
        pp_append(text, size, "%s%s", blas ? " on " : " ", here->cpu);
    pp_append(text, size, ": what is trained from here on may round differently");
}
