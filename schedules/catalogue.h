/* The catalogue of schedules.
 *
 * To add one: write its file, with a struct pp_scheduler that says its order rule,
 * placement, constraints and closed form (1f1b.c is a good one to begin with); and add
 * a row to the table in meson.build. That is all: commands, checks, help and the tests
 * of tests/property/ take every schedule of the catalogue, and tests/mpi/ runs each one
 * against the sequential run. */
#ifndef PP_SCHEDULES_CATALOGUE_H
#define PP_SCHEDULES_CATALOGUE_H

#include "schedules/scheduler.h"

/* The rows, in the order of meson.build's table; index from 0. */
int pp_catalogue_count(void);
const struct pp_scheduler *pp_catalogue_row(int index);

/* By name or alias; NULL if there is none. */
const struct pp_scheduler *pp_catalogue_find(const char *name);

/* Like find, but fails with the valid names and the nearest one. */
const struct pp_scheduler *pp_catalogue_get(const char *name, struct pp_error *error);

/* Refuses a shape that cannot work, with the reason and the nearest sizes that can;
 * fills in group_size, groups and rows where they are open. PP_BAD_INPUT. */
int pp_schedule_check(const struct pp_scheduler *row, struct pp_shape *shape,
                      struct pp_error *error);

/* Generates the schedule: checks the shape (filling in what is open), places, writes
 * the ops. The result has passed pp_verify_ops; a group size that was asked for may yet
 * make it block. */
int pp_schedule_generate(struct pp_schedule *schedule, const struct pp_scheduler *row,
                         struct pp_shape *shape, struct pp_error *error);

/* The same, and the result has passed pp_verify. */
int pp_schedule_build(struct pp_schedule *schedule, const struct pp_scheduler *row,
                      struct pp_shape *shape, struct pp_error *error);

#endif
