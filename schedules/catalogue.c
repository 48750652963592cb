#include "schedules/catalogue.h"

#include <string.h>

#include "base/names.h"
#include "base/words.h"
#include "schedule/verify.h"
#include "schedules/rules.h"

static const struct pp_scheduler *const rows[] = {
#define PP_ROW(row) &row,
    PP_CATALOGUE_ROWS
#undef PP_ROW
};

enum { ROWS = sizeof rows / sizeof rows[0] };

int pp_catalogue_count(void)
{
    return ROWS;
}

const struct pp_scheduler *pp_catalogue_row(int index)
{
    return rows[index];
}

const struct pp_scheduler *pp_catalogue_find(const char *name)
{
    for (int i = 0; i < ROWS; i++) {
        if (strcmp(rows[i]->name, name) == 0)
            return rows[i];
        for (int a = 0; a < PP_MAX_ALIASES && rows[i]->aliases[a]; a++) {
            if (strcmp(rows[i]->aliases[a], name) == 0)
                return rows[i];
        }
    }
    return NULL;
}

const struct pp_scheduler *pp_catalogue_get(const char *name, struct pp_error *error)
{
    const struct pp_scheduler *row = pp_catalogue_find(name);
    if (row)
        return row;
    const char *names[ROWS + 1] = {0}, *known[ROWS * (1 + PP_MAX_ALIASES) + 1] = {0};
    char list[512];
    int count = 0;
    for (int i = 0; i < ROWS; i++) {
        names[i] = known[count++] = rows[i]->name;
        for (int a = 0; a < PP_MAX_ALIASES && rows[i]->aliases[a]; a++)
            known[count++] = rows[i]->aliases[a];
    }
    pp_names_list(names, list, sizeof list);
    const char *nearest = pp_names_nearest(known, name);
    pp_fail(error, PP_BAD_INPUT,
            "no schedule named '%s'%s%s%s: the schedules are %s, or name a .csv file",
            name, nearest ? " (did you mean '" : "", nearest ? nearest : "",
            nearest ? "'?)" : "", list);
    return NULL;
}

static int *size_of(struct pp_shape *shape, enum pp_size size)
{
    return size == PP_SIZE_RANKS    ? &shape->ranks
           : size == PP_SIZE_CHUNKS ? &shape->chunks
                                    : &shape->microbatches;
}

/* What the row needs, its own rule after that of all rows; NULL where the shape fits.
 */
static const char *needs(const struct pp_scheduler *row, const struct pp_shape *shape,
                         enum pp_size *fault)
{
    *fault = PP_SIZE_CHUNKS;
    if (!row->takes_chunks && shape->chunks != row->default_chunks)
        return row->default_chunks == 1 ? "one stage per rank ('interleaved-1f1b' and "
                                          "others take more)"
                                        : "two stages per rank";
    return row->needs ? row->needs(shape, fault) : NULL;
}

/* The nearest size that fits, from the shape's in steps; 0 where there is none. No rule
 * looks further than some times the other sizes. */
static int nearest(const struct pp_scheduler *row, struct pp_shape shape,
                   enum pp_size size, int step)
{
    int *value = size_of(&shape, size);
    long most = 8L * shape.ranks * shape.chunks + 2 * *value;
    for (*value += step; *value >= 1 && *value <= most; *value += step) {
        enum pp_size fault;
        if (!needs(row, &shape, &fault) || fault != size)
            return *value;
    }
    return 0;
}

/* A size that must be at least 1 where the row has it. */
static void open_size(int *size, int chosen)
{
    if (*size == 0)
        *size = chosen;
}

/* Of a row that decodes, the sizes of decoding; of another one, none may be given. */
static int check_decoding(const struct pp_scheduler *row, struct pp_shape *shape,
                          struct pp_error *error)
{
    if (!pp_row_decodes(row)) {
        bool groups = shape->groups > 0;
        if (!groups && shape->prompt_chunks == 0)
            return 0;
        return pp_fail(error, PP_BAD_INPUT,
                       "'--%s' %d: '%s' trains; 'decode' takes groups of sequences",
                       groups ? "groups" : "prompt-chunks",
                       groups ? shape->groups : shape->prompt_chunks, row->name);
    }
    open_size(&shape->groups, row->best_groups(shape));
    open_size(&shape->rows, 1);
    open_size(&shape->prompt_rows, 1);
    long chunks = (long)shape->groups * shape->prompt_chunks;
    if (chunks + shape->microbatches < PP_MAX_MICROBATCHES)
        return 0;
    return pp_fail(error, PP_BAD_INPUT,
                   "'--prompt-chunks' %d of '--groups' %d: there may be up to %d "
                   "microbatches",
                   shape->prompt_chunks, shape->groups, PP_MAX_MICROBATCHES - 1);
}

int pp_schedule_check(const struct pp_scheduler *row, struct pp_shape *shape,
                      struct pp_error *error)
{
    static const char *const options[] = {"ranks", "chunks", "microbatches"};
    enum pp_size fault;
    if (check_decoding(row, shape, error) != 0)
        return -1;
    const char *what = needs(row, shape, &fault);
    if (!what) {
        if (row->best_group_size && shape->group_size == 0)
            shape->group_size = row->best_group_size(shape);
        return 0;
    }
    int below = nearest(row, *shape, fault, -1), above = nearest(row, *shape, fault, 1);
    char values[32] = "";
    if (below > 0)
        pp_append(values, sizeof values, "%d", below);
    if (above > 0)
        pp_append(values, sizeof values, "%s%d", below > 0 ? " or " : "", above);
    return pp_fail(error, PP_BAD_INPUT, "'--%s' %d: %s needs %s: %s", options[fault],
                   *size_of(shape, fault), row->name, what, values);
}

int pp_schedule_generate(struct pp_schedule *schedule, const struct pp_scheduler *row,
                         struct pp_shape *shape, struct pp_error *error)
{
    *schedule = (struct pp_schedule){0};
    if (shape->group_size > 0 && !row->best_group_size)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--group-size' %d: '%s' takes microbatches one by one; "
                       "'interleaved-1f1b' and 'interleaved-zb' take them in groups",
                       shape->group_size, row->name);
    if (pp_schedule_check(row, shape, error) != 0)
        return -1;
    int microbatches = shape->microbatches + shape->groups * shape->prompt_chunks;
    if (pp_schedule_init(schedule, shape->ranks, shape->ranks * shape->chunks,
                         microbatches, row->placement, error) != 0)
        return -1;
    pp_assign(schedule->name, sizeof schedule->name, "%s", row->name);
    schedule->group_size = shape->group_size;
    int status = pp_row_decodes(row) ? row->feed_back(schedule, shape, error) : 0;
    for (int rank = 0; status == 0 && row->generate && rank < schedule->ranks; rank++) {
        pp_schedule_begin_rank(schedule, rank);
        row->generate(schedule, rank);
    }
    if (status != 0 || (row->generate_all && row->generate_all(schedule, error) != 0) ||
        pp_schedule_end(schedule, error) != 0 ||
        pp_verify_ops(schedule, schedule->name, error) != 0) {
        pp_schedule_release(schedule);
        return -1;
    }
    return 0;
}

int pp_schedule_build(struct pp_schedule *schedule, const struct pp_scheduler *row,
                      struct pp_shape *shape, struct pp_error *error)
{
    int asked = shape->group_size;
    if (pp_schedule_generate(schedule, row, shape, error) != 0)
        return -1;
    if (pp_verify_order(schedule, schedule->name, error) == 0)
        return 0;
    if (asked > 0) {
        shape->group_size = row->best_group_size(shape);
        pp_fail_also(error, error->status,
                     "'--group-size' %d does not work here; %d does, which is chosen "
                     "where it is left out",
                     asked, shape->group_size);
    }
    pp_schedule_release(schedule);
    return -1;
}
