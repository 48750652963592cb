/* What a BPE's files hold as JSON. */
#ifndef PP_TEXT_BPE_JSON_H
#define PP_TEXT_BPE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "text/bpe.h"

/* tokenizer.json, as the library tokenizers writes it: with merges as strings, or,
 * since its version 0.20, pairs of them. What it asks for that GPT-2 does not do is
 * refused by name. */
int pp_bpe_read_json(struct pp_bpe *bpe, const char *path, struct pp_error *error);

/* The tokens of an object of names and ids, in the order of the file; behind `own` they
 * are added. */
int pp_bpe_names(struct pp_bpe_builder *builder, const json_t *names, size_t own,
                 struct pp_error *error);

/* A merge's parts in "left right". Returns whether there are two. */
bool pp_bpe_split(struct pp_slice merge, struct pp_slice *left, struct pp_slice *right);

/* The bytes of a file that is no larger than a tokenizer may be, to be freed; and a
 * JSON object that it holds. */
int pp_bpe_whole(const char *path, char **bytes, size_t *size, struct pp_error *error);
int pp_bpe_load(const char *path, json_t **object, struct pp_error *error);

#endif
