#include "simulate/cost_text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/scan.h"

static int duration(struct pp_scanner *scanner, int64_t *ns)
{
    double value;
    if (pp_scan_quantity(scanner, &pp_milliseconds, &value) != 0)
        return -1;
    *ns = pp_nanoseconds(value);
    return 0;
}

/* Costs of stages stand between colons or commas. No key begins like a number: a comma
 * before anything else begins the next item. */
static bool another_stage(struct pp_scanner *scanner)
{
    const char *next = scanner->at;
    bool follows =
        *next == ':' ||
        (*next == ',' && (isdigit((unsigned char)next[1]) || next[1] == '.'));
    scanner->at += follows;
    return follows;
}

enum cost_key { F, B, I, W, PREFILL, DECODE, COMM, JOINED, REDUCE, COST_KEYS };
static const char *const cost_keys[COST_KEYS + 1] = {
    "f", "b", "i", "w", "prefill", "decode", "comm", "joined", "reduce", NULL};

/* Those that are costs of stages: of a kind of op, or in decoding of a class. */
enum { STAGE_KEYS = DECODE + 1 };

/* What was read: numbers as they stand. */
struct cost_text {
    struct pp_costs *costs;
    const struct pp_schedule *schedule;
    int64_t (*op)[STAGE_KEYS];                  /* [stages] */
    bool given[STAGE_KEYS], listed[STAGE_KEYS]; /* listed: one number per stage */
    int64_t hop, joined, reduce;                /* -1: not given */
    double factor;                              /* of joined pairs */
};

/* One number for all stages, or one per stage. */
static int stage_costs(struct pp_scanner *scanner, struct cost_text *read,
                       enum cost_key key)
{
    const char *list = scanner->at;
    int stages = read->costs->stages, count = 0;
    do {
        int64_t ns;
        if (duration(scanner, &ns) != 0)
            return -1;
        if (count < stages)
            read->op[count][key] = ns;
        count++;
    } while (another_stage(scanner));
    if (count != 1 && count != stages)
        return pp_scan_fail(
            scanner, list, "%d costs for %d stage%s: give one for all%s", count, stages,
            stages == 1 ? "" : "s", stages == 1 ? "" : ", or one per stage");
    for (int s = count; s < stages; s++)
        read->op[s][key] = read->op[0][key];
    read->given[key] = true;
    read->listed[key] = count > 1;
    return 0;
}

/* A time, or "0.8x": a factor of what both take one after the other. */
static int joined_cost(struct pp_scanner *scanner, struct cost_text *read)
{
    const char *at = scanner->at;
    double value;
    if (pp_scan_number(scanner, &value) != 0)
        return -1;
    pp_scan_blanks(scanner);
    if (pp_scan_sign(scanner, "x")) {
        read->factor = value;
        pp_scan_blanks(scanner);
        return value > 0 ? 0
                         : pp_scan_fail(scanner, at, "want a factor greater than 0");
    }
    if (pp_scan_unit(scanner, &pp_milliseconds, &value, NULL) != 0)
        return -1;
    read->joined = pp_nanoseconds(value);
    return 0;
}

static int cost_item(struct pp_scanner *scanner, enum cost_key key,
                     struct cost_text *read)
{
    bool decodes = pp_decodes(read->schedule);
    bool of_training = key != F && key != PREFILL && key != DECODE && key != COMM;
    if (decodes && of_training)
        return pp_scan_fail(scanner, scanner->at,
                            "%s is training's: a schedule that decodes has f, prefill, "
                            "decode and comm",
                            cost_keys[key]);
    if (!decodes && (key == PREFILL || key == DECODE))
        return pp_scan_fail(scanner, scanner->at,
                            "%s is a cost of schedules that decode: give f and b",
                            cost_keys[key]);
    switch (key) {
    case F:
    case B:
    case I:
    case W:
    case PREFILL:
    case DECODE:
        return stage_costs(scanner, read, key);
    case COMM:
        return duration(scanner, &read->hop);
    case JOINED:
        return joined_cost(scanner, read);
    case REDUCE:
        return duration(scanner, &read->reduce);
    case COST_KEYS:
        break;
    }
    return -1;
}

/* What one stage takes, of which a rank's number is the share; listed numbers are
 * multiplied by scale alone. B is the sum of its halves where it is not given, the
 * halves half of B. */
static void share_out(const struct cost_text *read, const int64_t *read_ns,
                      int64_t op[PP_KINDS], double scale, double share)
{
    const bool *given = read->given;
    double factor[PP_KINDS], whole[PP_KINDS];
    int64_t halves[PP_KINDS] = {[PP_B] = read_ns[PP_B]};
    pp_costs_halve(halves);
    for (int kind = 0; kind < PP_KINDS; kind++) {
        int from = given[kind] ? kind : PP_B;
        factor[kind] = read->listed[from] ? scale : share;
        whole[kind] = (double)(given[kind] ? read_ns[kind] : halves[kind]);
    }
    for (int kind = 0; kind < PP_KINDS; kind++)
        op[kind] = pp_nanoseconds(factor[kind] * whole[kind]);
    if (!given[PP_B] && read->listed[PP_I] == read->listed[PP_W])
        op[PP_B] = pp_nanoseconds(factor[PP_I] * (whole[PP_I] + whole[PP_W]));
    else if (!given[PP_B])
        op[PP_B] = op[PP_I] + op[PP_W];
}

/* What a class of microbatches takes on the stage: its own numbers, or f, or those of
 * the other class. */
static int64_t class_cost(const struct cost_text *read, const struct pp_class *of_class,
                          int stage, double scale, double share)
{
    bool prefill = strcmp(of_class->label, pp_prefill) == 0;
    enum cost_key own = prefill ? PREFILL : DECODE, other = prefill ? DECODE : PREFILL;
    enum cost_key key = read->given[own] ? own : read->given[F] ? F : other;
    return pp_nanoseconds((read->listed[key] ? scale : share) *
                          (double)read->op[stage][key]);
}

static void share_out_classes(const struct cost_text *read, int stage, double scale,
                              double share)
{
    for (int c = 0; c < read->schedule->class_count; c++)
        pp_costs_of(read->costs, c, stage)[PP_F] =
            class_cost(read, &read->schedule->classes[c], stage, scale, share);
}

/* From what was read to the costs of each stage. */
static int finish_costs(const struct cost_text *read, double scale,
                        struct pp_error *error)
{
    const struct pp_schedule *schedule = read->schedule;
    struct pp_costs *costs = read->costs;
    int *met = pp_schedule_stages_met(schedule);
    int status = 0;
    if (!met)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d ranks",
                       schedule->ranks);
    if (read->joined >= 0)
        status = pp_costs_join(costs, 0, error);
    costs->joined_factor = read->factor;
    if (read->reduce >= 0)
        costs->reduce = calloc((size_t)costs->stages, sizeof *costs->reduce);
    if (read->reduce >= 0 && !costs->reduce)
        status = pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages",
                         costs->stages);
    for (int s = 0; s < costs->stages && status == 0; s++) {
        double share = scale / met[schedule->rank_of[s]]; /* in the first copy */
        if (pp_decodes(schedule))
            share_out_classes(read, s, scale, share);
        else
            share_out(read, read->op[s], costs->op[s], scale, share);
        if (costs->joined)
            costs->joined[s] = pp_nanoseconds(share * (double)read->joined);
        if (costs->reduce)
            costs->reduce[s] = pp_nanoseconds(share * (double)read->reduce);
    }
    if (read->hop >= 0) {
        costs->near.latency = pp_nanoseconds(scale * (double)read->hop);
        costs->far.latency = costs->near.latency;
    }
    free(met);
    return status;
}

/* Is there enough to know what every op takes? */
static int check_given(const struct cost_text *read, struct pp_error *error)
{
    const bool *given = read->given;
    if (pp_decodes(read->schedule) && !given[F] && !given[PREFILL] && !given[DECODE])
        return pp_fail(error, PP_BAD_INPUT,
                       "'--cost' lacks decode, the time of a token: give decode=1, and "
                       "prefill=4 for a chunk of a prompt");
    if (pp_decodes(read->schedule))
        return 0;
    if (!given[F])
        return pp_fail(error, PP_BAD_INPUT,
                       "'--cost' lacks f, the time of a forward: give f=1,b=2");
    if (!given[B] && !(given[I] && given[W]))
        return pp_fail(error, PP_BAD_INPUT,
                       "'--cost' lacks b, the time of a backward, or both its halves: "
                       "give b=2, or i=1,w=1");
    return 0;
}

static int read_costs(const char *text, struct cost_text *read, struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER("cost", text, error);
    int key, more;
    while ((more = pp_scan_key(&scanner, cost_keys, &key, NULL)) > 0) {
        if (cost_item(&scanner, (enum cost_key)key, read) != 0)
            return -1;
    }
    return more < 0 ? -1 : check_given(read, error);
}

int pp_cost_text(const char *text, const struct pp_schedule *schedule, double scale,
                 struct pp_costs *costs, struct pp_error *error)
{
    struct cost_text read = {.costs = costs,
                             .schedule = schedule,
                             .op = calloc((size_t)costs->stages, sizeof *read.op),
                             .hop = -1,
                             .joined = -1,
                             .reduce = -1,
                             .factor = 1};
    int status = read.op ? pp_costs_classify(costs, schedule, error)
                         : pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages",
                                   costs->stages);
    if (status == 0)
        status = read_costs(text, &read, error);
    if (status == 0)
        status = finish_costs(&read, scale, error);
    free(read.op);
    return status;
}

enum link_key { LATENCY, BANDWIDTH, SEND, RECEIVE, SERIALISE };

static int link_item(struct pp_scanner *scanner, enum link_key key, bool valued,
                     struct pp_hop *hop)
{
    switch (key) {
    case LATENCY:
        return duration(scanner, &hop->latency);
    case BANDWIDTH:
        return pp_scan_positive(scanner, &pp_bandwidths, &hop->bandwidth);
    case SEND:
        return duration(scanner, &hop->sender);
    case RECEIVE:
        return duration(scanner, &hop->receiver);
    case SERIALISE:
        hop->serialise = true;
        return valued ? pp_scan_fail(scanner, scanner->at, "this key takes no value")
                      : 0;
    }
    return -1;
}

int pp_link_text(const char *option, const char *text, struct pp_hop *hop,
                 struct pp_error *error)
{
    static const char *const keys[] = {"latency", "bandwidth", "send",
                                       "receive", "serialise", NULL};
    struct pp_scanner scanner = PP_SCANNER(option, text, error);
    bool valued;
    int key, more;
    while ((more = pp_scan_key(&scanner, keys, &key, &valued)) > 0) {
        if (link_item(&scanner, (enum link_key)key, valued, hop) != 0)
            return -1;
    }
    return more;
}

/* One RANK:FACTOR. A factor that was not given yet is NaN. */
static int slow_rank(struct pp_scanner *scanner, double *slow, int ranks)
{
    const char *at = scanner->at;
    long rank;
    double factor;
    if (pp_scan_whole(scanner, "rank", 0, ranks - 1, &rank) != 0)
        return -1;
    if (!isnan(slow[rank]))
        return pp_scan_fail(scanner, at, "rank %ld is given twice", rank);
    if (!pp_scan_sign(scanner, ":"))
        return pp_scan_fail(scanner, scanner->at, "want ':' and a factor, as in 3:1.5");
    if (pp_scan_positive(scanner, &pp_no_units, &factor) != 0)
        return -1;
    slow[rank] = factor;
    return 0;
}

int pp_slow_text(const char *text, int ranks, double **slow, struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER("slow", text, error);
    *slow = malloc((size_t)ranks * sizeof **slow);
    if (!*slow)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d ranks", ranks);
    for (int r = 0; r < ranks; r++)
        (*slow)[r] = NAN;
    do {
        if (slow_rank(&scanner, *slow, ranks) != 0)
            return -1;
    } while (pp_scan_sign(&scanner, ","));
    for (int r = 0; r < ranks; r++) {
        if (isnan((*slow)[r]))
            (*slow)[r] = 1;
    }
    return pp_scan_end(&scanner);
}

enum memory_key { HELD, KEPT };

int pp_memory_text(const char *text, struct pp_hold *hold, double *unit,
                   struct pp_error *error)
{
    static const char *const keys[] = {"f", "w", NULL};
    struct pp_scanner scanner = PP_SCANNER("memory", text, error);
    double values[] = {0, 0};
    bool bytes[] = {false, false};
    int key, more;
    *unit = 1;
    while ((more = pp_scan_key(&scanner, keys, &key, NULL)) > 0) {
        double number;
        if (pp_scan_number(&scanner, &number) != 0)
            return -1;
        values[key] = number;
        if (pp_scan_unit(&scanner, &pp_bytes, &values[key], &bytes[key]) != 0)
            return -1;
        if (key == HELD && number > 0)
            *unit = values[key] / number;
    }
    if (more < 0)
        return -1;
    if (!(scanner.given & 1U << HELD))
        return pp_fail(
            error, PP_BAD_INPUT,
            "'--memory' lacks f, what a microbatch holds once F has run: give "
            "f=1,w=0.5");
    if (values[HELD] <= 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--memory' '%s': a microbatch holds something once F has run: "
                       "want f greater than 0",
                       text);
    bool both = scanner.given & 1U << KEPT;
    if (both && bytes[HELD] != bytes[KEPT])
        return pp_fail(error, PP_BAD_INPUT,
                       "'--memory' '%s': f and w are both bytes with a unit, or both "
                       "plain numbers",
                       text);
    *hold = (struct pp_hold){.forward = values[HELD],
                             .weight = both ? values[KEPT] : values[HELD]};
    if (!bytes[HELD])
        *unit = 0;
    return 0;
}

int pp_jitter_text(const char *text, struct pp_costs *costs, struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER("jitter", text, error);
    const double most = 2;
    if (!pp_scan_sign(&scanner, "lognormal:"))
        return pp_scan_fail(&scanner, text,
                            "want lognormal:SIGMA, as in lognormal:0.05");
    const char *sigma = scanner.at;
    if (pp_scan_quantity(&scanner, &pp_no_units, &costs->jitter) != 0)
        return -1;
    if (costs->jitter > most)
        return pp_scan_fail(&scanner, sigma, "want a sigma from 0 to %g", most);
    return pp_scan_end(&scanner);
}
