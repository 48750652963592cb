#include "model/safetensors.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/output.h"

static const struct {
    const char *name;
    uint64_t bytes;
} dtypes[] = {
    [PP_F32] = {"F32", 4},
    [PP_I32] = {"I32", 4},
    [PP_F16] = {"F16", 2},
    [PP_BF16] = {"BF16", 2},
};

struct pp_st_writer {
    struct pp_output output;
    uint64_t declared, appended; /* bytes of data */
};

/* The header's JSON text, to be freed; sets *data_size. NULL when out of memory. */
static char *header_text(const struct pp_st_tensor *tensors, int count,
                         const struct pp_st_note *notes, uint64_t *data_size)
{
    /* transformers refuses a file that does not name the framework of its layouts. */
    json_t *metadata = json_pack("{s:s}", "format", "pt");
    for (; notes && notes->key; notes++)
        pp_json_set(&metadata, notes->key, json_string(notes->value));
    json_t *header = json_pack("{s:o}", "__metadata__", metadata);
    uint64_t begin = 0;
    int failed = header == NULL;
    for (int i = 0; i < count; i++) {
        const struct pp_st_tensor *tensor = &tensors[i];
        assert(json_object_get(header, tensor->name) == NULL);
        json_t *shape = json_array();
        uint64_t end = dtypes[tensor->dtype].bytes;
        for (int d = 0; d < tensor->rank; d++) {
            failed |= json_array_append_new(shape, json_integer(tensor->shape[d]));
            end *= (uint64_t)tensor->shape[d];
        }
        end += begin;
        failed |= json_object_set_new(header, tensor->name,
                                      json_pack("{s:s, s:o, s:[I, I]}", "dtype",
                                                dtypes[tensor->dtype].name, "shape",
                                                shape, "data_offsets",
                                                (json_int_t)begin, (json_int_t)end));
        begin = end;
    }
    *data_size = begin;
    char *text = failed ? NULL : pp_json_dump(header, JSON_COMPACT);
    json_decref(header);
    return text;
}

struct pp_st_writer *pp_st_create(const char *path, const struct pp_st_tensor *tensors,
                                  int count, const struct pp_st_note *notes,
                                  struct pp_error *error)
{
    struct pp_st_writer *writer = calloc(1, sizeof *writer);
    uint64_t data_size;
    char *text = header_text(tensors, count, notes, &data_size);
    if (writer == NULL || text == NULL) {
        pp_fail(error, PP_ENVIRONMENT, "'%s': out of memory", path);
        goto error;
    }
    if (pp_output_open(&writer->output, path, error) != 0)
        goto error;
    /* Padded with spaces, so that the data start aligned to 8 bytes. What cannot be
     * written stays noted in the stream until finish. */
    size_t length = strlen(text);
    uint64_t padded = (length + 7) / 8 * 8;
    fwrite(&padded, sizeof padded, 1, writer->output.stream);
    fprintf(writer->output.stream, "%-*s", (int)padded, text);
    writer->declared = data_size;
    free(text);
    return writer;

error:
    free(text);
    free(writer);
    return NULL;
}

int pp_st_append(struct pp_st_writer *writer, const void *data, size_t bytes,
                 struct pp_error *error)
{
    writer->appended += bytes;
    if (fwrite(data, 1, bytes, writer->output.stream) != bytes)
        return pp_fail(error, PP_ENVIRONMENT, "cannot write '%s': %s",
                       writer->output.path, strerror(errno));
    return 0;
}

int pp_st_sync(struct pp_st_writer *writer, struct pp_error *error)
{
    return pp_output_sync(&writer->output, error);
}

int pp_st_finish(struct pp_st_writer *writer, struct pp_error *error)
{
    int result;
    if (writer->appended != writer->declared)
        result = pp_fail(error, PP_ENVIRONMENT,
                         "'%s': %" PRIu64 " bytes of data were written, but its header "
                         "declares %" PRIu64,
                         writer->output.path, writer->appended, writer->declared);
    else
        result = pp_output_commit(&writer->output, error);
    pp_st_abandon(writer);
    return result;
}

void pp_st_abandon(struct pp_st_writer *writer)
{
    if (writer != NULL)
        pp_output_abandon(&writer->output);
    free(writer);
}
