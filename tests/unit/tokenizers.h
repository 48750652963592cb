/* What the unit tests of tokenizers share: their files, and what they make of a text.
 */
#ifndef PP_TESTS_TOKENIZERS_H
#define PP_TESTS_TOKENIZERS_H

#include "text/tokenizer.h"

/* A text, to be freed. */
__attribute__((format(printf, 1, 2))) char *tokenizer_format(const char *form, ...);

/* Members of a JSON object, to be freed: the 256 symbols, but for those of the first
 * `without` bytes, with their bytes as ids. */
char *tokenizer_symbols(int without);

/* The text of a tokenizer.json with those, to be freed: members behind those of its
 * vocabulary, its merges, members behind those of its model, and of itself. */
char *tokenizer_json(const char *vocab, const char *merges, const char *model,
                     const char *root);

/* The path (unit_path) of a new folder of that name with these files; NULL: without
 * that one. */
const char *tokenizer_folder(const char *name, const char *vocab, const char *merges,
                             const char *tokenizer);

/* Asserts that the tokenizer is taken. */
void tokenizer_must_init(struct pp_tokenizer *tokenizer, const char *source);

/* The tokens of the text, to be freed; asserts that there are any. */
int32_t *tokenizer_must_encode(const struct pp_tokenizer *tokenizer, const char *text,
                               size_t length, bool ends, int *count);

/* Asserts that the tokens of the text are these: "1 2 3 ". */
void tokenizer_expect(const struct pp_tokenizer *tokenizer, const char *text, bool ends,
                      const char *list);

#endif
