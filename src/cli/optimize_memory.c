#include "base/scan.h"
#include "base/words.h"
#include "cli/optimize.h"

/* A number in bytes, with a unit, or plain. *factor: of its unit. */
static int amount(struct pp_scanner *scanner, double *value, double *factor,
                  bool *bytes)
{
    if (pp_scan_number(scanner, value) != 0)
        return -1;
    double number = *value;
    if (pp_scan_unit(scanner, &pp_bytes, value, bytes) != 0)
        return -1;
    *factor = number > 0 ? *value / number : 1;
    return 0;
}

enum memory_key { HELD, KEPT };

static int read_memory(struct pp_memory_asked *memory, const char *text, double *factor,
                       struct pp_error *error)
{
    static const char *const keys[] = {"f", "w", NULL};
    struct pp_scanner scanner = PP_SCANNER("memory", text, error);
    bool bytes[2] = {false, false};
    double factors[2];
    int key, more;
    while ((more = pp_scan_key(&scanner, keys, &key, NULL)) > 0) {
        double *value = key == HELD ? &memory->rank.forward : &memory->rank.weight;
        if (amount(&scanner, value, &factors[key], &bytes[key]) != 0)
            return -1;
    }
    if (more < 0)
        return -1;
    if (!(scanner.given & 1U << HELD))
        return pp_fail(
            error, PP_BAD_INPUT,
            "'--memory' lacks f, what a microbatch holds once F has run: give "
            "f=1,w=0.5");
    if (memory->rank.forward <= 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--memory' '%s': a microbatch holds something once F has run: "
                       "want f greater than 0",
                       text);
    if (!(scanner.given & 1U << KEPT)) {
        memory->rank.weight = memory->rank.forward;
        bytes[KEPT] = bytes[HELD];
    }
    if (bytes[HELD] != bytes[KEPT])
        return pp_fail(error, PP_BAD_INPUT,
                       "'--memory' '%s': f and w are both bytes with a unit, or both "
                       "plain numbers",
                       text);
    memory->bytes = bytes[HELD];
    *factor = factors[HELD];
    return 0;
}

static int read_limit(struct pp_memory_asked *memory, const char *text, double factor,
                      bool given, struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER("memory-limit", text, error);
    double own;
    bool bytes;
    if (amount(&scanner, &memory->limit, &own, &bytes) != 0 ||
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
    double factor = 1;
    *memory = (struct pp_memory_asked){.rank = {.forward = 1, .weight = 1}};
    if (!options->memory_limit)
        return pp_fail(error, PP_BAD_INPUT,
                       "'ppsim optimize' needs '--memory-limit', what a rank may hold "
                       "at once: as many microbatches as there are ranks is what 1f1b "
                       "holds");
    if (options->memory && read_memory(memory, options->memory, &factor, error) != 0)
        return -1;
    return read_limit(memory, options->memory_limit, factor, options->memory != NULL,
                      error);
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
