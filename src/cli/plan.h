/* The plan: what to execute, made from the options and checked. */
#ifndef PP_CLI_PLAN_H
#define PP_CLI_PLAN_H

#include "cli/options.h"
#include "model/config.h"
#include "model/learning_rate.h"
#include "predict/layers.h"
#include "schedules/catalogue.h"

/* Of a schedule from the catalogue, where the options do not say. */
enum { PP_DEFAULT_RANKS = 4, PP_DEFAULT_MICROBATCHES = 8 };

struct pp_plan {
    const struct pp_scheduler *row; /* NULL: the schedule came from a file */
    struct pp_shape shape;
    struct pp_schedule schedule; /* verified; for a simulation all but the order */
    struct pp_model_config model;
    double *slow;   /* [ranks] --slow; NULL: not given */
    int *layers_of; /* [stages] */
};

/* Builds or reads the schedule, and splits the model over its stages. PP_BAD_INPUT says
 * what cannot work. After a failure only pp_plan_release may be called. */
int pp_plan_init(struct pp_plan *plan, const struct pp_options *options,
                 struct pp_error *error);
/* The schedule alone: for commands that know no model. */
int pp_plan_schedule(struct pp_plan *plan, const struct pp_options *options,
                     struct pp_error *error);
/* The model that the options describe. */
struct pp_model_config pp_model_of(const struct pp_options *options);

/* The model, for a plan that has its schedule: split over the stages, '--layer-split'
 * auto by what layers cost, by their FLOPs where that is NULL, and by slow ranks. */
int pp_plan_model(struct pp_plan *plan, const struct pp_options *options,
                  const struct pp_layer_costs *costs, struct pp_error *error);
void pp_plan_release(struct pp_plan *plan);

/* Of a schedule that decodes: the tokens of a chunk of a prompt, of all sequences of a
 * group together. */
int pp_plan_prompt_rows(const struct pp_options *options);

/* Is this the name of a file rather than of a schedule? */
bool pp_plan_is_file(const char *schedule);

/* The learning rate that the options describe. */
struct pp_learning_rate pp_plan_rate(const struct pp_options *options);

/* Of how many microbatches a held-out loss is the mean; 0: none is asked for. */
int pp_plan_eval_microbatches(const struct pp_plan *plan,
                              const struct pp_options *options);

/* Every option's value, where the plan has set it as set there: schedule, ranks,
 * chunks, stages, microbatches, group_size, layer_split as numbers, and what of
 * training follows from others. A new object. */
json_t *pp_plan_config(const struct pp_plan *plan, const struct pp_options *options);

/* Of those, the ones that decide what training computes, whatever the layout. A new
 * object, NULL when out of memory. */
json_t *pp_plan_numbers(const struct pp_plan *plan, const struct pp_options *options);

#endif
