/* A sweep as JSON. */
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/output.h"
#include "cli/sweep_file.h"
#include "report/export/json.h"

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* What the point was judged by, and whether it passed. */
static void add_judged(json_t **object, const struct pp_sweep *sweep,
                       const struct pp_sweep_point *point)
{
    json_t *judged = json_object();
    for (int j = 0; j < sweep->judged_count; j++)
        pp_json_set(&judged, sweep->judged[j].name, real_or_null(point->judged[j]));
    pp_json_set(object, "judged", judged);
    pp_json_set(object, "passed",
                sweep->checked ? json_boolean(point->passed) : json_null());
}

static json_t *point_json(const struct pp_sweep *sweep,
                          const struct pp_sweep_point *point)
{
    json_t *object = json_pack(
        "{s:o, s:i, s:i, s:i}", "schedule", pp_json_text(point->schedule), "ranks",
        point->ranks, "chunks", point->chunks, "microbatches", point->microbatches);
    json_t *values = json_object();
    for (int c = 0; c < sweep->column_count; c++)
        pp_json_set(&values, sweep->columns[c].name,
                    pp_json_text(pp_sweep_cell(sweep, point, c)));
    pp_json_set(&object, "values", values);
    if (!point->done) {
        pp_json_set(&object, "status", json_integer(point->status));
        pp_json_set(&object, "reason", pp_json_text(point->reason));
        return object;
    }
    pp_json_set(&object, "bubble",
                json_pack("{s:o, s:o, s:o, s:o, s:o}", "theory",
                          real_or_null(point->theory), "predicted",
                          real_or_null(point->simulated), "fraction",
                          real_or_null(isnan(point->measured) ? point->simulated
                                                              : point->measured),
                          "min", real_or_null(point->measured_min), "max",
                          real_or_null(point->measured_max)));
    pp_json_set(&object, "makespan_s", real_or_null(point->makespan_s));
    pp_json_set(&object, "tokens_per_s", real_or_null(point->tokens_per_s));
    pp_json_set(&object, "peak_in_flight", real_or_null(point->peak_in_flight));
    pp_json_set(&object, "peak_activation_bytes",
                real_or_null(point->peak_activation_bytes));
    add_judged(&object, sweep, point);
    return object;
}

static json_t *best_json(const struct pp_sweep *sweep)
{
    int alike;
    const struct pp_sweep_point *best =
        sweep->best < 0 ? NULL : pp_sweep_best(sweep, sweep->best, &alike);
    if (!best)
        return json_null();
    return json_pack("{s:s, s:o, s:o, s:i}", "figure", sweep->judged[sweep->best].name,
                     "value", real_or_null(best->judged[sweep->best]), "point",
                     point_json(sweep, best), "alike", alike);
}

int pp_sweep_write_json(const struct pp_sweep *sweep, const json_t *config,
                        json_t *crossovers, const char *path, struct pp_error *error)
{
    struct pp_output output;
    json_t *done = json_array(), *invalid = json_array();
    for (int i = 0; i < sweep->count; i++)
        pp_json_append(sweep->points[i].done ? &done : &invalid,
                       point_json(sweep, &sweep->points[i]));
    json_t *root = json_pack("{s:s, s:O, s:o, s:o}", "schema", "ppsim.sweep/1",
                             "config", config, "points", done, "invalid", invalid);
    pp_json_set(&root, "best", best_json(sweep));
    pp_json_set(&root, "crossovers", crossovers);
    char *text =
        root ? pp_json_dump(root, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(root);
    if (!text)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory to write '%s'", path);
    int status = pp_output_open(&output, path, error);
    if (status == 0) {
        fprintf(output.stream, "%s\n", text);
        status = pp_output_commit(&output, error);
    }
    free(text);
    return status;
}
