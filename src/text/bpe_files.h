/* A BPE from files: tokenizer.json, or merges.txt with or without vocab.json. */
#ifndef PP_TEXT_BPE_FILES_H
#define PP_TEXT_BPE_FILES_H

#include <stdbool.h>

#include "base/error.h"
#include "text/bpe.h"

/* From a folder, or a tokenizer.json. PP_BAD_INPUT, PP_ENVIRONMENT. */
int pp_bpe_init(struct pp_bpe *bpe, const char *path, struct pp_error *error);

/* Does the folder hold such files? */
bool pp_bpe_found(const char *folder);

#endif
