#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "text/alphabet.h"
#include "tokenizers.h"
#include "unit.h"

enum { BYTES = 256 };

static json_t *load(const char *folder, const char *name)
{
    char *path = tokenizer_format("%s/%s", folder, name);
    json_error_t fault;
    json_t *root = json_load_file(path, 0, &fault);
    ck_assert_msg(root != NULL, "%s", fault.text);
    free(path);
    return root;
}

/* The same tokens have the same bytes, the merges are the same. */
static void expect_same(const struct pp_tokenizer *a, const struct pp_tokenizer *b)
{
    ck_assert_int_eq(a->vocab, b->vocab);
    ck_assert_int_eq(a->end, b->end);
    ck_assert_int_eq(a->bpe.merges.count, b->bpe.merges.count);
    for (int i = 0; i < a->vocab; i++) {
        size_t length, other;
        const char *bytes = pp_tokenizer_bytes(a, i, &length);
        ck_assert_mem_eq(pp_tokenizer_bytes(b, i, &other), bytes, length);
        ck_assert_uint_eq(length, other);
    }
    for (int i = 0; i < a->bpe.merges.count; i++)
        ck_assert_mem_eq(&a->bpe.merges.list[i], &b->bpe.merges.list[i],
                         sizeof *a->bpe.merges.list);
}

/* Written into a folder of that name, then read. */
static void expect_back(const struct pp_tokenizer *tokenizer, const char *name)
{
    struct pp_tokenizer back;
    struct pp_error error = {0};
    const char *folder = tokenizer_folder(name, NULL, NULL, NULL);
    int status = pp_tokenizer_write(tokenizer, folder, &error);
    ck_assert_msg(status == 0, "%s", error.text);
    tokenizer_must_init(&back, folder);
    expect_same(tokenizer, &back);
    pp_tokenizer_release(&back);
}

START_TEST(what_is_written_is_read)
{
    struct pp_tokenizer tokenizer;
    char *text = tokenizer_json(",\"he\":256", "[\"h e\"]", "",
                                ",\"added_tokens\":[{\"id\":257,\"content\":\"\xc3\xa9 "
                                "\\\"\"},{\"id\":258,\"content\":\"<|endoftext|>\"}]");
    tokenizer_must_init(&tokenizer, tokenizer_folder("own", NULL, NULL, text));
    expect_back(&tokenizer, "own-back");
    pp_tokenizer_release(&tokenizer);
    free(text);
    tokenizer_must_init(&tokenizer, getenv("GPT2_TOKENIZER"));
    expect_back(&tokenizer, "gpt2-back");
    pp_tokenizer_release(&tokenizer);
}
END_TEST

/* merges.txt is the one that was read, byte for byte. */
START_TEST(gpt2_is_written_as_it_was)
{
    struct pp_tokenizer tokenizer;
    struct pp_error error = {0};
    const char *folder = tokenizer_folder("gpt2", NULL, NULL, NULL);
    char *from = tokenizer_format("%s/merges.txt", getenv("GPT2_TOKENIZER")),
         *to = tokenizer_format("%s/merges.txt", folder);
    tokenizer_must_init(&tokenizer, getenv("GPT2_TOKENIZER"));
    ck_assert_int_eq(pp_tokenizer_write(&tokenizer, folder, &error), 0);
    char *before = unit_content(from), *after = unit_content(to);
    ck_assert(strcmp(before, after) == 0);
    json_t *vocab = load(folder, "vocab.json"),
           *config = load(folder, "tokenizer_config.json");
    ck_assert_int_eq(json_integer_value(json_object_get(vocab, "\xc4\xa0the")), 262);
    ck_assert_int_eq(json_integer_value(json_object_get(vocab, PP_TEXT_END)), 50256);
    ck_assert_str_eq(json_string_value(json_object_get(config, "tokenizer_class")),
                     "GPT2Tokenizer");
    ck_assert_str_eq(json_string_value(json_object_get(config, "eos_token")),
                     PP_TEXT_END);
    json_decref(vocab);
    json_decref(config);
    free(before);
    free(after);
    free(from);
    free(to);
    pp_tokenizer_release(&tokenizer);
}
END_TEST

/* 256 tokens, whose ids are the bytes, no merges, and no token that a reader would add
 * behind them. */
START_TEST(bytes_are_written)
{
    struct pp_tokenizer tokenizer;
    struct pp_error error = {0};
    const char *folder = tokenizer_folder("bytes", NULL, NULL, NULL);
    char *path = tokenizer_format("%s/merges.txt", folder);
    tokenizer_must_init(&tokenizer, "bytes");
    ck_assert_int_eq(pp_tokenizer_write(&tokenizer, folder, &error), 0);
    json_t *vocab = load(folder, "vocab.json"),
           *config = load(folder, "tokenizer_config.json");
    ck_assert_uint_eq(json_object_size(vocab), BYTES);
    for (int i = 0; i < BYTES; i++) {
        char name[3], byte = (char)i;
        pp_alphabet_write(&byte, 1, name);
        ck_assert_int_eq(json_integer_value(json_object_get(vocab, name)), i);
        ck_assert(i == 0 || json_integer_value(json_object_get(vocab, name)) != 0);
    }
    ck_assert(json_is_null(json_object_get(config, "eos_token")));
    ck_assert(json_is_null(json_object_get(config, "unk_token")));
    char *merges = unit_content(path);
    ck_assert_str_eq(merges, "#version: 0.2\n");
    expect_back(&tokenizer, "bytes-back");
    free(merges);
    free(path);
    json_decref(vocab);
    json_decref(config);
    pp_tokenizer_release(&tokenizer);
}
END_TEST

START_TEST(where_nothing_can_be_written)
{
    struct pp_tokenizer tokenizer;
    struct pp_error error = {0};
    tokenizer_must_init(&tokenizer, "bytes");
    ck_assert_int_eq(pp_tokenizer_write(&tokenizer, unit_path("no/folder"), &error),
                     -1);
    unit_expect_error(&error, PP_BAD_INPUT, "no/folder/vocab.json", NULL);
    pp_tokenizer_release(&tokenizer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tokenizer write");
    TCase *tests = tcase_create("tokenizer write");
    tcase_add_test(tests, what_is_written_is_read);
    tcase_add_test(tests, gpt2_is_written_as_it_was);
    tcase_add_test(tests, bytes_are_written);
    tcase_add_test(tests, where_nothing_can_be_written);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
