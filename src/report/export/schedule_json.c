#include "report/export/schedule_json.h"

#include <stdlib.h>

#include "base/json.h"

static json_t *op_json(struct pp_op op)
{
    char letter[2] = {pp_kind_letter((enum pp_kind)op.kind), '\0'};
    json_t *object = json_pack("{si, ss, si}", "stage", (int)op.stage, "kind", letter,
                               "microbatch", (int)op.microbatch);
    if (op.joined)
        pp_json_set(&object, "joined", json_true());
    return object;
}

static json_t *numbers_json(const int *numbers, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        pp_json_append(&list, json_integer(numbers[i]));
    return list;
}

/* As in a report's timeline. */
static json_t *decoding_json(const struct pp_schedule *schedule)
{
    int m = schedule->microbatches;
    json_t *classes = json_array();
    for (int c = 0; c < schedule->class_count; c++)
        pp_json_append(&classes,
                       json_pack("{ss, si}", "class", schedule->classes[c].label,
                                 "rows", schedule->classes[c].rows));
    return json_pack("{so, so, so, so}", "classes", classes, "after",
                     numbers_json(schedule->after, m), "group_of",
                     numbers_json(schedule->group_of, m), "class_of",
                     numbers_json(schedule->class_of, m));
}

int pp_schedule_write_json(const struct pp_schedule *schedule, FILE *stream,
                           struct pp_error *error)
{
    json_t *rank_of = json_array(), *rows = json_array();
    for (int s = 0; s < schedule->stages; s++)
        pp_json_append(&rank_of, json_integer(schedule->rank_of[s]));
    for (int r = 0; r < schedule->ranks; r++) {
        json_t *row = json_array();
        for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k++)
            pp_json_append(&row, op_json(schedule->ops[k]));
        pp_json_append(&rows, row);
    }
    /* "o" takes over both, also on failure. */
    json_t *root =
        json_pack("{ss, ss, si, si, si, si, so, so}", "schema", "ppsim.schedule/1",
                  "name", schedule->name, "ranks", schedule->ranks, "stages",
                  schedule->stages, "chunks", schedule->chunks, "microbatches",
                  schedule->microbatches, "rank_of", rank_of, "ops", rows);
    if (pp_decodes(schedule))
        pp_json_set(&root, "decoding", decoding_json(schedule));
    char *text = root ? pp_json_dump(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (!text)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory to write '%s'",
                       schedule->name);
    fprintf(stream, "%s\n", text);
    free(text);
    return 0;
}
