/* A model's folder: config.json up to a zero byte, model.safetensors.index.json up to
 * the next, and the parameters: those of the file 'one' where there is an index, else
 * model.safetensors. An empty part is no file. */
#include <stdlib.h>

#include "fuzz.h"
#include "model/weights.h"

static void read_all(const struct pp_weights *weights)
{
    enum { MOST = 1 << 14 };
    struct pp_error error = {0};
    for (int i = 0; i < pp_model_tensor_count(&weights->config); i++) {
        size_t count = pp_model_tensor(&weights->config, i).count;
        float *values = count <= MOST ? malloc(count * sizeof *values) : NULL;
        if (values)
            fuzz_check(pp_weights_read(weights, i, values, &error), &error);
        free(values);
    }
}

/* heads: the option's, 0: not given. */
static void open_folder(const char *folder, int heads)
{
    struct pp_error error = {0};
    struct pp_weights weights;
    if (fuzz_check(pp_weights_open(&weights, folder, heads, &error), &error) == 0)
        read_all(&weights);
    pp_weights_close(&weights);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *folder = fuzz_folder();
    struct fuzz_part rest = {(const char *)data, size};
    struct fuzz_part config = fuzz_take(&rest, '\0'), index = fuzz_take(&rest, '\0');
    if (config.size > 0)
        fuzz_write(folder, "config.json", config);
    if (index.size > 0)
        fuzz_write(folder, "model.safetensors.index.json", index);
    if (rest.size > 0)
        fuzz_write(folder, index.size > 0 ? "one" : "model.safetensors", rest);
    open_folder(folder, 0);
    open_folder(folder, 2);
    return 0;
}
