/* A tokenizer's files, each up to a zero byte, and a text: vocab.json, merges.txt,
 * tokenizer.json; an empty one is not there. What the tokens of the text stand for must
 * be the text. Where that begins with '+', the tokenizer is also written, and read back:
 * files take their time. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/words.h"
#include "fuzz.h"
#include "text/text_decoder.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

enum { PATH = 512 };

struct bytes {
    const char *data;
    size_t size;
};

/* Takes the input's first part off it, up to a zero byte. */
static struct bytes take(struct bytes *rest)
{
    const char *end = memchr(rest->data, '\0', rest->size);
    struct bytes part = {rest->data, end ? (size_t)(end - rest->data) : rest->size};
    size_t gone = part.size + (end != NULL);
    *rest = (struct bytes){rest->data + gone, rest->size - gone};
    return part;
}

static void write_file(const char *folder, const char *name, struct bytes bytes)
{
    char path[PATH];
    if (bytes.size == 0)
        return;
    pp_assign(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    if (file < 0 || write(file, bytes.data, bytes.size) != (ssize_t)bytes.size)
        abort();
    close(file);
}

/* A part of what is decoded: the next of the text where nothing is replaced, and else
 * whole characters. */
static void check_part(const char *part, size_t length, struct bytes *left,
                       bool replace)
{
    for (size_t at = 0, step; at < length && replace; at += step) {
        if (pp_utf8_next(part + at, length - at, &step) != PP_UTF8_WHOLE)
            abort();
    }
    if (replace)
        return;
    if (length > left->size || memcmp(part, left->data, length) != 0)
        abort();
    *left = (struct bytes){left->data + length, left->size - length};
}

static void decode(const struct pp_tokenizer *tokenizer, const int32_t *tokens,
                   int count, struct bytes text, bool replace)
{
    struct pp_text_decoder decoder;
    struct pp_error error = {0};
    const char *part;
    size_t length;
    int status = 0;
    pp_text_decoder_init(&decoder, tokenizer, replace);
    for (int i = 0; i < count && status == 0; i++) {
        status = fuzz_check(
            pp_text_decoder_push(&decoder, tokens[i], &part, &length, &error), &error);
        if (status == 0)
            check_part(part, length, &text, replace);
    }
    pp_text_decoder_finish(&decoder, &part, &length);
    if (status == 0) {
        check_part(part, length, &text, replace);
        if (!replace && text.size > 0)
            abort();
    }
    pp_text_decoder_release(&decoder);
}

static void use(const struct pp_tokenizer *tokenizer, struct bytes text)
{
    for (int ends = 0; ends < 2; ends++) {
        struct pp_error error = {0};
        int32_t *tokens;
        int count;
        if (fuzz_check(pp_tokenizer_encode(tokenizer, text.data, text.size, ends,
                                           &tokens, &count, &error),
                       &error) != 0)
            continue;
        decode(tokenizer, tokens, count, text, true);
        if (!ends) /* an end has no text */
            decode(tokenizer, tokens, count, text, false);
        free(tokens);
    }
}

static void write_back(const struct pp_tokenizer *tokenizer, const char *folder)
{
    struct pp_error error = {0};
    struct pp_tokenizer back;
    if (fuzz_check(pp_tokenizer_write(tokenizer, folder, &error), &error) != 0 ||
        fuzz_check(pp_tokenizer_init(&back, folder, &error), &error) != 0)
        return;
    if (back.vocab != tokenizer->vocab || back.end != tokenizer->end ||
        back.bpe.merges.count != tokenizer->bpe.merges.count)
        abort();
    pp_tokenizer_release(&back);
}

/* Removed at the end of the process. */
static struct pp_folder folder;

static void remove_folder(void)
{
    pp_folder_release(&folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"vocab.json", "merges.txt", "tokenizer.json"};
    struct bytes input = {(const char *)data, size};
    struct pp_error error = {0};
    struct pp_tokenizer tokenizer;
    char inner[PATH], back[PATH];
    if (!folder.path) {
        if (pp_folder_init(&folder, "fuzz", &error) != 0)
            abort();
        atexit(remove_folder);
    }
    pp_assign(inner, sizeof inner, "%s/in", folder.path);
    pp_assign(back, sizeof back, "%s/back", folder.path);
    pp_folder_remove(inner);
    pp_folder_remove(back);
    mkdir(inner, 0700);
    mkdir(back, 0700);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        write_file(inner, names[i], take(&input));
    if (fuzz_check(pp_tokenizer_init(&tokenizer, inner, &error), &error) != 0)
        return 0;
    use(&tokenizer, input);
    if (input.size > 0 && input.data[0] == '+')
        write_back(&tokenizer, back);
    pp_tokenizer_release(&tokenizer);
    return 0;
}
