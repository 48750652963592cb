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
    char *text = root ? pp_json_dump(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (!text)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory to write '%s'",
                       schedule->name);
    fprintf(stream, "%s\n", text);
    free(text);
    return 0;
}
