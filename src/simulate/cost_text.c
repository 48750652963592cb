#include "simulate/cost_text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

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

/* One number for all stages, or one per stage. */
static int stage_costs(struct pp_scanner *scanner, struct pp_costs *costs,
                       enum pp_kind kind)
{
    const char *list = scanner->at;
    int stages = costs->stages, count = 0;
    do {
        int64_t ns;
        if (duration(scanner, &ns) != 0)
            return -1;
        if (count < stages)
            costs->op[count][kind] = ns;
        count++;
    } while (another_stage(scanner));
    if (count != 1 && count != stages)
        return pp_scan_fail(
            scanner, list, "%d costs for %d stage%s: give one for all%s", count, stages,
            stages == 1 ? "" : "s", stages == 1 ? "" : ", or one per stage");
    for (int s = count; s < stages; s++)
        costs->op[s][kind] = costs->op[0][kind];
    return 0;
}

enum cost_key { F, B, I, W, COMM, JOINED };

static int cost_item(struct pp_scanner *scanner, enum cost_key key,
                     struct pp_costs *costs)
{
    switch (key) {
    case F:
        return stage_costs(scanner, costs, PP_F);
    case B:
        return stage_costs(scanner, costs, PP_B);
    case I:
        return stage_costs(scanner, costs, PP_I);
    case W:
        return stage_costs(scanner, costs, PP_W);
    case COMM:
        if (duration(scanner, &costs->near.latency) != 0)
            return -1;
        costs->far.latency = costs->near.latency;
        return 0;
    case JOINED:
        return duration(scanner, &costs->joined);
    }
    return -1;
}

/* B is the sum of its halves where it is not given, the halves half of B. */
static void complete(int64_t op[PP_KINDS], bool b, bool i, bool w)
{
    if (!b)
        op[PP_B] = op[PP_I] + op[PP_W];
    int64_t given_i = op[PP_I], given_w = op[PP_W];
    pp_costs_halve(op);
    if (i)
        op[PP_I] = given_i;
    if (w)
        op[PP_W] = given_w;
}

int pp_cost_text(const char *text, struct pp_costs *costs, struct pp_error *error)
{
    static const char *const keys[] = {"f", "b", "i", "w", "comm", "joined", NULL};
    struct pp_scanner scanner = PP_SCANNER("cost", text, error);
    int key, more;
    while ((more = pp_scan_key(&scanner, keys, &key, NULL)) > 0) {
        if (cost_item(&scanner, (enum cost_key)key, costs) != 0)
            return -1;
    }
    if (more < 0)
        return -1;
    bool f = scanner.given & 1u << F, b = scanner.given & 1u << B;
    bool i = scanner.given & 1u << I, w = scanner.given & 1u << W;
    if (!f)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--cost' lacks f, the time of a forward: give f=1,b=2");
    if (!b && !(i && w))
        return pp_fail(error, PP_BAD_INPUT,
                       "'--cost' lacks b, the time of a backward, or both its halves: "
                       "give b=2, or i=1,w=1");
    for (int s = 0; s < costs->stages; s++)
        complete(costs->op[s], b, i, w);
    return 0;
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
static int slow_rank(struct pp_scanner *scanner, struct pp_costs *costs)
{
    const char *at = scanner->at;
    long rank;
    double factor;
    if (pp_scan_whole(scanner, "rank", 0, costs->ranks - 1, &rank) != 0)
        return -1;
    if (!isnan(costs->slow[rank]))
        return pp_scan_fail(scanner, at, "rank %ld is given twice", rank);
    if (!pp_scan_sign(scanner, ":"))
        return pp_scan_fail(scanner, scanner->at, "want ':' and a factor, as in 3:1.5");
    if (pp_scan_positive(scanner, &pp_no_units, &factor) != 0)
        return -1;
    costs->slow[rank] = factor;
    return 0;
}

int pp_slow_text(const char *text, int ranks, struct pp_costs *costs,
                 struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER("slow", text, error);
    free(costs->slow);
    costs->slow = malloc((size_t)ranks * sizeof *costs->slow);
    costs->ranks = ranks;
    if (!costs->slow)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d ranks", ranks);
    for (int r = 0; r < ranks; r++)
        costs->slow[r] = NAN;
    do {
        if (slow_rank(&scanner, costs) != 0)
            return -1;
    } while (pp_scan_sign(&scanner, ","));
    for (int r = 0; r < ranks; r++) {
        if (isnan(costs->slow[r]))
            costs->slow[r] = 1;
    }
    return pp_scan_end(&scanner);
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
