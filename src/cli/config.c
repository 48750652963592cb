/* Options → the report's config. */
#include "base/json.h"
#include "cli/option_table.h"
#include "cli/options.h"
#include "report/export/json.h"

static json_t *texts_json(const struct pp_texts *texts)
{
    json_t *list = json_array();
    for (int i = 0; i < texts->count; i++)
        pp_json_append(&list, pp_json_text(texts->items[i]));
    return list;
}

json_t *pp_option_json(const struct pp_options *options, const struct pp_option *option)
{
    const void *at = pp_option_field(options, option);
    switch (option->type) {
    case PP_FLAG:
        return json_boolean(*(const bool *)at);
    case PP_INT:
        return json_integer(*(const int *)at);
    case PP_LONG:
        return json_integer(*(const long long *)at);
    case PP_REAL:
        return json_real(*(const double *)at);
    case PP_CHOICE:
    case PP_TEXT:
    case PP_NAME:
        return pp_json_text(pp_option_text(options, option));
    case PP_TEXTS:
    case PP_NAMES:
        return texts_json(at);
    }
    return NULL;
}

/* The texts of an option that varies, as given: one, or an array of them. */
static json_t *given_json(const struct pp_options *options, int row)
{
    const struct pp_list *list = &options->lists[row];
    const struct pp_texts texts = {list->given, list->given_count};
    return texts.count == 1 ? pp_json_text(texts.items[0]) : texts_json(&texts);
}

/* The command's options of all roles but those in `without`, bits 1 << role. */
static json_t *config_without(const struct pp_options *options, unsigned without)
{
    json_t *config = json_object();
    for (int i = 0; config && i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        char key[PP_OPTION_KEY];
        if (pp_option_of(option, options->command) && !(without & 1U << option->role))
            pp_json_set(&config, pp_option_key(option, key),
                        pp_option_varies(options, option)
                            ? given_json(options, i)
                            : pp_option_json(options, option));
    }
    return config;
}

json_t *pp_options_config(const struct pp_options *options)
{
    return config_without(options, 1U << PP_ROLE_ASKING);
}

json_t *pp_options_shared_config(const struct pp_options *options)
{
    json_t *config = config_without(
        options, 1U << PP_ROLE_ASKING | 1U << PP_ROLE_OUTPUT | 1U << PP_ROLE_JUDGING);
    for (int i = 0; i < pp_option_count; i++) {
        char key[PP_OPTION_KEY];
        if (pp_option_varies(options, &pp_option_table[i]))
            json_object_del(config, pp_option_key(&pp_option_table[i], key));
    }
    return config;
}
