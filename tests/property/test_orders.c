/* interleaved-1f1b against the rules of Megatron-Core and torch.distributed.pipelining,
 * written again from how those projects state them. */
#include <stdlib.h>

#include "../unit/replay.h"
#include "../unit/unit.h"

/* One rank's ops as the other project orders them. */
struct order {
    struct pp_op *ops;
    size_t count;
};

static void append(struct order *order, enum pp_kind kind, int stage, int microbatch)
{
    order->ops[order->count++] = (struct pp_op){
        .stage = (uint32_t)stage,
        .kind = kind,
        .microbatch = (uint32_t)microbatch & (PP_MAX_MICROBATCHES - 1),
    };
}

/* Megatron-Core, megatron/core/pipeline_parallel/schedules.py: a schedule table of
 * (microbatch, model chunk) pairs per virtual microbatch; forwards follow it, backwards
 * with the chunks mirrored. */
static void megatron(struct order *order, const struct pp_shape *shape, int rank)
{
    int p = shape->ranks, chunks = shape->chunks, m = shape->microbatches;
    int group = shape->group_size, total = m * chunks, entries = 0;
    int(*table)[2] = malloc((size_t)total * sizeof *table);
    for (int start = 0; start < m; start += group) {
        int end = start + group >= m ? m : start + group;
        for (int chunk = 0; chunk < chunks; chunk++)
            for (int microbatch = start; microbatch < end; microbatch++) {
                table[entries][0] = microbatch;
                table[entries++][1] = chunk;
            }
    }
    int warmup = (p - rank - 1) * 2 + (chunks - 1) * group;
    if (warmup >= total)
        warmup = total;
    for (int k = 0; k < warmup; k++)
        append(order, PP_F, table[k][1] * p + rank, table[k][0]);
    for (int k = 0; k < total - warmup; k++) {
        append(order, PP_F, table[k + warmup][1] * p + rank, table[k + warmup][0]);
        append(order, PP_B, (chunks - table[k][1] - 1) * p + rank, table[k][0]);
    }
    for (int k = total - warmup; k < total; k++)
        append(order, PP_B, (chunks - table[k][1] - 1) * p + rank, table[k][0]);
    free(table);
}

/* torch/distributed/pipelining/schedules.py: steps are mapped to a stage, and each
 * stage counts its own microbatches. */
static void torch(struct order *order, const struct pp_shape *shape, int rank)
{
    int p = shape->ranks, local = shape->chunks, m = shape->microbatches;
    int per_round = shape->group_size, total = local * m;
    int forwards[16] = {0}, backwards[16] = {0};
    int warmup = (local - 1) * per_round + 2 * (p - 1 - rank);
    if (warmup > total)
        warmup = total;
    for (int step = 0; step < total + warmup; step++) {
        if (step < total) {
            int index = step / per_round % local;
            append(order, PP_F, index * p + rank, forwards[index]++);
        }
        if (step >= warmup) {
            int index = local - 1 - (step - warmup) / per_round % local;
            append(order, PP_B, index * p + rank, backwards[index]++);
        }
    }
}

static void check_order(struct pp_shape shape,
                        void (*rule)(struct order *, const struct pp_shape *, int))
{
    struct replay replay;
    size_t count = 2 * (size_t)shape.chunks * (size_t)shape.microbatches;
    ck_assert(replay_init(&replay, pp_catalogue_find("interleaved-1f1b"), &shape));
    struct order order = {.ops = malloc(count * sizeof *order.ops)};
    for (int rank = 0; rank < shape.ranks; rank++) {
        order.count = 0;
        rule(&order, &shape, rank);
        ck_assert_uint_eq(order.count, count);
        const struct pp_op *ops = &replay.schedule.ops[replay.schedule.first[rank]];
        size_t same = 0;
        while (same < order.count && ops[same].stage == order.ops[same].stage &&
               ops[same].kind == order.ops[same].kind &&
               ops[same].microbatch == order.ops[same].microbatch)
            same++;
        ck_assert_msg(same == order.count,
                      "p=%d v=%d m=%d N=%d: op %zu of rank %d differs", shape.ranks,
                      shape.chunks, shape.microbatches, shape.group_size, same, rank);
    }
    free(order.ops);
    replay_release(&replay);
}

/* Megatron takes groups of p to m microbatches, the last of at least p or none. */
START_TEST(megatron_order)
{
    int p = _i;
    for (int v = 1; v <= 4; v++)
        for (int m = 1; m <= 64; m++)
            for (int N = p; N <= m; N++)
                if (m % N == 0 || m % N >= p)
                    check_order((struct pp_shape){p, v, m, N}, megatron);
}
END_TEST

/* torch chooses the group itself: rounds of at least p, which must come out even. */
START_TEST(torch_order)
{
    int p = _i;
    for (int v = 1; v <= 4; v++)
        for (int m = 1; m <= 64; m++) {
            int rounds = m / p > 1 ? m / p : 1;
            if (m % rounds == 0)
                check_order((struct pp_shape){p, v, m, m / rounds}, torch);
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("orders");
    TCase *tcase = tcase_create("orders");
    tcase_add_loop_test(tcase, megatron_order, 1, 9);
    tcase_add_loop_test(tcase, torch_order, 1, 9);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
