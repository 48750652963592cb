#include "report/gate/configuration.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/words.h"
#include "schedules/catalogue.h"

/* Is the schedule one of the catalogue? */
static bool names_schedule(const json_t *config)
{
    const char *name = json_string_value(json_object_get(config, "schedule"));
    return name && pp_catalogue_find(name);
}

/* The values of two configurations, until one message holds those that differ. */
struct differences {
    char text[1024];
    int more; /* that were no longer named */
};

/* As the user wrote it: a text without quotes. */
static void value_text(const json_t *value, char text[80])
{
    char *dump = NULL;
    if (!value || json_is_null(value))
        pp_assign(text, 80, "not given");
    else if (json_is_string(value))
        pp_assign(text, 80, "%s", json_string_value(value));
    else if ((dump = pp_json_dump(value, JSON_ENCODE_ANY | JSON_COMPACT)))
        pp_assign(text, 80, "%s", dump);
    free(dump);
    pp_make_printable(text);
}

static void note(struct differences *differences, const char *key, const char *before,
                 const char *now)
{
    enum { ROOM = 256 }; /* of one */
    if (strlen(differences->text) + ROOM > sizeof differences->text) {
        differences->more++;
        return;
    }
    pp_append(differences->text, sizeof differences->text,
              "%s'%s' is %s in the baseline, %s here", differences->text[0] ? "; " : "",
              key, before, now);
}

static void compare_key(struct differences *differences, const char *key,
                        const json_t *before, const json_t *now, const char *change)
{
    char was[80] = "", is[80] = "";
    value_text(before, was);
    value_text(now, is);
    note(differences, key, was, is);
    if (change)
        pp_append(differences->text, sizeof differences->text, " (%s)", change);
}

/* Does the key belong to the configuration? */
static bool counts(const struct pp_option_facts *facts, bool by_name, const char *key)
{
    return facts->decides(key) && (by_name || !facts->orders(key));
}

static void compare_configs(struct differences *differences, const json_t *before,
                            const json_t *now, const struct pp_option_facts *facts)
{
    bool by_name = names_schedule(before) && names_schedule(now);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)now, key, value)
    {
        const json_t *was = json_object_get(before, key);
        const char *change = NULL;
        bool implied = json_is_null(was) && facts->implies(before, key, value, &change);
        if (counts(facts, by_name, key) &&
            pp_config_differs(before, key, value, facts->decides) &&
            (was || !facts->is_default(key, value)) && (!implied || change))
            compare_key(differences, key, was, value, change);
    }
    json_object_foreach((json_t *)before, key, value)
    {
        if (!json_object_get(now, key) && counts(facts, by_name, key) &&
            pp_config_differs(now, key, value, facts->decides) &&
            !facts->is_default(key, value))
            compare_key(differences, key, value, NULL, NULL);
    }
}

int pp_configuration_compare(const struct pp_configuration *baseline,
                             const struct pp_configuration *now,
                             const struct pp_option_facts *facts, const char *path,
                             struct pp_error *error)
{
    struct differences differences = {0};
    char more[32] = "";
    if (strcmp(baseline->command, now->command) != 0)
        return pp_fail(
            error, PP_BAD_INPUT,
            "'--baseline' '%s' is of another command: '%s', not '%s'; write it "
            "anew with '--update-baseline'",
            path, baseline->command, now->command);
    compare_configs(&differences, baseline->config, now->config, facts);
    if (now->clock && strcmp(baseline->clock, now->clock) != 0)
        note(&differences, "environment.clock", baseline->clock, now->clock);
    if (differences.text[0] == '\0')
        return 0;
    if (differences.more > 0)
        pp_assign(more, sizeof more, "; and %d more", differences.more);
    return pp_fail(error, PP_BAD_INPUT,
                   "'--baseline' '%s' is of another configuration: %s%s; write it anew "
                   "with '--update-baseline'",
                   path, differences.text, more);
}

/* The options that make a configuration, with their values, but for those at their
 * defaults, of which later versions have more: a new object, NULL when out
 * of memory. */
static json_t *deciding_of(const json_t *config, const struct pp_option_facts *facts)
{
    bool by_name = names_schedule(config);
    json_t *deciding = json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)config, key, value)
    {
        if (!json_is_null(value) && counts(facts, by_name, key) &&
            !facts->is_default(key, value))
            pp_json_set(&deciding, key, json_incref(value));
    }
    return deciding;
}

int pp_configuration_hash(const struct pp_configuration *configuration,
                          const struct pp_option_facts *facts,
                          char text[PP_CONFIGURATION_TEXT], struct pp_error *error)
{
    json_t *deciding = deciding_of(configuration->config, facts);
    pp_json_set(&deciding, "command", json_string(configuration->command));
    char *dump =
        deciding ? pp_json_dump(deciding, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(deciding);
    if (!dump)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the configuration");
    uint64_t hash =
        0xcbf29ce484222325; /* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv */
    for (const char *c = dump; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
    pp_assign(text, PP_CONFIGURATION_TEXT, "%016" PRIx64, hash);
    free(dump);
    return 0;
}
