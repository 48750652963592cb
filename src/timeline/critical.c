#include "timeline/critical.h"

#include <stdlib.h>

/* Is the op the first of its rank? */
static bool is_first(const struct pp_path *path, int64_t k)
{
    const struct pp_schedule *schedule = path->timeline->schedule;
    return (size_t)k == schedule->first[pp_rank_of_op(schedule, k)];
}

int64_t pp_free_from(const struct pp_path *path, int64_t k)
{
    return is_first(path, k) ? path->metrics->start : path->timeline->spans[k - 1].end;
}

/* The op that ended last. */
static int64_t last_op(const struct pp_path *path)
{
    const struct pp_schedule *schedule = path->timeline->schedule;
    for (int r = 0; r < schedule->ranks; r++) {
        if (schedule->first[r + 1] > schedule->first[r] &&
            path->metrics->of_rank[r].last_end == path->metrics->end)
            return (int64_t)schedule->first[r + 1] - 1;
    }
    return PP_NO_OP;
}

/* The op at whose end the op's input from another stage was released; PP_NO_OP where it
 * needs none. */
static int64_t releaser_of(const struct pp_path *path, size_t k)
{
    int64_t producer = pp_producer_of(path->producers, (int64_t)k);
    return producer == PP_NO_OP ? PP_NO_OP
                                : pp_release_of(path->timeline->schedule, producer);
}

/* Ops are followed back in time: a producer that ends after its consumer started, which
 * only clocks out of step can show, is not followed. */
int64_t pp_step_back(const struct pp_path *path, int64_t k, struct pp_path_op *at)
{
    const struct pp_span *spans = path->timeline->spans;
    int64_t from = pp_free_from(path, k), start = spans[k].start;
    struct pp_wait wait = pp_wait_before(path->timeline, (size_t)k, from);
    int64_t producer = releaser_of(path, wait.input);
    *at = (struct pp_path_op){.op = k};
    bool late = wait.dependency + wait.communication > 0 || is_first(path, k);
    if (producer != PP_NO_OP && late && spans[producer].end <= start &&
        spans[producer].start < start) {
        int64_t arrived =
            pp_clamp(spans[wait.input].arrived, spans[producer].end, start);
        at->crossed = true;
        at->hop = arrived - spans[producer].end;
        at->overhead = start - arrived;
        return producer;
    }
    at->overhead = start - from;
    return is_first(path, k) ? PP_NO_OP : k - 1;
}

static void add_op(struct pp_critical *critical, const struct pp_path *path,
                   struct pp_path_op at)
{
    const struct pp_schedule *schedule = path->timeline->schedule;
    const struct pp_span *span = &path->timeline->spans[at.op];
    struct pp_op op = schedule->ops[at.op];
    int64_t took = span->end - span->start;
    critical->path[critical->count++] = at;
    critical->busy[op.kind] += took;
    critical->hops += at.hop;
    critical->overhead += at.overhead;
    critical->of_rank[pp_op_rank(schedule, op)] += took;
    critical->of_stage[op.stage][op.kind] += took;
}

int pp_critical_init(struct pp_critical *critical, const struct pp_timeline *timeline,
                     const struct pp_metrics *metrics,
                     const struct pp_producers *producers, struct pp_error *error)
{
    const struct pp_schedule *schedule = timeline->schedule;
    struct pp_path path = {timeline, metrics, producers};
    size_t ops = pp_schedule_ops(schedule);
    *critical = (struct pp_critical){
        .path = malloc((ops + 1) * sizeof *critical->path),
        .of_rank = calloc((size_t)schedule->ranks, sizeof *critical->of_rank),
        .of_stage = calloc((size_t)schedule->stages, sizeof *critical->of_stage),
    };
    if (!critical->path || !critical->of_rank || !critical->of_stage) {
        pp_critical_release(critical);
        return pp_fail(error, PP_ENVIRONMENT,
                       "out of memory for the critical path through %zu ops", ops);
    }
    /* No op is met twice: each step back goes to an earlier one on the rank, or to one
     * that started before. The bound only guards against clocks out of step. */
    for (int64_t k = last_op(&path); k != PP_NO_OP && critical->count < ops;) {
        struct pp_path_op at;
        int64_t before = pp_step_back(&path, k, &at);
        add_op(critical, &path, at);
        k = before;
    }
    for (size_t i = 0, j = critical->count; i + 1 < j; i++) {
        struct pp_path_op swap = critical->path[i];
        critical->path[i] = critical->path[--j];
        critical->path[j] = swap;
    }
    return 0;
}

void pp_critical_release(struct pp_critical *critical)
{
    free(critical->path);
    free(critical->of_rank);
    free(critical->of_stage);
    *critical = (struct pp_critical){0};
}
