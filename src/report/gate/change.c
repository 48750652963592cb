#include "report/gate/change.h"

struct pp_change pp_change_of(const struct pp_figure *figure,
                              const struct pp_report *before,
                              const struct pp_report *after)
{
    struct pp_change change = {
        .figure = figure,
        .before = pp_figure_value(figure, before, -1),
        .after = pp_figure_value(figure, after, -1),
        .before_range = pp_figure_range(figure, before, -1),
        .after_range = pp_figure_range(figure, after, -1),
    };
    change.beyond_noise = change.before_range.high < change.after_range.low ||
                          change.after_range.high < change.before_range.low;
    return change;
}

bool pp_config_differs(const json_t *other, const char *key, const json_t *value,
                       pp_decides *decides)
{
    const json_t *found = json_object_get(other, key);
    return decides(key) && !(!found && json_is_null(value)) &&
           !json_equal(value, found);
}
