#include "cli/sweep_judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "cli/rerun.h"
#include "cli/verdicts.h"

/* The index of the figure among those that are kept of each point; -1 if there are too
 * many. */
static int keep(struct pp_sweep *sweep, const struct pp_figure *figure, int rank,
                struct pp_error *error)
{
    for (int j = 0; j < sweep->judged_count; j++) {
        if (sweep->judged[j].figure == figure && sweep->judged[j].rank == rank)
            return j;
    }
    if (sweep->judged_count == PP_MOST_JUDGED)
        return pp_fail(error, PP_BAD_INPUT,
                       "a sweep is judged by %d different figures at most",
                       PP_MOST_JUDGED);
    struct pp_judged *judged = &sweep->judged[sweep->judged_count];
    *judged = (struct pp_judged){.figure = figure, .rank = rank};
    pp_figure_name(figure, rank, judged->name);
    return sweep->judged_count++;
}

/* Of any point: a point of fewer has no value for the ranks above. */
static int most_ranks(const struct pp_sweep *sweep)
{
    int ranks = 1;
    for (int i = 0; i < sweep->count; i++)
        ranks = sweep->points[i].ranks > ranks ? sweep->points[i].ranks : ranks;
    return ranks;
}

static int parse(struct pp_expression **expressions, int *count, const char *option,
                 const struct pp_texts *texts, struct pp_sweep *sweep,
                 struct pp_error *error)
{
    *count = texts->count;
    *expressions = calloc((size_t)texts->count + 1, sizeof **expressions);
    if (!*expressions)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the checks");
    for (int i = 0; i < texts->count; i++) {
        struct pp_expression *own = &(*expressions)[i];
        if (pp_check_parse(&own->check, option, texts->items[i], most_ranks(sweep),
                           error) != 0)
            return -1;
        own->figure = keep(sweep, own->check.figure, own->check.rank, error);
        if (own->figure < 0)
            return -1;
    }
    return 0;
}

/* The figure of that name; *index is -1 where none was given. */
static int parse_figure(int *index, const char *option, const char *text,
                        struct pp_sweep *sweep, struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER(option, text, error);
    const struct pp_figure *figure;
    int rank = -1;
    *index = -1;
    if (!text)
        return 0;
    if (pp_figure_scan(&scanner, &figure) != 0 ||
        pp_figure_scan_rank(&scanner, figure, most_ranks(sweep), &rank) != 0 ||
        pp_scan_end(&scanner) != 0)
        return -1;
    *index = keep(sweep, figure, rank, error);
    return *index < 0 ? -1 : 0;
}

int pp_judge_init(struct pp_judge *judge, struct pp_sweep *sweep,
                  const struct pp_options *options, struct pp_error *error)
{
    *judge = (struct pp_judge){.sort = -1};
    if (parse(&judge->wheres, &judge->where_count, "where", &options->wheres, sweep,
              error) != 0 ||
        parse(&judge->checks, &judge->check_count, "check", &options->checks, sweep,
              error) != 0 ||
        parse_figure(&sweep->best, "best", options->best, sweep, error) != 0)
        return -1;
    return parse_figure(&judge->sort, "sort", options->sort, sweep, error);
}

void pp_judge_release(struct pp_judge *judge)
{
    free(judge->checks);
    free(judge->wheres);
    *judge = (struct pp_judge){0};
}

/* What the sweep's file holds of the point by the figure's name; false if nothing. */
static bool recall(const struct pp_sweep_point *point, const char *name, double *value)
{
    double bubble = isnan(point->measured) ? point->simulated : point->measured;
    const struct {
        const char *name;
        double value;
    } held[] = {{"bubble", bubble},
                {"makespan", point->makespan_s},
                {"tokens_per_s", point->tokens_per_s},
                {"peak_in_flight", point->peak_in_flight},
                {"peak_activation_bytes", point->peak_activation_bytes}};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) {
        *value = held[i].value;
        if (strcmp(held[i].name, name) == 0)
            return true;
    }
    return false;
}

int pp_judge_recall(struct pp_sweep *sweep, const char *path, struct pp_error *error)
{
    for (int i = 0; i < sweep->count; i++) {
        struct pp_sweep_point *point = &sweep->points[i];
        for (int j = 0; point->done && j < sweep->judged_count; j++) {
            if (!recall(point, sweep->judged[j].name, &point->judged[j]))
                return pp_fail(error, PP_BAD_INPUT,
                               "'%s' has points, but not their '%s': give another "
                               "'--csv', or judge bubble, makespan, tokens_per_s, "
                               "peak_in_flight or peak_activation_bytes",
                               path, sweep->judged[j].name);
        }
    }
    return 0;
}

static bool all_hold(const struct pp_expression *expressions, int count,
                     const struct pp_sweep_point *point)
{
    bool hold = true;
    for (int i = 0; i < count; i++)
        hold &=
            pp_check_holds(&expressions[i].check, point->judged[expressions[i].figure]);
    return hold;
}

int pp_judge_points(const struct pp_judge *judge, struct pp_sweep *sweep,
                    struct pp_error *error)
{
    int kept = 0, done = 0, left = 0;
    for (int i = 0; i < sweep->count; i++) {
        struct pp_sweep_point *point = &sweep->points[i];
        bool chosen = all_hold(judge->wheres, judge->where_count, point);
        point->passed = all_hold(judge->checks, judge->check_count, point);
        done += point->done;
        left += point->done && chosen;
        if (!point->done || chosen)
            sweep->points[kept++] = *point;
    }
    sweep->count = kept;
    sweep->checked = judge->check_count > 0;
    if (done > 0 && left == 0)
        return pp_fail(error, PP_BAD_INPUT, "no point is left: '--where' '%s' drops %s",
                       judge->wheres[0].check.text,
                       judge->where_count > 1 ? "all, or others do" : "all");
    return 0;
}

/* A point, and where it goes. */
struct ranked {
    struct pp_sweep_point point;
    double key; /* lower comes first */
};

static int compare(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    if (left->key < right->key || left->key > right->key)
        return left->key < right->key ? -1 : 1;
    return left->point.serial - right->point.serial;
}

int pp_judge_sort(const struct pp_judge *judge, struct pp_sweep *sweep,
                  struct pp_error *error)
{
    if (judge->sort < 0)
        return 0;
    struct ranked *ranked = malloc((size_t)sweep->count * sizeof *ranked);
    double sign = sweep->judged[judge->sort].figure->higher_worse ? 1 : -1;
    if (!ranked)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for sorting");
    for (int i = 0; i < sweep->count; i++) {
        const struct pp_sweep_point *point = &sweep->points[i];
        double value = point->done ? point->judged[judge->sort] : (double)NAN;
        ranked[i] = (struct ranked){*point, isnan(value) ? INFINITY : sign * value};
    }
    qsort(ranked, (size_t)sweep->count, sizeof *ranked, compare);
    for (int i = 0; i < sweep->count; i++)
        sweep->points[i] = ranked[i].point;
    free(ranked);
    return 0;
}

/* The verdict of a check on a point, and of which point. Machines tell verdicts apart
 * by their names. */
static void make_verdict(const struct pp_sweep *sweep,
                         const struct pp_sweep_point *point,
                         const struct pp_expression *own, bool for_people,
                         struct pp_verdict *verdict)
{
    double value = point->judged[own->figure];
    char text[PP_POINT_TEXT], finding[PP_POINT_TEXT];
    pp_check_verdict(&own->check, value, (struct pp_range){value, value}, 1, verdict);
    pp_sweep_point_text(sweep, point, text);
    if (!for_people)
        pp_append(verdict->name, sizeof verdict->name, " (%s)", text);
    pp_assign(finding, sizeof finding, "%s", verdict->finding);
    pp_assign(verdict->finding, sizeof verdict->finding, "%s: %s", text, finding);
}

/* The verdicts of all checks on all points; for people, who have the table, only of
 * those that failed. Returns how many. */
static int make_verdicts(const struct pp_judge *judge, const struct pp_sweep *sweep,
                         bool for_people, struct pp_verdict *verdicts, bool *passed)
{
    int count = 0;
    for (int i = 0; i < sweep->count; i++) {
        const struct pp_sweep_point *point = &sweep->points[i];
        for (int c = 0; point->done && c < judge->check_count; c++) {
            make_verdict(sweep, point, &judge->checks[c], for_people, &verdicts[count]);
            bool failed = verdicts[count].outcome == PP_FAIL;
            *passed &= !failed;
            count += !for_people || failed;
        }
    }
    return count;
}

int pp_judge_print(const struct pp_judge *judge, const struct pp_sweep *sweep,
                   const struct pp_options *options, bool *passed,
                   struct pp_error *error)
{
    size_t most = (size_t)judge->check_count * (size_t)sweep->count;
    bool for_people = options->formats.count == 0;
    int status = 0;
    if (judge->check_count == 0)
        return 0;
    struct pp_verdict *items = calloc(most + 1, sizeof *items);
    char *command = pp_rerun_command(options, 1);
    if (!items || !command)
        status = pp_fail(error, PP_ENVIRONMENT, "out of memory for the verdicts");
    struct pp_verdicts verdicts = {.items = items, .where_rank = -1, .rerun = command};
    if (status == 0)
        verdicts.count = make_verdicts(judge, sweep, for_people, items, passed);
    if (status == 0 && (verdicts.count > 0 || !for_people))
        status = pp_verdicts_print(options, &verdicts, error);
    free(items);
    free(command);
    return status;
}
