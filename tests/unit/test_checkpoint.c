/* What stands in a folder of checkpoints, without the ranks that fill them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/resume.h"
#include "run/store.h"
#include "unit.h"

static void make_folder(const char *path)
{
    ck_assert_int_eq(mkdir(path, 0755), 0);
}

static bool exists(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *stream = fopen(path, "w");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs(text, stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
}

static void add_step(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    make_folder(path);
    write_file(path, "checkpoint.json", "{}");
}

/* --- the store ------------------------------------------------------------------- */

START_TEST(pointer_decides)
{
    struct pp_error error = {0};
    const char *folder = unit_path("pointer");
    ck_assert_int_eq(pp_store_latest(folder, &error), 0);
    make_folder(folder);
    ck_assert_int_eq(pp_store_latest(folder, &error), 0);
    add_step(folder, "step-00000004");
    add_step(folder, "step-00000012");
    add_step(folder, "step-7");
    add_step(folder, "step-000000099");
    ck_assert_int_eq(pp_store_latest(folder, &error), 12);
    write_file(folder, "latest", "step-00000004\n");
    ck_assert_int_eq(pp_store_latest(folder, &error), 4);

    int *steps;
    ck_assert_int_eq(pp_store_list(folder, &steps, &error), 2);
    ck_assert_int_eq(steps[0], 12);
    ck_assert_int_eq(steps[1], 4);
    free(steps);

    static const char *const wrong[] = {"", "step-4\n", "../step-00000004\n",
                                        "step-00000004\nstep-00000012\n",
                                        "step--0000004\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        error = (struct pp_error){0};
        write_file(folder, "latest", wrong[i]);
        ck_assert_int_eq(pp_store_latest(folder, &error), -1);
        unit_expect_error(&error, PP_BAD_INPUT, "latest", "does not name", NULL);
    }
}
END_TEST

START_TEST(publishing_keeps_the_newest)
{
    struct pp_store store;
    struct pp_error error = {0};
    const char *folder = unit_path("publish");
    ck_assert_int_eq(pp_store_open(&store, folder, 2, &error), 0);
    for (int step = 1; step <= 4; step++) {
        if (step == 2)
            store.held = 1;
        ck_assert_int_eq(pp_store_begin(&store, &error), 0);
        write_file(store.writing, "checkpoint.json", "{}");
        ck_assert_msg(pp_store_publish(&store, step, &error) == 0, "%s", error.text);
        ck_assert_int_eq(pp_store_latest(folder, &error), step);
    }
    ck_assert(exists(folder, "step-00000001"));
    ck_assert(!exists(folder, "step-00000002"));
    ck_assert(exists(folder, "step-00000003/checkpoint.json"));
    ck_assert(exists(folder, "step-00000004/checkpoint.json"));
    pp_store_let_go(&store);
    ck_assert(!exists(folder, "step-00000001"));

    /* What was being written goes; so does what a killed run has left. */
    ck_assert_int_eq(pp_store_begin(&store, &error), 0);
    const char *writing = strdup(store.writing);
    pp_store_close(&store);
    ck_assert_int_ne(access(writing, F_OK), 0);
    free((char *)writing);
    add_step(folder, ".ppsim-abcdef");
    add_step(folder, "step-00000005");
    write_file(folder, "mine", "of no concern");
    ck_assert_int_eq(pp_store_open(&store, folder, 2, &error), 0);
    ck_assert_int_eq(pp_store_clean(&store, 4, &error), 0);
    pp_store_close(&store);
    ck_assert(!exists(folder, ".ppsim-abcdef") && !exists(folder, "step-00000005"));
    ck_assert(exists(folder, "step-00000004") && exists(folder, "mine"));
}
END_TEST

/* --- the manifest ---------------------------------------------------------------- */

static const struct pp_evaluation held_out[] = {{1, 2.5}, {3, 1.0 / 7}};

static struct pp_manifest example(double *losses, struct pp_shard_file *files)
{
    losses[0] = 5.5451;
    losses[1] = 1.0 / 3;
    losses[2] = 4;
    files[0] = (struct pp_shard_file){"rank-00000.safetensors", {0, 0}};
    return (struct pp_manifest){
        .step = 3,
        .options =
            json_pack("{s:f, s:i, s:s}", "lr", 0.1, "layers", 4, "optimizer", "sgd"),
        .has_data = true,
        .data = {123456789012, 0xfedcba9876543210},
        .load = (char *)"gpt2.safetensors",
        .losses = losses,
        .files = files,
        .file_count = 1,
        .machine = {"OpenBLAS 9.9 (Other)", "A CPU"},
        .has_eval_data = true,
        .eval_data = {17, 4711},
        .evaluations = (struct pp_evaluation *)held_out,
        .evaluation_count = 2,
    };
}

START_TEST(reads_what_it_wrote)
{
    double losses[3];
    struct pp_shard_file files[1];
    struct pp_manifest written = example(losses, files), read;
    struct pp_error error = {0};
    char path[512];
    const char *folder = unit_path("manifest");
    make_folder(folder);
    write_file(folder, files[0].name, "0123456789");
    snprintf(path, sizeof path, "%s/%s", folder, files[0].name);
    ck_assert_int_eq(pp_mark_file(&files[0].mark, path, &error), 0);
    ck_assert_int_eq(pp_manifest_write(&written, folder, &error), 0);
    ck_assert_msg(pp_manifest_read(&read, folder, &error) == 0, "%s", error.text);
    ck_assert_int_eq(read.step, 3);
    ck_assert_mem_eq(read.losses, losses, sizeof losses);
    ck_assert(json_equal(read.options, written.options));
    ck_assert(read.has_data && read.data.bytes == written.data.bytes &&
              read.data.digest == written.data.digest);
    ck_assert_str_eq(read.load, written.load);
    ck_assert_str_eq(read.machine.blas, written.machine.blas);
    ck_assert_str_eq(read.machine.cpu, written.machine.cpu);
    ck_assert(read.has_eval_data && read.eval_data.bytes == 17 &&
              read.eval_data.digest == 4711);
    ck_assert_int_eq(read.evaluation_count, 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(read.evaluations[i].step, held_out[i].step);
        ck_assert_double_eq(read.evaluations[i].loss, held_out[i].loss);
    }
    ck_assert_int_eq(pp_manifest_check_files(&read, folder, &error), 0);

    write_file(folder, files[0].name, "0123456780");
    ck_assert_int_ne(pp_manifest_check_files(&read, folder, &error), 0);
    unit_expect_error(&error, PP_BAD_INPUT, files[0].name, "digest", NULL);
    write_file(folder, files[0].name, "012345678");
    ck_assert_int_ne(pp_manifest_check_files(&read, folder, &error), 0);
    unit_expect_error(&error, PP_BAD_INPUT, files[0].name, "9 bytes", "10", NULL);
    pp_manifest_release(&read);
    json_decref(written.options);
}
END_TEST

/* Writes the example with one key changed, and the digest that goes with it: what is
 * wrong then is not damage but another's work. */
static void write_changed(const char *folder, const char *key, json_t *value)
{
    double losses[3];
    struct pp_shard_file files[1];
    struct pp_manifest manifest = example(losses, files);
    struct pp_error error = {0};
    char path[512], digest[PP_DIGEST_TEXT];
    ck_assert_int_eq(pp_manifest_write(&manifest, folder, &error), 0);
    json_decref(manifest.options);
    snprintf(path, sizeof path, "%s/checkpoint.json", folder);
    json_t *root = json_load_file(path, 0, NULL);
    json_object_del(root, "digest");
    json_object_set_new(root, key, value);
    char *text =
        json_dumps(root, JSON_REAL_PRECISION(17) | JSON_COMPACT | JSON_SORT_KEYS);
    pp_digest_text(pp_digest(text, strlen(text)), digest);
    json_object_set_new(root, "digest", json_string(digest));
    ck_assert_int_eq(json_dump_file(root, path, JSON_REAL_PRECISION(17)), 0);
    free(text);
    json_decref(root);
}

START_TEST(refuses_what_is_not_a_checkpoint)
{
    const struct {
        const char *key;
        json_t *value;
        const char *said;
    } rows[] = {
        {"schema", json_string("ppsim.report/1"), "ppsim.report/1"},
        {"schema", json_null(), "none"},
        {"step", json_integer(0), "'step'"},
        {"step", json_integer(1LL << 40), "'step'"},
        {"step", json_real(3), "'step'"},
        {"step", json_integer(4), "'losses'"},
        {"losses", json_pack("[f,f]", 1.0, 2.0), "'losses'"},
        {"losses", json_pack("[f,f,n]", 1.0, 2.0), "'losses'"},
        {"losses", json_null(), "'losses'"},
        {"options", json_array(), "'options'"},
        {"data", json_string("text"), "'data'"},
        {"data", json_pack("{s:i,s:s}", "bytes", -1, "digest", "0123456789abcdef"),
         "'data'"},
        {"data", json_pack("{s:i,s:s}", "bytes", 1, "digest", "0123456789abcdeg"),
         "'data'"},
        {"load", json_integer(1), "'load'"},
        {"eval_data", json_string("text"), "'eval_data'"},
        {"evaluations", json_pack("[n]"), "'evaluations'"},
        {"evaluations", json_pack("[{s:i,s:f}]", "step", 4, "loss", 1.0),
         "'evaluations'"},
        {"evaluations",
         json_pack("[{s:i,s:f},{s:i,s:f}]", "step", 2, "loss", 1.0, "step", 2, "loss",
                   1.0),
         "'evaluations'"},
        {"files", json_pack("[n]"), "'files'"},
        {"files",
         json_pack("[{s:s,s:i,s:s}]", "name", "../../etc/passwd", "bytes", 1, "digest",
                   "0123456789abcdef"),
         "'files'"},
    };
    const char *folder = unit_path("refused");
    make_folder(folder);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pp_manifest manifest;
        struct pp_error error = {0};
        write_changed(folder, rows[i].key, rows[i].value);
        ck_assert_msg(pp_manifest_read(&manifest, folder, &error) == -1, "row %zu", i);
        unit_expect_error(&error, PP_BAD_INPUT, "checkpoint.json", rows[i].said, NULL);
        pp_manifest_release(&manifest);
    }
}
END_TEST

/* What one side does not know is no difference. */
START_TEST(another_machine_is_described)
{
    const struct pp_machine here = {"OpenBLAS 1 (Zen)", "CPU A"};
    const struct {
        struct pp_machine there;
        const char *text;
    } rows[] = {
        {{"OpenBLAS 1 (Zen)", "CPU A"}, ""},
        {{"", ""}, ""},
        {{"OpenBLAS 1 (Zen)", ""}, ""},
        {{"OpenBLAS 1 (Atom)", ""},
         "the checkpoint was made with OpenBLAS 1 (Atom), here it is OpenBLAS 1 (Zen): "
         "what is trained from here on may round differently"},
        {{"", "CPU B"},
         "the checkpoint was made on CPU B, here it is CPU A: what is trained from "
         "here "
         "on may round differently"},
        {{"OpenBLAS 1 (Atom)", "CPU B"},
         "the checkpoint was made with OpenBLAS 1 (Atom) on CPU B, here it is OpenBLAS "
         "1 (Zen) on CPU A: what is trained from here on may round differently"},
    };
    char text[640];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pp_resume_compare_machines(&rows[i].there, &here, text, sizeof text);
        ck_assert_str_eq(text, rows[i].text);
    }
}
END_TEST

/* 0.10000000000000001 and 0.10000000000000000 are one number. */
static bool same_values(const char *path, const char *text)
{
    json_t *here = json_load_file(path, 0, NULL);
    json_t *there = json_loads(text, 0, NULL);
    bool same = here && json_equal(here, there);
    json_decref(here);
    json_decref(there);
    return same;
}

START_TEST(any_changed_bit_is_seen)
{
    double losses[3];
    struct pp_shard_file files[1];
    struct pp_manifest manifest = example(losses, files);
    struct pp_error error = {0};
    char path[512];
    const char *folder = unit_path("bits");
    make_folder(folder);
    ck_assert_int_eq(pp_manifest_write(&manifest, folder, &error), 0);
    json_decref(manifest.options);
    snprintf(path, sizeof path, "%s/checkpoint.json", folder);
    char *text = unit_content(path);
    size_t length = strlen(text) - 1; /* the newline may be any space */
    for (size_t at = 0; at < length; at++) {
        struct pp_manifest read;
        text[at] ^= 1;
        write_file(folder, "checkpoint.json", text);
        text[at] ^= 1;
        int status = pp_manifest_read(&read, folder, &error);
        pp_manifest_release(&read);
        ck_assert_msg(status == -1 || same_values(path, text), "byte %zu", at);
    }
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoint");
    TCase *all = tcase_create("all");
    tcase_add_test(all, pointer_decides);
    tcase_add_test(all, publishing_keeps_the_newest);
    tcase_add_test(all, reads_what_it_wrote);
    tcase_add_test(all, refuses_what_is_not_a_checkpoint);
    tcase_add_test(all, another_machine_is_described);
    tcase_add_test(all, any_changed_bit_is_seen);
    suite_add_tcase(suite, all);
    return unit_run(suite);
}
