#include <stdlib.h>

#include "fuzz.h"
#include "report/gate/check.h"
#include "report/gate/tolerance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { RANKS = 4 };
    struct pp_error error = {0};
    struct pp_check check;
    struct pp_verdict verdict;
    struct pp_tolerances tolerances;
    char *text = fuzz_text(data, size);
    if (!text)
        return 0;
    if (fuzz_check(pp_check_parse(&check, "check", text, RANKS, &error), &error) == 0)
        pp_check_verdict(&check, 0.5, (struct pp_range){0.25, 0.75}, 3, &verdict);
    fuzz_check(pp_tolerances_parse(&tolerances, text, RANKS, true, &error), &error);
    free(text);
    return 0;
}
