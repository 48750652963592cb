#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tokenizers.h"
#include "unit.h"

/* Ids of vocab.json, in no order, with a token that no merge makes. */
START_TEST(ids_are_those_of_vocab_json)
{
    struct pp_tokenizer tokenizer;
    char *names = tokenizer_symbols(0);
    char *vocab = tokenizer_format("{\"he\":259,\"<|endoftext|>\":257,\"<a b>\":258,%s,"
                                   "\"\xc4\xa0he\":256}",
                                   names);
    size_t length;
    tokenizer_must_init(&tokenizer,
                        tokenizer_folder("ids", vocab, "h e\n\xc4\xa0 he\n", NULL));
    ck_assert_int_eq(tokenizer.vocab, 260);
    ck_assert_int_eq(tokenizer.end, 257);
    tokenizer_expect(&tokenizer, "he he!", false, "259 256 33 ");
    ck_assert_mem_eq(pp_tokenizer_bytes(&tokenizer, 256, &length), " he", 3);
    ck_assert_mem_eq(pp_tokenizer_bytes(&tokenizer, 258, &length), "<a b>", 5);
    ck_assert_uint_eq(length, 5);
    pp_tokenizer_release(&tokenizer);
    free(vocab);
    free(names);
}
END_TEST

START_TEST(merges_have_two_forms)
{
    static const char *const forms[] = {"[\"h e\",\"\xc4\xa0 he\"]",
                                        "[[\"h\",\"e\"],[\"\xc4\xa0\",\"he\"]]",
                                        "[\"h e\",[\"\xc4\xa0\",\"he\"]]"};
    for (int i = 0; i < 3; i++) {
        struct pp_tokenizer tokenizer;
        char name[16];
        char *text = tokenizer_json(
            ",\"he\":256,\"\xc4\xa0he\":257", forms[i],
            ",\"type\":\"BPE\",\"dropout\":null,\"end_of_word_suffix\":\"\"",
            ",\"normalizer\":null,\"added_tokens\":[{\"id\":258,"
            "\"content\":\"<|endoftext|>\"},{\"id\":259,\"content\":"
            "\"\xc3\xa9\xc3\xa9\"},"
            "{\"id\":256,\"content\":\"he\"}]");
        size_t length;
        snprintf(name, sizeof name, "form-%d", i);
        tokenizer_must_init(&tokenizer, tokenizer_folder(name, NULL, NULL, text));
        ck_assert_int_eq(tokenizer.vocab, 260);
        ck_assert_int_eq(tokenizer.end, 258);
        tokenizer_expect(&tokenizer, "he he<|endoftext|>", false,
                         "256 257 60 124 101 110 100 111 102 116 101 120 116 124 62 ");
        /* What is added is a text, though its characters be symbols. */
        ck_assert_mem_eq(pp_tokenizer_bytes(&tokenizer, 259, &length),
                         "\xc3\xa9\xc3\xa9", 4);
        ck_assert_uint_eq(length, 4);
        pp_tokenizer_release(&tokenizer);
        /* The file itself. */
        char *path = tokenizer_format("%s/tokenizer.json", unit_path(name));
        tokenizer_must_init(&tokenizer, path);
        ck_assert_int_eq(tokenizer.vocab, 260);
        pp_tokenizer_release(&tokenizer);
        free(path);
        free(text);
    }
}
END_TEST

/* What is found of a folder without a tokenizer, with one, with half of one. */
START_TEST(found)
{
    struct pp_tokenizer tokenizer;
    struct pp_error error = {0};
    const char *empty = tokenizer_folder("empty", NULL, NULL, NULL),
               *half = tokenizer_folder("half", "{}", NULL, NULL),
               *whole = tokenizer_folder("whole", NULL, "h e\n", NULL);
    ck_assert(!pp_tokenizer_found(empty));
    ck_assert(!pp_tokenizer_found(half));
    ck_assert(!pp_tokenizer_found(unit_path("nowhere")));
    ck_assert(pp_tokenizer_found(whole));
    ck_assert_int_eq(pp_tokenizer_init(&tokenizer, empty, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "empty' holds no tokenizer",
                      "tokenizer.json", "merges.txt", "vocab.json", NULL);
    ck_assert_int_eq(pp_tokenizer_init(&tokenizer, unit_path("nowhere"), &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "nowhere'", "No such file", NULL);
}
END_TEST

static void refuse(const char *vocab, const char *merges, const char *tokenizer,
                   const char *const *fragments)
{
    static int number;
    struct pp_tokenizer into;
    struct pp_error error = {0};
    char name[48];
    snprintf(name, sizeof name, "bad-%d-%d", (int)getpid(), number++);
    const char *folder = tokenizer_folder(name, vocab, merges, tokenizer);
    ck_assert_msg(pp_tokenizer_init(&into, folder, &error) == -1, "taken: %s, %s, %s",
                  vocab ? vocab : "", merges ? merges : "", tokenizer ? tokenizer : "");
    unit_expect_error(&error, PP_BAD_INPUT, fragments[0], fragments[1],
                      fragments[1] ? fragments[2] : NULL, NULL);
}

START_TEST(bad_merges)
{
    static const struct {
        const char *merges, *fragments[3];
    } cases[] = {
        {"a b\nab\n", {"merges.txt', line 2:", "want two tokens with one space"}},
        {"#version: 0.2\na b c\n", {"merges.txt', line 2:", "one space"}},
        {" a b\n", {"merges.txt', line 1:", "one space"}},
        {"a \n", {"line 1:", "one space"}},
        {"a  b\n", {"line 1:", "one space"}},
        {"a b\nabc d\n", {"line 2:", "'abc' is no token", "what a merge before makes"}},
        {"a b\na \xe6\x97\xa5\n", {"line 2:", "'\xe6\x97\xa5' is no token"}},
        {"a \xff\n", {"line 1:", "'?' is no token"}},
        {"a \x01\n", {"line 1:", "is no token"}},
        {"a b\na b\n", {"line 2:", "'a b'"}},
        {"a b\nb c\nab c\na bc\n", {"line 4:", "'a bc'", "without vocab.json"}},
        {"x #version\n", {"line 1:", "'#version' is no token"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse(NULL, cases[i].merges, NULL, cases[i].fragments);
}
END_TEST

/* Members behind the 256 symbols. */
START_TEST(bad_names)
{
    static const struct {
        const char *members, *fragments[3];
    } cases[] = {
        {",\"ab\":7", {"vocab.json': token 'ab' has id 7, as another", "0 to 256"}},
        {",\"ab\":257", {"vocab.json': token 'ab' has id 257", "0 to 256"}},
        {",\"ab\":-1", {"id -1", "0 to 256"}},
        {",\"ab\":9223372036854775807", {"id 9223372036854775807", "0 to 256"}},
        {",\"ab\":92233720368547758070", {"vocab.json', line 1", "not valid JSON"}},
        {",\"ab\":256.0", {"'ab' is no integer"}},
        {",\"ab\":\"256\"", {"'ab' is no integer"}},
        {",\"ab\":null", {"'ab' is no integer"}},
        {",\"ab\":{\"c\":1}", {"'ab' is no integer"}},
        {",\"\":256", {"the token with id 256 is empty"}},
        {",\"ab\":256,\"ab\":257", {"not valid JSON", "duplicate"}},
        {",\"a\xff\":256", {"not valid JSON", "0xff"}},
        {",\"a\\u0000\":256", {"not valid JSON", "NUL"}},
        {",\"ba\":256", {"merges.txt', line 1:", "makes 'ab', which has no id"}},
    };
    char *names = tokenizer_symbols(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *vocab = tokenizer_format("{%s%s}", names, cases[i].members);
        refuse(vocab, "a b\n", NULL, cases[i].fragments);
        free(vocab);
    }
    free(names);
}
END_TEST

START_TEST(bad_json)
{
    enum { DEEP = 100 * 1000 };
    static const char *const deep[] = {"not valid JSON", "depth", NULL},
                             *const list[] = {"vocab.json' is not a JSON object", NULL},
                             *const cut[] = {"vocab.json', line 1, column", NULL},
                             *const empty[] = {"vocab.json' is empty", NULL},
                             *const missing[] = {"vocab.json' has no token '", "0x00",
                                                 NULL};
    char *nested = malloc(DEEP + 1), *names = tokenizer_symbols(1);
    ck_assert_ptr_nonnull(nested);
    memset(nested, '[', DEEP);
    nested[DEEP] = '\0';
    refuse(nested, "a b\n", NULL, deep);
    refuse("[]", "a b\n", NULL, list);
    refuse("{\"a\":", "a b\n", NULL, cut);
    refuse("", "a b\n", NULL, empty);
    char *vocab = tokenizer_format("{%s,\"ab\":0}", names);
    refuse(vocab, "a b\n", NULL, missing);
    free(vocab);
    free(names);
    free(nested);
}
END_TEST

START_TEST(bad_tokenizer_json)
{
    static const struct {
        const char *vocab, *merges, *model, *root, *fragments[3];
    } cases[] = {
        {"", "[\"a\"]", "", "", {"'model.merges[0]'", "two tokens", "array of two"}},
        {"", "[[\"a\"]]", "", "", {"'model.merges[0]'", "array of two"}},
        {"", "[7]", "", "", {"'model.merges[0]'", "array of two"}},
        {"", "[[\"a\",7]]", "", "", {"'model.merges[0]'", "array of two"}},
        {"", "[[\"\",\"\"]]", "", "", {"'model.merges[0]'", "'' is no token"}},
        {",\"ab\":256", "[\"a b\",\"ab x\"]", "", "", {"'model.merges[1]'", "'abx'"}},
        {"", "7", "", "", {"'model.vocab'", "'model.merges'"}},
        {"", "[]", ",\"type\":\"Unigram\"", "", {"'model.type' is not 'BPE'"}},
        {"", "[]", ",\"dropout\":0.1", "", {"'model.dropout' is not null"}},
        {"", "[]", ",\"ignore_merges\":true", "", {"'model.ignore_merges' is not"}},
        {"", "[]", ",\"end_of_word_suffix\":\"</w>\"", "", {"end_of_word_suffix"}},
        {"", "[]", "", ",\"normalizer\":{\"type\":\"NFC\"}", {"'normalizer' is not"}},
        {"", "[]", "", ",\"added_tokens\":[{\"id\":256}]", {"'added_tokens[0]'"}},
        {"", "[]", "", ",\"added_tokens\":[7]", {"'added_tokens[0]'", "'content'"}},
        {"",
         "[]",
         "",
         ",\"added_tokens\":[{\"id\":3,\"content\":\"a\"}]",
         {"'added_tokens[0]'", "'a'", "id 3"}},
        {"",
         "[]",
         "",
         ",\"added_tokens\":[{\"id\":256,\"content\":\"<x>\"},"
         "{\"id\":257,\"content\":\"<x>\"}]",
         {"'added_tokens[1]'", "'<x>'", "id 257"}},
        {"",
         "[]",
         "",
         ",\"added_tokens\":[{\"id\":300,\"content\":\"<x>\"}]",
         {"'<x>' has id 300", "0 to 256"}},
        {"",
         "[]",
         "",
         ",\"added_tokens\":[{\"id\":256,\"content\":\"\"}]",
         {"256 is empty"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = tokenizer_json(cases[i].vocab, cases[i].merges, cases[i].model,
                                    cases[i].root);
        refuse(NULL, NULL, text, cases[i].fragments);
        free(text);
    }
}
END_TEST

START_TEST(other_pre_tokenizers)
{
    static const char *const other[] = {"'pre_tokenizer.type' is not 'ByteLevel'",
                                        NULL},
                             *const prefix[] = {"add_prefix_space' is not false", NULL},
                             *const regex[] = {"use_regex' is not true", NULL};
    refuse(NULL, NULL, "{}", other);
    refuse(NULL, NULL, "{\"pre_tokenizer\":{\"type\":\"Metaspace\"}}", other);
    refuse(NULL, NULL, "{\"pre_tokenizer\":[]}", other);
    refuse(NULL, NULL,
           "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true}}",
           prefix);
    refuse(NULL, NULL,
           "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"use_regex\":false}}", regex);
}
END_TEST

/* A file of more than 100 MB, which takes no place on the disk. */
START_TEST(huge_files_are_not_read)
{
    static const char *const huge[] = {"merges.txt'", "100000001 bytes", "100000000"};
    struct pp_tokenizer tokenizer;
    struct pp_error error = {0};
    const char *folder = tokenizer_folder("huge", NULL, "", NULL);
    char *path = tokenizer_format("%s/merges.txt", folder);
    ck_assert_int_eq(truncate(path, 100000001), 0);
    ck_assert_int_eq(pp_tokenizer_init(&tokenizer, folder, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, huge[0], huge[1], huge[2], NULL);
    free(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tokenizer files");
    TCase *tests = tcase_create("tokenizer files");
    tcase_add_test(tests, ids_are_those_of_vocab_json);
    tcase_add_test(tests, merges_have_two_forms);
    tcase_add_test(tests, found);
    tcase_add_test(tests, bad_merges);
    tcase_add_test(tests, bad_names);
    tcase_add_test(tests, bad_json);
    tcase_add_test(tests, bad_tokenizer_json);
    tcase_add_test(tests, other_pre_tokenizers);
    tcase_add_test(tests, huge_files_are_not_read);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
