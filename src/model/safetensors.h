/* safetensors files: 8 bytes little-endian header length, a JSON header, the data.
 * Format: https://github.com/huggingface/safetensors (README, "Format"). */
#ifndef PP_MODEL_SAFETENSORS_H
#define PP_MODEL_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/input.h"

enum pp_dtype { PP_F32, PP_I32, PP_F16, PP_BF16 };

struct pp_st_tensor {
    char name[96];
    enum pp_dtype dtype;
    int rank;         /* 0 .. 4 */
    int64_t shape[4]; /* unused ones are 1 */
    size_t offset;    /* of the data, from the start of the file */
    size_t bytes;
};

/* An open file. */
struct pp_st_file {
    struct pp_input input;
    struct pp_st_tensor *tensors; /* in order of offset */
    int count;
    struct json_t *metadata; /* its texts by key; NULL: it has none */
};

/* Opens and checks the whole structure: header length, JSON, dtypes, shapes against
 * byte ranges, ranges inside the file without overlap or holes, no duplicate names.
 * Tensors that struct pp_st_tensor cannot hold (other dtypes, more dimensions, longer
 * names) are kept in the check but left out of tensors.
 * PP_BAD_INPUT names the file, the tensor and what is wrong. */
int pp_st_open(struct pp_st_file *file, const char *path, struct pp_error *error);
void pp_st_close(struct pp_st_file *file);

/* What the file's metadata say under this key, until it is closed; NULL: nothing. */
const char *pp_st_note(const struct pp_st_file *file, const char *key);

/* Text of a file made fit for a one-line message: no control characters, not long.
 * Returns buffer. */
enum { PP_ST_SHOWN = 100 };
const char *pp_st_shown(const char *text, char buffer[PP_ST_SHOWN]);

/* The tensor of that name, else of "transformer." + name (as GPT2LMHeadModel saves it);
 * NULL if there is none. */
const struct pp_st_tensor *pp_st_find(const struct pp_st_file *file, const char *name);

/* Do two tensors, of one file or of two, hold the same bytes? PP_ENVIRONMENT if they
 * cannot be read. */
int pp_st_same(const struct pp_st_file *file, const struct pp_st_tensor *tensor,
               const struct pp_st_file *other_file, const struct pp_st_tensor *other,
               bool *same, struct pp_error *error);

/* Fails unless the tensor's shape is shape[rank], and its values are F32, F16 or BF16.
 */
int pp_st_expect(const struct pp_st_file *file, const struct pp_st_tensor *tensor,
                 int rank, const int *shape, struct pp_error *error);

/* Copies a tensor's values as floats (F32, F16, BF16 are converted; I32 is refused).
 * Fails unless its shape is shape[rank]. */
int pp_st_read(const struct pp_st_file *file, const char *name, int rank,
               const int *shape, float *data, struct pp_error *error);

/* Something that is said of the tensors. */
struct pp_st_note {
    const char *key, *value;
};

/* Writing: declare every tensor (name, dtype, rank and shape; offset and bytes follow
 * from them), in order, then append their data in the same order, in pieces of any
 * size. notes, up to one without a key, go into the metadata; NULL: there are none.
 * Appears under its path only when finish succeeds (output.h).
 */
struct pp_st_writer;
struct pp_st_writer *pp_st_create(const char *path, const struct pp_st_tensor *tensors,
                                  int count, const struct pp_st_note *notes,
                                  struct pp_error *error);
int pp_st_append(struct pp_st_writer *writer, const void *data, size_t bytes,
                 struct pp_error *error);
/* Is all that was appended on disk? Only then another file may be removed for this one.
 * PP_ENVIRONMENT. */
int pp_st_sync(struct pp_st_writer *writer, struct pp_error *error);
/* Completes the file and frees the writer; error if the declared bytes were not all
 * appended, or the disk is full. */
int pp_st_finish(struct pp_st_writer *writer, struct pp_error *error);
/* Drops the file and frees the writer. NULL does nothing. */
void pp_st_abandon(struct pp_st_writer *writer);

#endif
