/* The result of optimize as JSON, schema ppsim.optimize/1 (docs/optimize.schema.json).
 */
#include "cli/optimize.h"
#include "report/export/json.h"
#include "version.h"

static json_t *split_json(const struct pp_tried *tried)
{
    const struct pp_plan *plan = &tried->plan;
    json_t *split = plan->layers_of ? json_array() : json_null();
    for (int s = 0; plan->layers_of && s < plan->schedule.stages; s++)
        json_array_append_new(split, json_integer(plan->layers_of[s]));
    return split;
}

/* The shape's keys; placement null for one stage per rank. */
static json_t *shape_json(const struct pp_tried *tried)
{
    const struct pp_schedule *shape = &tried->plan.schedule;
    const char *placement =
        shape->chunks > 1 ? pp_placement_name(shape->placement) : NULL;
    return json_pack("{s:i, s:o, s:o}", "chunks", shape->chunks, "placement",
                     pp_json_text(placement), "layer_split", split_json(tried));
}

static json_t *entry_json(const struct pp_entry *entry,
                          const struct pp_optimized *optimized)
{
    json_t *object = pp_entry_json(entry);
    json_object_set_new(object, "layer_split",
                        split_json(optimized->tried[entry->tried]));
    return object;
}

static json_t *bound_json(const struct pp_optimized *optimized)
{
    return json_pack("{s:f, s:f, s:f}", "objective_s", 1e-9 * (double)optimized->bound,
                     "bubble", pp_bound_bubble(optimized), "gap",
                     pp_bound_gap(optimized));
}

/* Each shape that was tried: what was found in it, and its bound. */
static json_t *tried_json(const struct pp_optimized *optimized)
{
    json_t *shapes = json_array();
    for (int k = 0; k < optimized->count; k++) {
        const struct pp_searched *searched = &optimized->tried[k]->searched;
        bool any = searched->best.objective < INT64_MAX;
        json_t *object = shape_json(optimized->tried[k]);
        json_object_set_new(object, "objective_s",
                            any ? json_real(1e-9 * (double)searched->best.objective)
                                : json_null());
        json_object_set_new(object, "bound_s",
                            json_real(1e-9 * (double)searched->bound));
        json_array_append_new(shapes, object);
    }
    return shapes;
}

static json_t *root_json(const struct pp_optimized *optimized,
                         const struct pp_options *options)
{
    json_t *rows = json_array();
    for (int k = 0; k < optimized->rows.count; k++)
        json_array_append_new(rows, entry_json(&optimized->rows.items[k], optimized));
    json_t *config = pp_options_config(options);
    json_object_set_new(config, "ranks", json_integer(options->ranks));
    json_object_set_new(config, "microbatches", json_integer(options->microbatches));
    return json_pack(
        "{s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:f}", "schema",
        "ppsim.optimize/1", "version", PP_VERSION, "config", config, "objective",
        optimized->objective == PP_LEAST_SPAN ? "span" : "makespan", "memory",
        pp_memory_json(&optimized->memory), "found",
        entry_json(&optimized->found, optimized), "bound", bound_json(optimized),
        "rows", rows, "tried", tried_json(optimized), "iterations",
        (json_int_t)optimized->iterations, "seconds", optimized->seconds);
}

int pp_optimized_write_json(const struct pp_optimized *optimized,
                            const struct pp_options *options, struct pp_error *error)
{
    return pp_result_write(root_json(optimized, options), options->json, error);
}
