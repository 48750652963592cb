#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/output.h"
#include "text/alphabet.h"
#include "text/tokenizer.h"

/* A token's name in the files, to be freed; NULL when out of memory. */
static char *name_of(const struct pp_tokenizer *tokenizer, int32_t token)
{
    size_t length;
    const char *bytes = pp_tokenizer_bytes(tokenizer, token, &length);
    if (tokenizer->bpe.vocabulary.words[token].added)
        return strndup(bytes, length);
    char *name = malloc(2 * length + 1);
    if (name)
        pp_alphabet_write(bytes, length, name);
    return name;
}

/* The text of vocab.json; NULL when out of memory. */
static char *make_vocab(const struct pp_tokenizer *tokenizer)
{
    json_t *names = json_object();
    for (int32_t token = 0; token < tokenizer->vocab && names; token++) {
        char *name = name_of(tokenizer, token);
        pp_json_set(&names, name ? name : "", name ? json_integer(token) : NULL);
        free(name);
    }
    char *text = pp_json_dump(names, JSON_ENSURE_ASCII);
    json_decref(names);
    return text;
}

/* The same of tokenizer_config.json. Where there is no end, GPT2Tokenizer must be told,
 * or adds its own behind the vocabulary; and it must leave the text as it is. */
static char *make_config(const struct pp_tokenizer *tokenizer)
{
    static const char *const roles[] = {"bos_token", "eos_token", "unk_token"};
    json_t *config = json_object();
    pp_json_set(&config, "tokenizer_class", json_string("GPT2Tokenizer"));
    pp_json_set(&config, "add_prefix_space", json_false());
    pp_json_set(&config, "clean_up_tokenization_spaces", json_false());
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        pp_json_set(&config, roles[i],
                    tokenizer->end >= 0 ? json_string(PP_TEXT_END) : json_null());
    char *text = pp_json_dump(config, JSON_INDENT(2));
    json_decref(config);
    return text;
}

/* Of merges.txt. */
static char *make_merges(const struct pp_tokenizer *tokenizer)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    bool whole = fputs("#version: 0.2\n", stream) >= 0;
    for (int i = 0; i < tokenizer->bpe.merges.count && whole; i++) {
        const struct pp_merge *merge = &tokenizer->bpe.merges.list[i];
        char *left = name_of(tokenizer, merge->left),
             *right = name_of(tokenizer, merge->right);
        whole = left && right && fprintf(stream, "%s %s\n", left, right) > 0;
        free(left);
        free(right);
    }
    whole = fclose(stream) == 0 && whole;
    if (whole)
        return text;
    free(text);
    return NULL;
}

/* Writes the text, which is freed; NULL: there was no memory for it. */
static int write_file(const char *folder, const char *name, char *text,
                      struct pp_error *error)
{
    struct pp_output output;
    char *path;
    if (!text || asprintf(&path, "%s/%s", folder, name) < 0) {
        free(text);
        return pp_fail(error, PP_ENVIRONMENT, "'%s/%s': out of memory", folder, name);
    }
    int status = pp_output_open(&output, path, error);
    if (status == 0) {
        fputs(text, output.stream);
        status = pp_output_commit(&output, error);
    }
    free(path);
    free(text);
    return status;
}

int pp_tokenizer_write(const struct pp_tokenizer *tokenizer, const char *folder,
                       struct pp_error *error)
{
    if (write_file(folder, "vocab.json", make_vocab(tokenizer), error) != 0 ||
        write_file(folder, "merges.txt", make_merges(tokenizer), error) != 0)
        return -1;
    return write_file(folder, "tokenizer_config.json", make_config(tokenizer), error);
}
