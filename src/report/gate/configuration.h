/* Which results may be held against each other: those of one configuration. */
#ifndef PP_REPORT_GATE_CONFIGURATION_H
#define PP_REPORT_GATE_CONFIGURATION_H

#include "report/gate/change.h"
#include "report/history.h"

/* What a result came from. */
struct pp_configuration {
    const char *command;
    const char *clock; /* NULL where it is not chosen yet */
    const json_t *config;
};

/* Where another version's config has null for an option, did it mean this value? Sets
 * *change to what the value means otherwise now, or leaves it: nothing. */
typedef bool pp_implies(const json_t *config, const char *key, const json_t *value,
                        const char **change);

/* Answered by those who know the options. orders: does the option say in which order
 * ops run, which a schedule file says itself? is_default: is this its value where it is
 * not given, as in a report of a version that did not have it yet? */
struct pp_option_facts {
    pp_decides *decides, *orders;
    bool (*is_default)(const char *key, const json_t *value);
    pp_implies *implies;
};

/* Fails with PP_BAD_INPUT unless the baseline is of this configuration: of all options
 * that decide the result; of those that say the order only where both schedules are
 * the catalogue's. What a file says is content, which is judged, whatever its name. The
 * message names what differs, with both values. */
int pp_configuration_compare(const struct pp_configuration *baseline,
                             const struct pp_configuration *now,
                             const struct pp_option_facts *facts, const char *path,
                             struct pp_error *error);

/* A hash of the configuration without its clock, as 16 hexadecimal digits.
 * PP_ENVIRONMENT when out of memory. */
int pp_configuration_hash(const struct pp_configuration *configuration,
                          const struct pp_option_facts *facts,
                          char text[PP_CONFIGURATION_TEXT], struct pp_error *error);

#endif
