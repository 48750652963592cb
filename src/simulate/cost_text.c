#include "simulate/cost_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/units.h"

/* A text of items "key=value" or "key" with commas between, read one by one. */
struct items {
    const char *option, *text;
    const char *const *keys; /* the valid ones; NULL ends them */
    unsigned given;          /* a bit per key that was read */
    const char *next;        /* NULL at the end */

    /* The item that was read last. */
    int key; /* index into keys */
    const char *value;
    size_t length; /* of value */
    bool valued;   /* there is a '=' */
};

static struct items items_of(const char *option, const char *text,
                             const char *const *keys)
{
    return (struct items){.option = option, .text = text, .keys = keys, .next = text};
}

static int column(const struct items *items, const char *at)
{
    return (int)(at - items->text) + 1;
}

/* "'--cost', column 5, key 'b': '-2' is negative" */
static int refuse(const struct items *items, const char *text, size_t length,
                  const char *problem, struct pp_error *error)
{
    int shown = length > 40 ? 40 : (int)length;
    const char *key = items->keys[items->key];
    if (length == 0)
        return pp_fail(error, PP_BAD_INPUT, "'%s', column %d, key '%s': its value %s",
                       items->option, column(items, text), key, problem);
    return pp_fail(error, PP_BAD_INPUT, "'%s', column %d, key '%s': '%.*s' %s",
                   items->option, column(items, text), key, shown, text, problem);
}

/* Up to the comma before the next key: "f=1,2,b=3" is two items, since no key begins
 * like a number. */
static size_t item_length(const char *start)
{
    size_t length = strcspn(start, ",");
    while (start[length] == ',' && strspn(start + length + 1, "0123456789.") > 0)
        length += 1 + strcspn(start + length + 1, ",");
    return length;
}

/* Reads the next item. Returns 1, 0 at the end, -1 if it is wrong. */
static int next_item(struct items *items, struct pp_error *error)
{
    const char *start = items->next;
    if (!start)
        return 0;
    size_t length = item_length(start), key_length = strcspn(start, ",=");
    items->next = start[length] == ',' ? start + length + 1 : NULL;
    for (items->key = 0; items->keys[items->key]; items->key++) {
        const char *key = items->keys[items->key];
        if (strlen(key) == key_length && strncmp(key, start, key_length) == 0)
            break;
    }
    if (!items->keys[items->key]) {
        char list[256];
        pp_names_list(items->keys, list, sizeof list);
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s', column %d: no key named '%.*s': there are %s",
                       items->option, column(items, start),
                       key_length > 40 ? 40 : (int)key_length, start, list);
    }
    if (items->given & 1u << items->key)
        return pp_fail(error, PP_BAD_INPUT, "'%s', column %d, key '%s' is given twice",
                       items->option, column(items, start), items->keys[items->key]);
    items->given |= 1u << items->key;
    items->valued = key_length < length;
    items->value = start + key_length + items->valued;
    items->length = length - key_length - items->valued;
    return 1;
}

static int quantity(const struct items *items, const struct pp_unit *units,
                    double *value, struct pp_error *error)
{
    const char *problem = pp_parse_quantity(items->value, items->length, units, value);
    return problem ? refuse(items, items->value, items->length, problem, error) : 0;
}

static int duration(const struct items *items, int64_t *ns, struct pp_error *error)
{
    double value;
    if (quantity(items, pp_durations, &value, error) != 0)
        return -1;
    *ns = pp_nanoseconds(value);
    return 0;
}

/* A rate by which something is divided. */
static int rate(const struct items *items, const struct pp_unit *units, double *value,
                struct pp_error *error)
{
    if (quantity(items, units, value, error) != 0)
        return -1;
    return *value > 0 ? 0
                      : refuse(items, items->value, items->length,
                               "must be greater than 0", error);
}

/* One number for all stages, or one per stage with commas or colons between. */
static int cost_list(const struct items *items, struct pp_costs *costs,
                     enum pp_kind kind, struct pp_error *error)
{
    const char *at = items->value, *end = items->value + items->length;
    int count = 1;
    for (const char *c = at; c < end; c++)
        count += *c == ':' || *c == ',';
    if (count != 1 && count != costs->stages)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s', column %d, key '%s': %d costs for %d stage%s: give one "
                       "for all%s",
                       items->option, column(items, at), items->keys[items->key], count,
                       costs->stages, costs->stages == 1 ? "" : "s",
                       costs->stages == 1 ? "" : ", or one per stage");
    for (int s = 0; s < costs->stages; s++) {
        size_t length = strcspn(at, ":,"), rest = (size_t)(end - at);
        length = length < rest ? length : rest;
        double value;
        const char *problem = pp_parse_quantity(at, length, pp_durations, &value);
        if (problem)
            return refuse(items, at, length, problem, error);
        costs->op[s][kind] = pp_nanoseconds(value);
        if (count > 1)
            at += length + 1;
    }
    return 0;
}

int pp_cost_text(const char *text, struct pp_costs *costs, struct pp_error *error)
{
    static const char *const keys[] = {"f", "b", "i", "w", "comm", "joined", NULL};
    enum { F, B, I, W, COMM, JOINED };
    struct items items = items_of("--cost", text, keys);
    int more, result = 0;
    while (result == 0 && (more = next_item(&items, error)) != 0) {
        if (more < 0)
            return -1;
        switch (items.key) {
        case F:
            result = cost_list(&items, costs, PP_F, error);
            break;
        case B:
            result = cost_list(&items, costs, PP_B, error);
            break;
        case I:
            result = cost_list(&items, costs, PP_I, error);
            break;
        case W:
            result = cost_list(&items, costs, PP_W, error);
            break;
        case COMM:
            result = duration(&items, &costs->near.latency, error);
            costs->far.latency = costs->near.latency;
            break;
        case JOINED:
            result = duration(&items, &costs->joined, error);
            break;
        }
    }
    if (result != 0)
        return -1;
    const unsigned f = 1u << F, b = 1u << B, i = 1u << I, w = 1u << W;
    if (!(items.given & f))
        return pp_fail(error, PP_BAD_INPUT,
                       "'--cost' lacks f, the time of a forward: give f=1,b=2");
    if (!(items.given & b) && (items.given & (i | w)) != (i | w))
        return pp_fail(error, PP_BAD_INPUT,
                       "'--cost' lacks b, the time of a backward, or both its halves: "
                       "give b=2, or i=1,w=1");
    for (int s = 0; s < costs->stages; s++) {
        int64_t *op = costs->op[s];
        if (!(items.given & b))
            op[PP_B] = op[PP_I] + op[PP_W];
        int64_t given_i = op[PP_I], given_w = op[PP_W];
        pp_costs_halve(op);
        if (items.given & i)
            op[PP_I] = given_i;
        if (items.given & w)
            op[PP_W] = given_w;
    }
    return 0;
}

int pp_link_text(const char *option, const char *text, struct pp_hop *hop,
                 struct pp_error *error)
{
    static const char *const keys[] = {"latency", "bandwidth", "send",
                                       "receive", "serialise", NULL};
    enum { LATENCY, BANDWIDTH, SEND, RECEIVE, SERIALISE };
    struct items items = items_of(option, text, keys);
    int more, result = 0;
    while (result == 0 && (more = next_item(&items, error)) != 0) {
        if (more < 0)
            return -1;
        switch (items.key) {
        case LATENCY:
            result = duration(&items, &hop->latency, error);
            break;
        case BANDWIDTH:
            result = rate(&items, pp_bandwidths, &hop->bandwidth, error);
            break;
        case SEND:
            result = duration(&items, &hop->sender, error);
            break;
        case RECEIVE:
            result = duration(&items, &hop->receiver, error);
            break;
        case SERIALISE:
            hop->serialise = true;
            if (items.valued)
                result = refuse(&items, items.value, items.length,
                                "must be left out: this key stands alone", error);
            break;
        }
    }
    return result;
}

/* Reads one RANK:FACTOR of the text, the length characters at at. */
static int slow_rank(const char *text, const char *at, size_t length,
                     struct pp_costs *costs, struct pp_error *error)
{
    size_t digits = strspn(at, "0123456789");
    int column = (int)(at - text) + 1, shown = length > 40 ? 40 : (int)length;
    double factor;
    if (digits == 0 || at[digits] != ':')
        return pp_fail(error, PP_BAD_INPUT,
                       "'--slow', column %d: '%.*s' is not RANK:FACTOR, as in 3:1.5",
                       column, shown, at);
    long rank = strtol(at, NULL, 10); /* LONG_MAX where it overflows */
    if (rank >= costs->ranks)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--slow', column %d: no rank %.*s: they are 0 to %d", column,
                       digits > 40 ? 40 : (int)digits, at, costs->ranks - 1);
    if (!isnan(costs->slow[rank]))
        return pp_fail(error, PP_BAD_INPUT,
                       "'--slow', column %d: rank %ld is given twice", column, rank);
    const char *problem =
        pp_parse_quantity(at + digits + 1, length - digits - 1, pp_no_units, &factor);
    if (!problem && factor == 0)
        problem = "must be greater than 0";
    if (problem)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--slow', column %d: the factor of '%.*s' %s", column, shown,
                       at, problem);
    costs->slow[rank] = factor;
    return 0;
}

int pp_slow_text(const char *text, int ranks, struct pp_costs *costs,
                 struct pp_error *error)
{
    free(costs->slow);
    costs->slow = malloc((size_t)ranks * sizeof *costs->slow);
    costs->ranks = ranks;
    if (!costs->slow)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d ranks", ranks);
    for (int r = 0; r < ranks; r++)
        costs->slow[r] = NAN; /* not given */
    for (const char *at = text;;) {
        size_t length = strcspn(at, ",");
        if (slow_rank(text, at, length, costs, error) != 0)
            return -1;
        if (at[length] == '\0')
            break;
        at += length + 1;
    }
    for (int r = 0; r < ranks; r++) {
        if (isnan(costs->slow[r]))
            costs->slow[r] = 1;
    }
    return 0;
}

int pp_jitter_text(const char *text, struct pp_costs *costs, struct pp_error *error)
{
    static const char kind[] = "lognormal:";
    const size_t length = sizeof kind - 1;
    if (strncmp(text, kind, length) != 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--jitter' '%.40s': give lognormal:SIGMA, as in lognormal:0.05",
                       text);
    const char *problem = pp_parse_quantity(text + length, strlen(text + length),
                                            pp_no_units, &costs->jitter);
    if (!problem && costs->jitter > 2)
        problem = "is more than 2";
    if (problem)
        return pp_fail(error, PP_BAD_INPUT, "'--jitter' '%.40s': sigma %s", text,
                       problem);
    return 0;
}

int pp_device_text(const char *text, struct pp_device *device, struct pp_error *error)
{
    static const char *const keys[] = {"flops", "bandwidth", NULL};
    enum { FLOPS, BANDWIDTH };
    struct items items = items_of("--device", text, keys);
    int more, result = 0;
    *device = (struct pp_device){.bandwidth = INFINITY};
    while (result == 0 && (more = next_item(&items, error)) != 0) {
        if (more < 0)
            return -1;
        if (items.key == FLOPS)
            result = rate(&items, pp_flop_rates, &device->flops, error);
        else
            result = rate(&items, pp_bandwidths, &device->bandwidth, error);
    }
    if (result == 0 && !(items.given & 1u << FLOPS))
        return pp_fail(error, PP_BAD_INPUT,
                       "'--device' lacks flops: give flops=100TFLOPS,bandwidth=1TB/s");
    return result;
}

static int64_t roofline(const struct pp_device *device, double flops, double bytes)
{
    double seconds = fmax(flops / device->flops, bytes / device->bandwidth);
    return pp_nanoseconds(1e9 * seconds);
}

void pp_costs_derive(struct pp_costs *costs, const struct pp_device *device,
                     const struct pp_work *work)
{
    for (int s = 0; s < costs->stages; s++) {
        int64_t *op = costs->op[s];
        op[PP_F] = roofline(device, work[s].forward, work[s].bytes);
        op[PP_I] = roofline(device, work[s].input, work[s].bytes);
        op[PP_W] = roofline(device, work[s].weight, work[s].bytes);
        op[PP_B] = op[PP_I] + op[PP_W];
    }
}
