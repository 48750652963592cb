#include "text/bpe_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/input.h"
#include "text/bpe_json.h"

/* Their paths; NULL where there is none. */
struct files {
    char *tokenizer, *vocab, *merges;
};

/* The path of a file in the folder, to be freed: sets *path to NULL where there is
 * none. Returns whether there is memory. */
static bool find_file(const char *folder, const char *name, char **path)
{
    if (asprintf(path, "%s/%s", folder, name) < 0) {
        *path = NULL;
        return false;
    }
    if (access(*path, F_OK) != 0) {
        free(*path);
        *path = NULL;
    }
    return true;
}

static bool find_files(const char *folder, struct files *files)
{
    *files = (struct files){0};
    return find_file(folder, "tokenizer.json", &files->tokenizer) &&
           find_file(folder, "vocab.json", &files->vocab) &&
           find_file(folder, "merges.txt", &files->merges);
}

static void release_files(struct files *files)
{
    free(files->tokenizer);
    free(files->vocab);
    free(files->merges);
}

bool pp_bpe_found(const char *folder)
{
    struct files files;
    bool found = find_files(folder, &files) && (files.tokenizer || files.merges);
    release_files(&files);
    return found;
}

/* Takes a line off the text, without its end. Returns false where none is left. */
static bool take_line(struct pp_slice *text, struct pp_slice *line)
{
    if (text->length == 0)
        return false;
    const char *end = memchr(text->text, '\n', text->length);
    size_t length = end ? (size_t)(end - text->text) : text->length;
    *line = (struct pp_slice){text->text, length};
    *text = (struct pp_slice){text->text + length + (end != NULL),
                              text->length - length - (end != NULL)};
    if (length > 0 && line->text[length - 1] == '\r')
        line->length--;
    return true;
}

static size_t count_lines(struct pp_slice text)
{
    size_t count = 0;
    for (struct pp_slice line; take_line(&text, &line);)
        count++;
    return count;
}

static int read_line(struct pp_bpe_builder *builder, struct pp_slice line,
                     struct pp_error *error)
{
    struct pp_slice left, right;
    if (!pp_bpe_split(line, &left, &right))
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s', %s: want two tokens with one space between them",
                       builder->path, builder->place);
    return pp_bpe_merge(builder, left, right, error);
}

static int read_merges(struct pp_bpe_builder *builder, struct pp_slice text,
                       struct pp_error *error)
{
    static const char version[] = "#version";
    struct pp_slice line;
    for (size_t number = 1; take_line(&text, &line); number++) {
        snprintf(builder->place, sizeof builder->place, "line %zu", number);
        bool comment = number == 1 && line.length >= strlen(version) &&
                       memcmp(line.text, version, strlen(version)) == 0;
        if (!comment && line.length > 0 && read_line(builder, line, error) != 0)
            return -1;
    }
    return 0;
}

/* The ids of the merges.txt that the text is: vocab.json's, or GPT-2's. */
static int read_ids(struct pp_bpe_builder *builder, const char *vocab, size_t merges,
                    struct pp_error *error)
{
    json_t *names;
    if (!vocab) {
        enum { BYTES = 256, END = 1 };
        if (pp_bpe_begin(builder, BYTES + merges + END, merges, error) != 0)
            return -1;
        return pp_bpe_number(builder, error);
    }
    if (pp_bpe_load(vocab, &names, error) != 0)
        return -1;
    int status = pp_bpe_begin(builder, json_object_size(names), merges, error);
    if (status == 0)
        status = pp_bpe_names(builder, names, json_object_size(names), error);
    json_decref(names);
    return status;
}

static int read_text(struct pp_bpe *bpe, const char *merges, const char *vocab,
                     struct pp_error *error)
{
    struct pp_bpe_builder builder = {.bpe = bpe, .path = vocab ? vocab : merges};
    struct pp_slice text = {0};
    char *bytes;
    if (pp_bpe_whole(merges, &bytes, &text.length, error) != 0)
        return -1;
    text.text = bytes;
    int status = read_ids(&builder, vocab, count_lines(text), error);
    builder.path = merges;
    if (status == 0)
        status = read_merges(&builder, text, error);
    if (vocab)
        builder.path = vocab;
    status = pp_bpe_end(&builder, status, error);
    free(bytes);
    return status;
}

static int read_folder(struct pp_bpe *bpe, const char *folder, struct pp_error *error)
{
    struct files files;
    int status = -1;
    if (!find_files(folder, &files))
        pp_fail(error, PP_ENVIRONMENT, "'%s': out of memory", folder);
    else if (files.tokenizer)
        status = pp_bpe_read_json(bpe, files.tokenizer, error);
    else if (files.merges)
        status = read_text(bpe, files.merges, files.vocab, error);
    else
        pp_fail(error, PP_BAD_INPUT,
                "'%s' holds no tokenizer: need tokenizer.json, or merges.txt, with or "
                "without vocab.json",
                folder);
    release_files(&files);
    return status;
}

int pp_bpe_init(struct pp_bpe *bpe, const char *path, struct pp_error *error)
{
    struct stat status;
    *bpe = (struct pp_bpe){0};
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return read_folder(bpe, path, error);
    return pp_bpe_read_json(bpe, path, error);
}
