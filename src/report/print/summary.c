#include "report/print/summary.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "base/wrap.h"
#include "report/differences.h"
#include "report/numbers.h"
#include "report/print/table.h"

/* More ranks than this are listed in part: the first and the last ones. */
enum { MOST_ROWS = 32 };

/* Appends ", " or the first mark, then what is formatted. */
__attribute__((format(printf, 3, 4))) static void add_cost(char *text, size_t size,
                                                           const char *format, ...)
{
    pp_append(text, size, "%s", text[0] ? ", " : ": ");
    va_list arguments;
    va_start(arguments, format);
    pp_append_list(text, size, format, arguments);
    va_end(arguments);
}

/* "prefill 4.00 ms, decode 1.00 ms", where all stages take the same. */
static void add_class_costs(const struct pp_report *report, char *text, size_t size)
{
    const struct pp_cost *costs = report->costs;
    int classes = 0;
    while (classes < report->cost_count && costs[classes].stage == costs[0].stage)
        classes++;
    for (int i = classes; i < report->cost_count; i++) {
        if (costs[i].median != costs[i - classes].median ||
            !pp_same_class(&costs[i].of_class, &costs[i - classes].of_class))
            return;
    }
    for (int i = 0; i < classes && classes <= PP_KINDS; i++) {
        char took[PP_DURATION_TEXT];
        add_cost(text, size, "%s %s", costs[i].of_class.label,
                 pp_duration_text((double)costs[i].median, took));
    }
}

/* "F 1.00 ms, B 2.00 ms", of a whole rank, where all stages take the same and each rank
 * has as many. */
static void add_equal_costs(const struct pp_report *report, char *text, size_t size)
{
    const struct pp_schedule *schedule = &report->schedule;
    const struct pp_cost *of_kind[PP_KINDS] = {NULL};
    for (int i = 0; i < report->cost_count; i++) {
        const struct pp_cost *cost = &report->costs[i], **first = &of_kind[cost->kind];
        if (*first && (*first)->median != cost->median)
            return;
        *first = cost;
    }
    if (schedule->stages != schedule->ranks * schedule->chunks)
        return;
    for (int kind = 0; kind < PP_KINDS; kind++) {
        char took[PP_DURATION_TEXT];
        if (of_kind[kind])
            add_cost(text, size, "%c %s", pp_kind_letter((enum pp_kind)kind),
                     pp_duration_text((double)of_kind[kind]->median * schedule->chunks,
                                      took));
    }
    if (schedule->chunks > 1)
        pp_append(text, size, " per rank, 1/%d of it per stage", schedule->chunks);
}

/* What was simulated: op costs, hops, and what disturbs them. */
static void describe_costs(const struct pp_report *report, const char *given,
                           char *text, size_t size)
{
    const char *asked = json_string_value(json_object_get(report->config, "cost"));
    text[0] = '\0';
    if (pp_decodes(&report->schedule))
        add_class_costs(report, text, size);
    else
        add_equal_costs(report, text, size);
    if (text[0] == '\0' && asked)
        add_cost(text, size, "--cost %s", asked);
    if (report->link_latency_s > 0 &&
        !json_is_string(json_object_get(report->config, "link"))) {
        char took[PP_DURATION_TEXT];
        add_cost(text, size, "hop %s",
                 pp_duration_text(1e9 * report->link_latency_s, took));
    }
    if (given[0])
        add_cost(text, size, "%s", given);
}

static void print_headline(const struct pp_report *report, const char *given,
                           FILE *stream, bool color)
{
    const struct pp_schedule *schedule = &report->schedule;
    char shape[160], rest[768], costs[640] = "";
    pp_assign(shape, sizeof shape, "%s · %d rank%s · %d stage%s · %d microbatch%s",
              schedule->name, schedule->ranks, schedule->ranks == 1 ? "" : "s",
              schedule->stages, schedule->stages == 1 ? "" : "s",
              schedule->microbatches, schedule->microbatches == 1 ? "" : "es");
    bool simulated = strcmp(report->environment.clock, "simulated") == 0;
    if (simulated)
        describe_costs(report, given, costs, sizeof costs);
    const char *slow = json_string_value(json_object_get(report->config, "slow"));
    if (!simulated)
        pp_assign(costs, sizeof costs, " clock%s%s", slow ? " · --slow " : "",
                  slow ? slow : "");
    pp_assign(rest, sizeof rest, "· %s%s%s", report->environment.clock, costs,
              report->environment.oversubscribed ? " · ranks share cores" : "");
    fprintf(stream, "%s%s%s", color ? "\x1b[1m" : "", shape, color ? "\x1b[0m" : "");
    pp_print_wrapped(stream, rest, pp_columns(shape, strlen(shape)), 2, true);
}

/* "0,4,8", or "0,4,..,28" where there are many. */
static void list_stages(const struct pp_schedule *schedule, const int *places,
                        char *text, size_t size)
{
    int count = 0;
    while (count < schedule->held && places[count] >= 0)
        count++;
    text[0] = '\0';
    for (int c = 0; c < count; c++) {
        if (count > 4 && c == 2)
            pp_append(text, size, ",..");
        else if (count <= 4 || c < 2 || c == count - 1)
            pp_append(text, size, "%s%d", c > 0 ? "," : "",
                      places[c] % schedule->stages);
    }
}

/* The rank shown in a row, -1 for the row that stands for those left out. */
static int rank_of_row(int row, int rows, int ranks)
{
    if (rows == ranks || row < rows / 2)
        return row;
    return row == rows / 2 ? -1 : ranks - rows + row;
}

static void fill_times(struct pp_table *table, const struct pp_report *report, int row,
                       int r, const int *places)
{
    const struct pp_metrics *metrics = &report->metrics;
    const struct pp_rank_metrics *rank = &metrics->of_rank[r];
    double unit = pp_time_unit((double)metrics->makespan).ns;
    int decimals = (double)metrics->makespan < 10 * unit ? 3 : 2; /* 4 digits of it */
    const struct pp_causes *own = &rank->causes, *all = &metrics->causes;
    const int64_t causes[][2] = {{own->warmup, all->warmup},
                                 {own->dependency, all->dependency},
                                 {own->communication, all->communication},
                                 {own->overhead, all->overhead},
                                 {own->cooldown, all->cooldown}};
    char list[PP_CELL];
    list_stages(&report->schedule, places, list, sizeof list);
    pp_table_set(table, row, 0, "%d", r);
    pp_table_set(table, row, 1, "%s", list);
    pp_table_set(table, row, 2, "%.*f", decimals, (double)rank->busy / unit);
    pp_table_set(table, row, 3, "%.*f", decimals, (double)rank->idle / unit);
    pp_table_set(table, row, 4, "%.1f",
                 100 * (double)rank->idle / (double)metrics->makespan);
    for (int i = 0; i < 5; i++) {
        if (causes[i][1] > 0) /* no column for a cause that no rank has */
            pp_table_set(table, row, 5 + i, "%.*f", decimals,
                         (double)causes[i][0] / unit);
    }
}

static void fill_memory(struct pp_table *table, const struct pp_report *report, int row,
                        int r)
{
    const double mib = 1024 * 1024;
    const struct pp_report_rank *rank = &report->ranks[r];
    pp_table_set(table, row, 0, "%d", r);
    pp_table_set(table, row, 1, "%.4g", rank->peak_in_flight);
    /* Without --memory it is the peak in flight. */
    if (json_is_string(json_object_get(report->config, "memory")))
        pp_table_set(table, row, 2, "%.*g", rank->peak_memory < 1e6 ? 6 : 15,
                     rank->peak_memory);
    if (isfinite(rank->peak_activation_bytes))
        pp_table_set(table, row, 3, "%.2f", rank->peak_activation_bytes / mib);
    if (isfinite(rank->parameter_bytes))
        pp_table_set(table, row, 4, "%.2f", rank->parameter_bytes / mib);
    if (isfinite(rank->kv_cache_bytes))
        pp_table_set(table, row, 5, "%.2f", rank->kv_cache_bytes / mib);
    pp_table_set(table, row, 6, "%.*s", PP_CELL - 1, rank->cpuset);
}

static int print_tables(const struct pp_report *report, int width, FILE *stream,
                        struct pp_error *error)
{
    const struct pp_schedule *schedule = &report->schedule;
    int ranks = schedule->ranks, rows = ranks < MOST_ROWS ? ranks : MOST_ROWS;
    const char *unit = pp_time_unit((double)report->metrics.makespan).name;
    const char *const heads[] = {"warmup", "dependency", "comm.", "overhead",
                                 "cooldown"};
    struct pp_table times = {0}, memory = {0};
    int status = -1;
    int *places = pp_places_by_rank(schedule);
    if (!places) {
        pp_fail(error, PP_ENVIRONMENT, "out of memory for a table of %d rows", rows);
        goto done;
    }
    if (pp_table_init(&times, rows, 10, error) != 0 ||
        pp_table_init(&memory, rows, 7, error) != 0)
        goto done;
    pp_table_set(&times, -1, 0, "rank");
    pp_table_set(&times, -1, 1, "stages");
    pp_table_set(&times, -1, 2, "busy %s", unit);
    pp_table_set(&times, -1, 3, "idle %s", unit);
    pp_table_set(&times, -1, 4, "idle %%");
    for (int i = 0; i < 5; i++)
        pp_table_set(&times, -1, 5 + i, "%s", heads[i]);
    pp_table_set(&memory, -1, 0, "rank");
    pp_table_set(&memory, -1, 1, "peak in flight");
    pp_table_set(&memory, -1, 2, "peak memory");
    pp_table_set(&memory, -1, 3, "activations MiB");
    pp_table_set(&memory, -1, 4, "parameters MiB");
    pp_table_set(&memory, -1, 5, "keys, values MiB");
    pp_table_set(&memory, -1, 6, "cpus");
    for (int row = 0; row < rows; row++) {
        int r = rank_of_row(row, rows, ranks);
        if (r < 0) {
            pp_table_set(&times, row, 0, "..");
            pp_table_set(&memory, row, 0, "..");
            continue;
        }
        fill_times(&times, report, row, r, &places[(size_t)r * (size_t)schedule->held]);
        fill_memory(&memory, report, row, r);
    }
    pp_table_print(&times, stream, 2, width);
    fputc('\n', stream);
    pp_table_print(&memory, stream, 2, width);
    status = 0;
done:
    pp_table_release(&times);
    pp_table_release(&memory);
    free(places);
    return status;
}

enum { BUBBLE_INDENT = 10 };

static void print_bubble(const struct pp_report *report, FILE *stream)
{
    const struct pp_bubble *bubble = &report->metrics.bubble;
    bool simulated = strcmp(report->environment.clock, "simulated") == 0;
    char text[320];
    fprintf(stream, "bubble    fraction %.4f   over_ideal %.4f   span_fraction %.4f\n",
            bubble->fraction, bubble->over_ideal, bubble->span_fraction);
    fputs("          theory ", stream);
    if (isfinite(report->theory))
        fprintf(stream, "%.4f%s", report->theory,
                strstr(report->theory_note, "unchecked") ? " (unchecked)" : "");
    else
        fputs("none", stream);
    if (isfinite(report->predicted))
        fprintf(stream, " · predicted %.4f", report->predicted);
    fprintf(stream, " · %s %.4f", simulated ? "simulated" : "measured",
            bubble->fraction);
    if (report->step_count > 1)
        fprintf(stream, " (%.4f to %.4f over %d steps)", report->bubble_min,
                report->bubble_max, report->step_count);
    fputc('\n', stream);
    if (!isfinite(report->theory) && report->theory_note[0]) {
        pp_assign(text, sizeof text, "no theory: %s", report->theory_note);
        pp_print_wrapped(stream, text, 0, BUBBLE_INDENT, false);
    }
    pp_why_not_theory(report, text, sizeof text);
    if (text[0])
        pp_print_wrapped(stream, text, 0, BUBBLE_INDENT, false);
    pp_why_not_predicted(report, text, sizeof text);
    if (text[0])
        pp_print_wrapped(stream, text, 0, BUBBLE_INDENT, false);
}

static void print_step(const struct pp_report *report, FILE *stream)
{
    const struct pp_step *steps = report->steps;
    char text[PP_DURATION_TEXT], low[PP_DURATION_TEXT], high[PP_DURATION_TEXT];
    fprintf(stream, "makespan  %s",
            pp_duration_text((double)report->metrics.makespan, text));
    if (report->step_count > 1)
        fprintf(stream, " (%s to %s)",
                pp_duration_text((double)report->makespans.min, low),
                pp_duration_text((double)report->makespans.max, high));
    if (isfinite(report->predicted_makespan_s))
        fprintf(stream, " · predicted %s",
                pp_duration_text(1e9 * report->predicted_makespan_s, text));
    int64_t whole = steps[report->representative].duration;
    if (whole != report->metrics.makespan)
        fprintf(stream, " · whole step %s", pp_duration_text((double)whole, text));
    if (isfinite(report->tokens_per_s))
        fprintf(stream, " · %.0f tokens/s", report->tokens_per_s);
    fputc('\n', stream);
}

/* The last one, and the least of them where that is another. */
static void print_held_out(const struct pp_report_training *training, FILE *stream)
{
    const struct pp_evaluation *all = training->evaluations;
    int count = training->evaluation_count, least = count - 1;
    if (count == 0)
        return;
    for (int i = count - 1; i >= 0; i--)
        least = all[i].loss < all[least].loss ? i : least;
    fprintf(stream, "held out  %.4f nats per token after step %d", all[count - 1].loss,
            all[count - 1].step);
    if (least < count - 1)
        fprintf(stream, ", the least of %d evaluations %.4f after step %d", count,
                all[least].loss, all[least].step);
    fputc('\n', stream);
}

/* The rank whose reductions last longest after its ops. */
static void print_reduction(const struct pp_report *report, FILE *stream)
{
    const struct pp_rank_metrics *most = &report->metrics.of_rank[0];
    char all[PP_DURATION_TEXT], exposed[PP_DURATION_TEXT];
    if (report->schedule.copies == 1)
        return;
    for (int r = 1; r < report->schedule.ranks; r++) {
        const struct pp_rank_metrics *rank = &report->metrics.of_rank[r];
        if (rank->reduction_exposed > most->reduction_exposed ||
            (rank->reduction_exposed == most->reduction_exposed &&
             rank->reduction > most->reduction))
            most = rank;
    }
    fprintf(stream, "reduction %s on rank %d, %s of it after its last op\n",
            pp_duration_text((double)most->reduction, all),
            (int)(most - report->metrics.of_rank),
            pp_duration_text((double)most->reduction_exposed, exposed));
}

static void print_training(const struct pp_report_training *training, FILE *stream)
{
    static const char *const verified[] = {
        "", " · verify FAILED: differs from the sequential run",
        " · verified: bitwise equal to the sequential run"};
    if (training->loss_count > 0) {
        fprintf(stream, "loss      %.4f -> %.4f nats per token over %d step%s",
                training->losses[0], training->losses[training->loss_count - 1],
                training->loss_count, training->loss_count == 1 ? "" : "s");
        if (isfinite(training->resumed_from))
            fprintf(stream, ", resumed from step %.0f", training->resumed_from);
        if (isfinite(training->stopped_after))
            fprintf(stream, ", stopped after step %.0f", training->stopped_after);
        if (isfinite(training->entropy_floor))
            fprintf(stream, " · entropy floor %.4f", training->entropy_floor);
        fputc('\n', stream);
    }
    print_held_out(training, stream);
    if (training->digest[0])
        fprintf(stream, "digest    %s%s\n", training->digest,
                verified[training->verified + 1]);
}

int pp_report_print_summary(const struct pp_report *report, const char *given,
                            int width, FILE *stream, bool color, struct pp_error *error)
{
    print_headline(report, given, stream, color);
    if (print_tables(report, width, stream, error) != 0)
        return -1;
    fputc('\n', stream);
    print_bubble(report, stream);
    print_step(report, stream);
    print_reduction(report, stream);
    print_training(&report->training, stream);
    return 0;
}
