#include "schedule/cell.h"

#include <string.h>

#include "base/words.h"

const char pp_old_dialect[] = "files from before October 2024 write B for I and BW for "
                              "B: rename them";

/* Each name before those it begins with. */
static const struct {
    const char *name;
    enum pp_action action;
} names[] = {
    {"SEND_F", PP_SEND_F},
    {"RECV_F", PP_RECV_F},
    {"SEND_B", PP_SEND_B},
    {"RECV_B", PP_RECV_B},
    {"UNSHARD", PP_UNSHARD},
    {"RESHARD", PP_RESHARD},
    {"REDUCE_GRAD", PP_REDUCE_GRAD},
    {"F", PP_ACTION_F},
    {"B", PP_ACTION_B},
    {"I", PP_ACTION_I},
    {"W", PP_ACTION_W},
};

enum { NAMES = sizeof names / sizeof names[0] };

static const char overlap[] = ")OVERLAP_F_B";

/* Reads decimal digits at *at. Returns false where there are none; a number beyond
 * limit becomes limit. */
static bool number(const char **at, const char *end, uint32_t limit, uint32_t *value)
{
    const char *start = *at;
    uint64_t n = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
        n = 10 * n + (uint64_t)(**at - '0');
        if (n > limit)
            n = limit;
    }
    *value = (uint32_t)n;
    return *at > start;
}

/* Reads one action that ends at end; returns what is wrong, or NULL. */
static const char *parse_action(const char *text, const char *end,
                                struct pp_action_cell *cell)
{
    const char *at = text;
    *cell = (struct pp_action_cell){0};
    if (!number(&at, end, INT32_MAX, &cell->stage))
        return "an action begins with the number of its stage, as in 0F3";
    if (cell->stage == INT32_MAX)
        return "the stage's number is too large";
    size_t left = (size_t)(end - at), length = 0;
    for (int k = 0; k < NAMES && length == 0; k++) {
        size_t n = strlen(names[k].name);
        if (left >= n && memcmp(at, names[k].name, n) == 0) {
            length = n;
            cell->action = (uint8_t)names[k].action;
        }
    }
    if (length == 0)
        return "the action must be F, B, I, W, SEND_F, RECV_F, SEND_B, RECV_B, "
               "UNSHARD, RESHARD or REDUCE_GRAD";
    if (left >= 2 && memcmp(at, "BW", 2) == 0)
        return pp_old_dialect;
    at += length;
    bool numbered = pp_is_compute(cell->action) || pp_is_message(cell->action);
    if (numbered && !number(&at, end, PP_MAX_MICROBATCHES, &cell->microbatch))
        return "an action ends with the number of its microbatch, as in 0F3";
    if (cell->microbatch == PP_MAX_MICROBATCHES)
        return "the microbatch's number is too large: the last one possible is "
               "268435455";
    if (at < end)
        return "text follows the action: cells have commas between them";
    return NULL;
}

int pp_cell_parse(const char *text, size_t length, struct pp_action_cell cells[2],
                  const char **problem)
{
    const char *end = text + length;
    const size_t tail = sizeof overlap - 1;
    if (text[0] != '(') {
        *problem = parse_action(text, end, cells);
        return *problem ? 0 : 1;
    }
    const char *middle = memchr(text, ';', length);
    *problem = "an overlapped pair reads (0F3;3B0)OVERLAP_F_B";
    if (!middle || length < tail || memcmp(end - tail, overlap, tail) != 0 ||
        end - tail <= middle)
        return 0;
    *problem = parse_action(text + 1, middle, &cells[0]);
    if (!*problem)
        *problem = parse_action(middle + 1, end - tail, &cells[1]);
    if (!*problem &&
        (!pp_is_compute(cells[0].action) || !pp_is_compute(cells[1].action)))
        *problem = "only compute actions overlap: a forward and a backward";
    cells[0].joined = 1;
    return *problem ? 0 : 2;
}

char *pp_cell_text(const struct pp_action_cell *cell, char buffer[PP_CELL_TEXT])
{
    int k = 0;
    while (names[k].action != (enum pp_action)cell->action)
        k++;
    pp_assign(buffer, PP_CELL_TEXT, "%u%s", cell->stage, names[k].name);
    if (pp_is_compute(cell->action) || pp_is_message(cell->action))
        pp_append(buffer, PP_CELL_TEXT, "%u", cell->microbatch);
    return buffer;
}
