/* The catalogue of schedules. Adding one takes four files: its own, with its order rule,
 * placement, constraints and closed form; its declaration in rules.h, its row in
 * catalogue.c, its name in meson.build. */
#ifndef PP_SCHEDULES_CATALOGUE_H
#define PP_SCHEDULES_CATALOGUE_H

#include "schedules/scheduler.h"

int pp_catalogue_count(void);
const struct pp_scheduler *pp_catalogue_row(int index);

/* By name or alias; NULL if there is none. */
const struct pp_scheduler *pp_catalogue_find(const char *name);

/* Like find, but fails with the valid names and the nearest one. */
const struct pp_scheduler *pp_catalogue_get(const char *name, struct pp_error *error);

/* Generates the schedule: checks the shape (filling in group_size), places, writes the
 * ops. The result has passed pp_verify_ops; a group size that was asked for may yet
 * make it block. */
int pp_schedule_generate(struct pp_schedule *schedule, const struct pp_scheduler *row,
                         struct pp_shape *shape, struct pp_error *error);

/* The same, and the result has passed pp_verify. */
int pp_schedule_build(struct pp_schedule *schedule, const struct pp_scheduler *row,
                      struct pp_shape *shape, struct pp_error *error);

#endif
