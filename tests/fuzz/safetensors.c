#include <stdbool.h>
#include <stdlib.h>

#include "fuzz.h"
#include "model/safetensors.h"

static void read_tensor(const struct pp_st_file *file,
                        const struct pp_st_tensor *tensor)
{
    struct pp_error error = {0};
    int shape[4] = {1, 1, 1, 1};
    bool same;
    if (tensor->bytes > 1 << 16)
        return;
    for (int d = 0; d < tensor->rank; d++)
        shape[d] = (int)tensor->shape[d];
    float *values = malloc(2 * tensor->bytes + sizeof *values);
    if (values)
        fuzz_check(pp_st_read(file, tensor->name, tensor->rank, shape, values, &error),
                   &error);
    fuzz_check(pp_st_same(file, tensor, file, &file->tensors[0], &same, &error),
               &error);
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pp_error error = {0};
    struct pp_st_file file;
    if (fuzz_check(pp_st_open(&file, fuzz_file(data, size), &error), &error) != 0)
        return 0;
    for (int i = 0; i < file.count; i++)
        read_tensor(&file, &file.tensors[i]);
    pp_st_close(&file);
    return 0;
}
