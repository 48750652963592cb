#include <stdlib.h>

#include "fuzz.h"
#include "simulate/cost_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pp_error error = {0};
    struct pp_hop hop = {0};
    char *text = fuzz_text(data, size);
    if (text)
        fuzz_check(pp_link_text("link", text, &hop, &error), &error);
    free(text);
    return 0;
}
