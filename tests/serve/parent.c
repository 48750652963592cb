/* The parent of `ppsim serve` with ranks that a test makes: whatever command stands
 * behind the options is started in the place of those that compute. The tokenizer is
 * "bytes", or the folder that TOKENIZER names.
 * usage: parent HOST PORT SLOTS QUEUE KEY-FILE|- COMMAND [ARGUMENT ...] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/serve.h"

int main(int argc, char **argv)
{
    struct pp_error error = {0};
    struct pp_tokenizer tokenizer;
    const char *source = getenv("TOKENIZER");
    int status = PP_DONE;
    if (argc < 7)
        return PP_BAD_INPUT;
    const struct pp_serve_config config = {
        .host = argv[1],
        .port = atoi(argv[2]),
        .slots = atoi(argv[3]),
        .queue = atoi(argv[4]),
        .key_file = strcmp(argv[5], "-") == 0 ? NULL : argv[5],
        .model = "made \"up\"",
        .tokenizer = &tokenizer,
        .command = argv + 6,
    };
    if (pp_tokenizer_init(&tokenizer, source ? source : "bytes", &error) == 0) {
        if (pp_serve(&config, &status, &error) != 0)
            status = (int)error.status;
        pp_tokenizer_release(&tokenizer);
    }
    if (error.lines > 0)
        fprintf(stderr, "ppsim: %s\n", error.text);
    return error.lines > 0 ? (int)error.status : status;
}
