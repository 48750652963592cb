#include <stdlib.h>

#include "cli/lists.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pp_error error = {0};
    struct pp_list numbers = {0}, names = {0}, texts = {0};
    char *text = fuzz_text(data, size);
    if (!text)
        return 0;
    fuzz_check(pp_list_numbers(&numbers, "ranks", text, 1, 4096, &error), &error);
    fuzz_check(pp_list_names(&names, "schedule", text, &error), &error);
    fuzz_check(pp_list_texts(&texts, "link", text, &error), &error);
    pp_list_release(&numbers);
    pp_list_release(&names);
    pp_list_release(&texts);
    free(text);
    return 0;
}
