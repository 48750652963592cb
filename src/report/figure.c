#include "report/figure.h"

#include <math.h>
#include <string.h>

#include "base/names.h"
#include "base/words.h"

static double bubble(const struct pp_report *report, int rank)
{
    (void)rank;
    return report->metrics.bubble.fraction;
}

static double over_ideal(const struct pp_report *report, int rank)
{
    (void)rank;
    return report->metrics.bubble.over_ideal;
}

static double span(const struct pp_report *report, int rank)
{
    (void)rank;
    return report->metrics.bubble.span_fraction;
}

static double makespan(const struct pp_report *report, int rank)
{
    (void)rank;
    return (double)report->metrics.makespan / 1e9;
}

static double tokens_per_s(const struct pp_report *report, int rank)
{
    (void)rank;
    return report->tokens_per_s;
}

static double of_total(const struct pp_report *report, int64_t ns)
{
    return (double)ns /
           ((double)report->metrics.ranks * (double)report->metrics.makespan);
}

#define CAUSE(cause)                                                                   \
    static double cause(const struct pp_report *report, int rank)                      \
    {                                                                                  \
        (void)rank;                                                                    \
        return of_total(report, report->metrics.causes.cause);                         \
    }
CAUSE(warmup)
CAUSE(dependency)
CAUSE(communication)
CAUSE(overhead)
CAUSE(cooldown)
#undef CAUSE

static double peak_in_flight(const struct pp_report *report, int rank)
{
    return report->ranks[rank].peak_in_flight;
}

static double peak_activation_bytes(const struct pp_report *report, int rank)
{
    return report->ranks[rank].peak_activation_bytes;
}

static double peak_memory(const struct pp_report *report, int rank)
{
    return report->ranks[rank].peak_memory;
}

static double loss(const struct pp_report *report, int rank)
{
    int count = report->training.loss_count;
    (void)rank;
    return count > 0 ? report->training.losses[count - 1] : (double)NAN;
}

static double held_out_loss(const struct pp_report *report, int rank)
{
    int count = report->training.evaluation_count;
    (void)rank;
    return count > 0 ? report->training.evaluations[count - 1].loss : (double)NAN;
}

static double predicted_error(const struct pp_report *report, int rank)
{
    return fabs(bubble(report, rank) - report->predicted);
}

static double theory_error(const struct pp_report *report, int rank)
{
    return fabs(bubble(report, rank) - report->theory);
}

const struct pp_figure pp_figures[] = {
    {"bubble", PP_FRACTION, false, true, bubble},
    {"over_ideal", PP_FRACTION, false, true, over_ideal, .above_one = true},
    {"span", PP_FRACTION, false, true, span},
    {"span_fraction", PP_FRACTION, false, true, span},
    {"makespan", PP_SECONDS, false, true, makespan},
    {"tokens_per_s", PP_RATE, false, false, tokens_per_s,
     .unknown =
         "made-up costs are of no model: '--device', '--costs' or a run gives it"},
    {"warmup", PP_FRACTION, false, true, warmup},
    {"dependency", PP_FRACTION, false, true, dependency},
    {"communication", PP_FRACTION, false, true, communication},
    {"overhead", PP_FRACTION, false, true, overhead},
    {"cooldown", PP_FRACTION, false, true, cooldown},
    {"peak_in_flight", PP_COUNT, true, true, peak_in_flight},
    {"peak_activation_bytes", PP_BYTES, true, true, peak_activation_bytes,
     .unknown =
         "made-up costs are of no model: '--device', '--costs' or a run gives it"},
    {"peak_memory", PP_MEMORY, true, true, peak_memory,
     .unknown = "the report is of an earlier version"},
    {"loss", PP_NATS, false, true, loss,
     .unknown = "a simulation does not train: a run gives it"},
    {"held_out_loss", PP_NATS, false, true, held_out_loss,
     .unknown = "no held-out loss was evaluated: a run with '--eval-every' gives it"},
    {"predicted_error", PP_FRACTION, false, true, predicted_error,
     .unknown = "a simulation is itself the prediction: a run gives it"},
    {"theory_error", PP_FRACTION, false, true, theory_error,
     .unknown = "no closed form holds here: the summary says why"},
    {NULL, PP_FRACTION, false, false, NULL},
};

bool pp_figure_of_times(const struct pp_figure *figure)
{
    return figure->unit == PP_FRACTION || figure->unit == PP_SECONDS ||
           figure->unit == PP_RATE;
}

const char *pp_figure_why_unknown(const struct pp_figure *figure)
{
    return figure->unknown ? figure->unknown : "there is no such rank";
}

const struct pp_figure *pp_figure_find(const char *name, size_t length)
{
    for (const struct pp_figure *figure = pp_figures; figure->name; figure++) {
        if (strlen(figure->name) == length && strncmp(figure->name, name, length) == 0)
            return figure;
    }
    return NULL;
}

int pp_figure_scan(struct pp_scanner *scanner, const struct pp_figure **figure)
{
    const char *names[sizeof pp_figures / sizeof pp_figures[0]];
    const char *at = scanner->at;
    char list[512];
    size_t length = pp_scan_until(scanner, " \t[<>=,");
    *figure = pp_figure_find(at, length);
    if (*figure)
        return 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        names[i] = pp_figures[i].name;
    pp_names_list(names, list, sizeof list);
    return pp_scan_fail(scanner, at, "no figure named '%.*s': the figures are %s",
                        (int)pp_whole_characters(at, length < 40 ? length : 40), at,
                        list);
}

int pp_figure_scan_rank(struct pp_scanner *scanner, const struct pp_figure *figure,
                        int ranks, int *rank)
{
    const char *bracket = scanner->at;
    long number;
    if (!pp_scan_sign(scanner, "["))
        return 0;
    if (!figure->per_rank)
        return pp_scan_fail(scanner, bracket, "this figure has no value per rank");
    pp_scan_blanks(scanner);
    if (pp_scan_whole(scanner, "rank", 0, ranks - 1, &number) != 0)
        return -1;
    pp_scan_blanks(scanner);
    if (!pp_scan_sign(scanner, "]"))
        return pp_scan_fail(scanner, scanner->at, "want ']'");
    pp_scan_blanks(scanner);
    *rank = (int)number;
    return 0;
}

int pp_figure_scan_unit(struct pp_scanner *scanner, const struct pp_figure *figure,
                        double *value)
{
    static const struct pp_units *const units[] = {
        [PP_FRACTION] = &pp_fractions, [PP_SECONDS] = &pp_seconds,
        [PP_BYTES] = &pp_bytes,        [PP_COUNT] = &pp_no_units,
        [PP_MEMORY] = &pp_bytes,       [PP_RATE] = &pp_no_units,
        [PP_NATS] = &pp_no_units,
    };
    const char *at = scanner->at;
    bool given;
    if (pp_scan_unit(scanner, units[figure->unit], value, &given) != 0)
        return -1;
    if (figure->unit != PP_SECONDS)
        return 0;
    if (!given && *value > 0) /* 33 of what? */
        return pp_scan_fail(scanner, at,
                            "want a unit behind the number: ns, us, ms or s");
    *value =
        nearbyint(*value) / 1e9; /* compared as exactly as timelines: in whole ns */
    return 0;
}

const char *pp_figure_name(const struct pp_figure *figure, int rank,
                           char text[PP_FIGURE_NAME])
{
    pp_assign(text, PP_FIGURE_NAME, rank < 0 ? "%s" : "%s[%d]", figure->name, rank);
    return text;
}

double pp_figure_value(const struct pp_figure *figure, const struct pp_report *report,
                       int rank)
{
    double most = (double)NAN;
    if (!figure->per_rank || rank >= 0)
        return figure->value(report, rank);
    for (int r = 0; r < report->schedule.ranks; r++)
        most = fmax(most, figure->value(report, r)); /* fmax passes NaN over */
    return most;
}

struct pp_range pp_figure_range(const struct pp_figure *figure,
                                const struct pp_report *report, int rank)
{
    double value = pp_figure_value(figure, report, rank);
    struct pp_range range = {value, value};
    if (figure->value == bubble)
        return (struct pp_range){report->bubble_min, report->bubble_max};
    if (figure->value != makespan)
        return range;
    for (int i = 0; i < report->step_count; i++) {
        range.low = fmin(range.low, (double)report->steps[i].makespan / 1e9);
        range.high = fmax(range.high, (double)report->steps[i].makespan / 1e9);
    }
    return range;
}

/* With more digits than usual. */
static const char *figure_text(const struct pp_figure *figure, double value, int more,
                               char text[PP_FIGURE_TEXT])
{
    static const struct {
        const char *suffix;
        double scale;
        int decimals;
    } units[] = {
        [PP_FRACTION] = {"", 1, 4},  [PP_SECONDS] = {" ms", 1e3, 3},
        [PP_BYTES] = {" B", 1, 0},   [PP_COUNT] = {"", 1, 6},
        [PP_MEMORY] = {"", 1, 6},    [PP_RATE] = {"/s", 1, 0},
        [PP_NATS] = {" nats", 1, 4},
    };
    const char *suffix = units[figure->unit].suffix;
    double scaled = value * units[figure->unit].scale;
    bool whole = figure->unit == PP_MEMORY && value >= 1e6; /* bytes, surely */
    int digits = whole ? more : units[figure->unit].decimals + more;
    if (isnan(value))
        pp_assign(text, PP_FIGURE_TEXT, "unknown");
    else if (figure->unit == PP_COUNT || (figure->unit == PP_MEMORY && !whole))
        pp_assign(text, PP_FIGURE_TEXT, "%.*g%s", digits, scaled, suffix);
    else
        pp_assign(text, PP_FIGURE_TEXT, "%.*f%s", digits, scaled, suffix);
    return text;
}

const char *pp_figure_text(const struct pp_figure *figure, double value,
                           char text[PP_FIGURE_TEXT])
{
    return figure_text(figure, value, 0, text);
}

void pp_figure_texts(const struct pp_figure *figure, double a, double b,
                     char text_a[PP_FIGURE_TEXT], char text_b[PP_FIGURE_TEXT])
{
    enum { MOST = 17 }; /* digits of a double */
    bool differ = a < b || a > b;
    for (int more = 0; more <= MOST; more++) {
        figure_text(figure, a, more, text_a);
        figure_text(figure, b, more, text_b);
        if (!differ || strcmp(text_a, text_b) != 0)
            return;
    }
}

const char *pp_range_text(const struct pp_figure *figure, struct pp_range range,
                          int steps, char text[PP_RANGE_TEXT])
{
    char low[PP_FIGURE_TEXT], high[PP_FIGURE_TEXT];
    text[0] = '\0';
    if (range.low < range.high)
        pp_assign(text, PP_RANGE_TEXT, ", %s to %s over %d steps",
                  pp_figure_text(figure, range.low, low),
                  pp_figure_text(figure, range.high, high), steps);
    return text;
}
