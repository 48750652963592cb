#include "text/bpe.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "text/alphabet.h"

enum { BYTES = 256, SHOWN = 40 /* characters of a name in a message */ };

static int no_memory(const struct pp_bpe_builder *builder, struct pp_error *error)
{
    return pp_fail(error, PP_ENVIRONMENT, "'%s': out of memory", builder->path);
}

/* The name as a message holds it. */
struct shown {
    char text[SHOWN + 8];
};

static struct shown show(struct pp_slice name)
{
    struct shown shown;
    int length = (int)(name.length < SHOWN ? name.length : SHOWN);
    pp_assign(shown.text, sizeof shown.text, "%.*s", length, name.text);
    if (name.length <= SHOWN)
        return shown;
    shown.text[pp_whole_characters(shown.text, strlen(shown.text))] = '\0';
    pp_append(shown.text, sizeof shown.text, "…");
    return shown;
}

int pp_bpe_init_bytes(struct pp_bpe *bpe, struct pp_error *error)
{
    *bpe = (struct pp_bpe){.end = -1};
    bool room =
        pp_vocabulary_init(&bpe->vocabulary, BYTES) && pp_merges_init(&bpe->merges, 0);
    for (int i = 0; i < BYTES && room; i++) {
        room = pp_vocabulary_set(&bpe->vocabulary, i, (char[]){(char)i}, 1, false);
        bpe->of_byte[i] = i;
    }
    if (room)
        return 0;
    pp_bpe_release(bpe);
    return pp_fail(error, PP_ENVIRONMENT, "out of memory for a tokenizer");
}

void pp_bpe_release(struct pp_bpe *bpe)
{
    pp_vocabulary_release(&bpe->vocabulary);
    pp_merges_release(&bpe->merges);
}

int pp_bpe_begin(struct pp_bpe_builder *builder, size_t count, size_t merges,
                 struct pp_error *error)
{
    struct pp_bpe *bpe = builder->bpe;
    *bpe = (struct pp_bpe){.end = -1};
    if (count > INT_MAX || merges > INT_MAX)
        return pp_fail(error, PP_BAD_INPUT, "'%s': too many tokens: at most %d",
                       builder->path, INT_MAX);
    if (!pp_vocabulary_init(&bpe->vocabulary, (int)count) ||
        !pp_merges_init(&bpe->merges, (int)merges))
        return no_memory(builder, error);
    return 0;
}

/* Makes room for the bytes of a name, or of two. */
static bool reserve(struct pp_bpe_builder *builder, size_t bytes)
{
    if (bytes <= builder->room_bytes)
        return true;
    free(builder->room);
    builder->room_bytes = 0;
    builder->room = malloc(2 * bytes);
    if (builder->room)
        builder->room_bytes = 2 * bytes;
    return builder->room != NULL;
}

/* Is the id one that is free, and the name one to give? */
static int check_name(const struct pp_bpe_builder *builder, int64_t id,
                      struct pp_slice name, struct pp_error *error)
{
    const struct pp_vocabulary *vocabulary = &builder->bpe->vocabulary;
    if (name.length == 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s': the token with id %" PRId64
                       " is empty: need a character at least",
                       builder->path, id);
    if (id < 0 || id >= vocabulary->count)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s': token '%s' has id %" PRId64
                       ": %d tokens have the ids 0 to %d, each once",
                       builder->path, show(name).text, id, vocabulary->count,
                       vocabulary->count - 1);
    if (vocabulary->words[id].length > 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s': token '%s' has id %" PRId64
                       ", as another has: %d tokens have the ids 0 to %d, each once",
                       builder->path, show(name).text, id, vocabulary->count,
                       vocabulary->count - 1);
    return 0;
}

int pp_bpe_name(struct pp_bpe_builder *builder, int64_t id, struct pp_slice name,
                bool added, struct pp_error *error)
{
    size_t count;
    if (check_name(builder, id, name, error) != 0)
        return -1;
    if (!reserve(builder, name.length))
        return no_memory(builder, error);
    added = added || !pp_alphabet_read(name.text, name.length, builder->room, &count);
    if (!pp_vocabulary_set(&builder->bpe->vocabulary, (int32_t)id,
                           added ? name.text : builder->room,
                           added ? name.length : count, added))
        return no_memory(builder, error);
    return 0;
}

int pp_bpe_number(struct pp_bpe_builder *builder, struct pp_error *error)
{
    builder->numbers = true;
    for (int i = 0; i < BYTES; i++) {
        char byte = (char)pp_alphabet_byte(i);
        if (!pp_vocabulary_set(&builder->bpe->vocabulary, i, &byte, 1, false))
            return no_memory(builder, error);
    }
    return 0;
}

/* Reads a part of a merge to `bytes`; sets *id and *count. */
static int find_part(const struct pp_bpe_builder *builder, struct pp_slice part,
                     char *bytes, int32_t *id, size_t *count, struct pp_error *error)
{
    *id = -1;
    if (pp_alphabet_read(part.text, part.length, bytes, count) && *count > 0)
        *id = pp_vocabulary_find(&builder->bpe->vocabulary, bytes, *count);
    if (*id >= 0)
        return 0;
    return pp_fail(error, PP_BAD_INPUT, "'%s', %s: '%s' is no token: need %s",
                   builder->path, builder->place, show(part).text,
                   builder->numbers ? "one of the 256 byte symbols, or what a merge "
                                      "before makes"
                                    : "one that has an id");
}

/* The id of what a merge makes, of count bytes in builder->room. */
static int find_result(struct pp_bpe_builder *builder, size_t count,
                       struct pp_slice left, struct pp_slice right, int32_t *id,
                       struct pp_error *error)
{
    struct pp_vocabulary *vocabulary = &builder->bpe->vocabulary;
    *id = pp_vocabulary_find(vocabulary, builder->room, count);
    if (!builder->numbers && *id >= 0)
        return 0;
    if (!builder->numbers)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s', %s: '%s %s' makes '%s%s', which has no id: need the "
                       "vocabulary that belongs to these merges",
                       builder->path, builder->place, show(left).text, show(right).text,
                       show(left).text, show(right).text);
    if (*id >= 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s', %s: '%s %s' makes a token that is there: without "
                       "vocab.json each merge makes another",
                       builder->path, builder->place, show(left).text,
                       show(right).text);
    *id = vocabulary->set;
    if (!pp_vocabulary_set(vocabulary, *id, builder->room, count, false))
        return no_memory(builder, error);
    return 0;
}

int pp_bpe_merge(struct pp_bpe_builder *builder, struct pp_slice left,
                 struct pp_slice right, struct pp_error *error)
{
    struct pp_merge merge;
    size_t left_bytes, right_bytes;
    if (!reserve(builder, left.length + right.length))
        return no_memory(builder, error);
    if (find_part(builder, left, builder->room, &merge.left, &left_bytes, error) != 0 ||
        find_part(builder, right, builder->room + left_bytes, &merge.right,
                  &right_bytes, error) != 0 ||
        find_result(builder, left_bytes + right_bytes, left, right, &merge.result,
                    error) != 0)
        return -1;
    if (!pp_merges_add(&builder->bpe->merges, merge))
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s', %s: '%s %s' is merged before already", builder->path,
                       builder->place, show(left).text, show(right).text);
    return 0;
}

/* Sets what is found by its bytes: each byte's token, and the end. */
static int find_tokens(struct pp_bpe_builder *builder, struct pp_error *error)
{
    struct pp_bpe *bpe = builder->bpe;
    for (int i = 0; i < BYTES; i++) {
        char byte = (char)i, name[3];
        bpe->of_byte[i] = pp_vocabulary_find(&bpe->vocabulary, &byte, 1);
        pp_alphabet_write(&byte, 1, name);
        if (bpe->of_byte[i] < 0)
            return pp_fail(error, PP_BAD_INPUT,
                           "'%s' has no token '%s' for the byte 0x%02x: need one for "
                           "each of the 256",
                           builder->path, name, i);
    }
    for (int32_t id = 0; id < bpe->vocabulary.count; id++) {
        const struct pp_word *word = &bpe->vocabulary.words[id];
        if (word->length == strlen(PP_TEXT_END) &&
            memcmp(bpe->vocabulary.bytes + word->at, PP_TEXT_END, word->length) == 0)
            bpe->end = id;
    }
    return 0;
}

/* Behind what the merges made. */
static int number_end(struct pp_bpe_builder *builder, struct pp_error *error)
{
    const struct pp_slice end = {PP_TEXT_END, strlen(PP_TEXT_END)};
    struct pp_vocabulary *vocabulary = &builder->bpe->vocabulary;
    int status = pp_bpe_name(builder, vocabulary->set, end, true, error);
    vocabulary->count = vocabulary->set;
    return status;
}

int pp_bpe_end(struct pp_bpe_builder *builder, int status, struct pp_error *error)
{
    if (status == 0 && builder->numbers)
        status = number_end(builder, error);
    if (status == 0)
        status = find_tokens(builder, error);
    if (status != 0)
        pp_bpe_release(builder->bpe);
    free(builder->room);
    return status;
}
