#include <stdio.h>
#include <stdlib.h>

#include "base/output.h"
#include "text/alphabet.h"
#include "text/tokenizer.h"

/* A character or a byte of one; as JSON has it in a string, or as it is. */
static void put(FILE *stream, const char *symbol, bool json)
{
    if (json && (unsigned char)symbol[0] < ' ') {
        fprintf(stream, "\\u%04x", symbol[0]);
        return;
    }
    if (json && (symbol[0] == '"' || symbol[0] == '\\'))
        fputc('\\', stream);
    fputs(symbol, stream);
}

/* A token's name: what is added is its own. */
static void put_name(FILE *stream, const struct pp_tokenizer *tokenizer, int32_t token,
                     bool json)
{
    size_t length;
    const char *bytes = pp_tokenizer_bytes(tokenizer, token, &length);
    for (size_t i = 0; i < length; i++) {
        char symbol[3] = {bytes[i]};
        if (!tokenizer->bpe.vocabulary.words[token].added)
            pp_alphabet_write(&bytes[i], 1, symbol);
        put(stream, symbol, json);
    }
}

static void put_vocab(FILE *stream, const struct pp_tokenizer *tokenizer)
{
    for (int32_t token = 0; token < tokenizer->vocab; token++) {
        fputs(token == 0 ? "{\"" : ", \"", stream);
        put_name(stream, tokenizer, token, true);
        fprintf(stream, "\": %d", token);
    }
    fputs("}\n", stream);
}

static void put_merges(FILE *stream, const struct pp_tokenizer *tokenizer)
{
    fputs("#version: 0.2\n", stream);
    for (int i = 0; i < tokenizer->bpe.merges.count; i++) {
        put_name(stream, tokenizer, tokenizer->bpe.merges.list[i].left, false);
        fputc(' ', stream);
        put_name(stream, tokenizer, tokenizer->bpe.merges.list[i].right, false);
        fputc('\n', stream);
    }
}

/* Where there is no end, GPT2Tokenizer must be told, or it adds its own behind the
 * vocabulary; and it must leave the text as it is. */
static void put_config(FILE *stream, const struct pp_tokenizer *tokenizer)
{
    const char *end = tokenizer->end >= 0 ? "\"" PP_TEXT_END "\"" : "null";
    fprintf(stream,
            "{\n"
            "  \"tokenizer_class\": \"GPT2Tokenizer\",\n"
            "  \"bos_token\": %s,\n"
            "  \"eos_token\": %s,\n"
            "  \"unk_token\": %s,\n"
            "  \"add_prefix_space\": false,\n"
            "  \"clean_up_tokenization_spaces\": false\n"
            "}\n",
            end, end, end);
}

static const struct file {
    const char *name;
    void (*put)(FILE *stream, const struct pp_tokenizer *tokenizer);
} files[] = {
    {"vocab.json", put_vocab},
    {"merges.txt", put_merges},
    {"tokenizer_config.json", put_config},
};

int pp_tokenizer_write(const struct pp_tokenizer *tokenizer, const char *folder,
                       struct pp_error *error)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct pp_output output;
        char *path;
        if (asprintf(&path, "%s/%s", folder, files[i].name) < 0)
            return pp_fail(error, PP_ENVIRONMENT, "'%s/%s': out of memory", folder,
                           files[i].name);
        int status = pp_output_open(&output, path, error);
        free(path);
        if (status != 0)
            return -1;
        files[i].put(output.stream, tokenizer);
        if (pp_output_commit(&output, error) != 0)
            return -1;
    }
    return 0;
}
