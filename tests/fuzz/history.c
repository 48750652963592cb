#include <stdlib.h>

#include "fuzz.h"
#include "report/history.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pp_error error = {0};
    struct pp_history history;
    double figures[PP_MOST_FIGURES];
    const char *path = fuzz_file(data, size);
    if (fuzz_check(pp_history_check(path, &error), &error) != 0 || !pp_history_is(path))
        return 0;
    if (fuzz_check(pp_history_read(&history, path, &error), &error) == 0 &&
        history.count > 0)
        pp_history_medians(&history, history.rows[0].configuration, NULL, 5, figures);
    pp_history_release(&history);
    return 0;
}
