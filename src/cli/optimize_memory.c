#include <math.h>

#include "base/scan.h"
#include "base/words.h"
#include "cli/optimize.h"
#include "simulate/cost_text.h"

static int read_limit(struct pp_memory_asked *memory, const char *text, double factor,
                      bool given, struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER("memory-limit", text, error);
    bool bytes;
    if (pp_scan_number(&scanner, &memory->limit) != 0 ||
        pp_scan_unit(&scanner, &pp_bytes, &memory->limit, &bytes) != 0 ||
        pp_scan_end(&scanner) != 0)
        return -1;
    if (memory->limit <= 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--memory-limit' %s: want a limit greater than 0", text);
    memory->of_model = bytes && !given;
    if (bytes && given && !memory->bytes)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--memory-limit' %s is in bytes: say with '--memory' what a "
                       "microbatch holds in bytes, as in f=1GB,w=500MB",
                       text);
    memory->bytes |= memory->of_model;
    if (!bytes)
        memory->limit *= factor;
    return 0;
}

int pp_memory_asked_init(struct pp_memory_asked *memory,
                         const struct pp_options *options, struct pp_error *error)
{
    double unit = 0;
    *memory = (struct pp_memory_asked){.rank = {.forward = 1, .weight = 1},
                                       .limit = INFINITY};
    if (options->memory &&
        pp_memory_text(options->memory, &memory->rank, &unit, error) != 0)
        return -1;
    memory->bytes = unit > 0;
    if (!options->memory_limit)
        return 0;
    return read_limit(memory, options->memory_limit, unit > 0 ? unit : 1,
                      options->memory != NULL, error);
}

const char *pp_amount_text(const struct pp_memory_asked *memory, double amount,
                           char text[PP_AMOUNT_TEXT])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    int unit = 0;
    while (memory->bytes && amount >= 1000 && unit < 4) {
        amount /= 1000;
        unit++;
    }
    if (memory->bytes)
        pp_assign(text, PP_AMOUNT_TEXT, "%.4g %s", amount, units[unit]);
    else
        pp_assign(text, PP_AMOUNT_TEXT, "%.4g", amount);
    return text;
}
