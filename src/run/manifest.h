/* checkpoint.json, which stands in the folder of each checkpoint beside its shards
 * (shard.h), schema ppsim.checkpoint/1:
 *
 *     {"schema": "ppsim.checkpoint/1", "step": 600,
 *      "options": {"layers": 8, …},   what decides the numbers, keys as in a report
 *      "data": {"bytes": …, "digest": "…"},   of --data's file; null: generated
 *      "eval_data": …,                of --eval-data's, likewise
 *      "machine": {"blas": "…", "cpu": "…"},   of rank 0, where it was written
 *      "load": "gpt2.safetensors",    what training began from; null: from the seed
 *      "losses": […],                 of steps 1 to 600
 *      "evaluations": [{"step": 100, "loss": …}, …],   held-out losses
 *      "files": [{"name": "rank-00000.safetensors", "bytes": …, "digest": "…"}, …],
 *      "digest": "…"}                 of all before it: its compact JSON, keys sorted
 */
#ifndef PP_RUN_MANIFEST_H
#define PP_RUN_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "model/losses.h"

/* A file by its content. */
struct pp_mark {
    uint64_t bytes, digest;
};

enum { PP_SHARD_NAME = 32 };
struct pp_shard_file {
    char name[PP_SHARD_NAME];
    struct pp_mark mark;
};

/* What bits depend on beside the options; "" where it is not known. */
struct pp_machine {
    char blas[128]; /* library, version, kernels */
    char cpu[128];  /* its model */
};

struct pp_manifest {
    int step;
    json_t *options; /* an object */
    bool has_data, has_eval_data;
    struct pp_mark data, eval_data;
    char *load;
    struct pp_machine machine;         /* that of rank 0 */
    double *losses;                    /* [step] */
    struct pp_evaluation *evaluations; /* [evaluation_count], steps ascending */
    int evaluation_count;
    struct pp_shard_file *files; /* [file_count] */
    int file_count;
};

/* Writes it; borrows all that it holds. PP_ENVIRONMENT. */
int pp_manifest_write(const struct pp_manifest *manifest, const char *folder,
                      struct pp_error *error);

/* Reads and checks it; PP_BAD_INPUT says what is wrong with which file. To be released
 * either way. */
int pp_manifest_read(struct pp_manifest *manifest, const char *folder,
                     struct pp_error *error);
void pp_manifest_release(struct pp_manifest *manifest);

/* Are all its files there, and as they were written? */
int pp_manifest_check_files(const struct pp_manifest *manifest, const char *folder,
                            struct pp_error *error);

/* How large a file is, and its digest. */
int pp_mark_file(struct pp_mark *mark, const char *path, struct pp_error *error);

#endif
