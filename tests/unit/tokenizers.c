#include "tokenizers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "text/alphabet.h"
#include "unit.h"

enum { BYTES = 256 };

char *tokenizer_format(const char *form, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, form);
    ck_assert_int_ge(vasprintf(&text, form, arguments), 0);
    va_end(arguments);
    return text;
}

char *tokenizer_symbols(int without)
{
    char *list = NULL;
    size_t size;
    FILE *stream = open_memstream(&list, &size);
    ck_assert_ptr_nonnull(stream);
    for (int i = without; i < BYTES; i++) {
        char name[3], byte = (char)i;
        pp_alphabet_write(&byte, 1, name);
        fprintf(stream, "%s\"%s%s\":%d", i > without ? "," : "",
                byte == '"' || byte == '\\' ? "\\" : "", name, i);
    }
    fclose(stream);
    return list;
}

const char *tokenizer_folder(const char *name, const char *vocab, const char *merges,
                             const char *tokenizer)
{
    const char *const files[][2] = {
        {"vocab.json", vocab}, {"merges.txt", merges}, {"tokenizer.json", tokenizer}};
    ck_assert(mkdir(unit_path(name), 0700) == 0);
    for (int i = 0; i < 3; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", name, files[i][0]);
        if (files[i][1])
            unit_file(path, files[i][1], strlen(files[i][1]));
    }
    return unit_path(name);
}

void tokenizer_must_init(struct pp_tokenizer *tokenizer, const char *source)
{
    struct pp_error error = {0};
    int status = pp_tokenizer_init(tokenizer, source, &error);
    ck_assert_msg(status == 0, "%s", error.text);
}

int32_t *tokenizer_must_encode(const struct pp_tokenizer *tokenizer, const char *text,
                               size_t length, bool ends, int *count)
{
    struct pp_error error = {0};
    int32_t *tokens;
    int status =
        pp_tokenizer_encode(tokenizer, text, length, ends, &tokens, count, &error);
    ck_assert_msg(status == 0, "%s", error.text);
    ck_assert_ptr_nonnull(tokens);
    return tokens;
}

void tokenizer_expect(const struct pp_tokenizer *tokenizer, const char *text, bool ends,
                      const char *list)
{
    char found[256] = "";
    int count;
    int32_t *tokens =
        tokenizer_must_encode(tokenizer, text, strlen(text), ends, &count);
    for (int i = 0; i < count; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%d ", tokens[i]);
    ck_assert_msg(strcmp(found, list) == 0, "'%s': %s, should be %s", text, found,
                  list);
    free(tokens);
}

char *tokenizer_json(const char *vocab, const char *merges, const char *model,
                     const char *root)
{
    char *names = tokenizer_symbols(0);
    char *text = tokenizer_format("{\"pre_tokenizer\":{\"type\":\"ByteLevel\","
                                  "\"add_prefix_space\":false},"
                                  "\"model\":{\"vocab\":{%s%s},\"merges\":%s%s}%s}",
                                  names, vocab, merges, model, root);
    free(names);
    return text;
}
