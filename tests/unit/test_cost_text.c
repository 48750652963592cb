/* The cost model as text spells it. */
#include <string.h>

#include "simulate/cost_text.h"
#include "simulate/device.h"
#include "unit.h"

/* Stages 0, 1 and 2 on so many ranks, one after the other. */
static struct pp_schedule three_stages(int ranks)
{
    struct pp_schedule schedule;
    struct pp_error error = {0};
    ck_assert_int_eq(pp_schedule_init(&schedule, ranks, 3, 1, PP_LOOP, &error), 0);
    return schedule;
}

static void read(struct pp_costs *costs, const char *text,
                 const struct pp_schedule *schedule, double scale)
{
    struct pp_error error = {0};
    ck_assert_msg(pp_cost_text(text, schedule, scale, costs, &error) == 0, "%s",
                  error.text);
}

START_TEST(costs_from_text)
{
    struct pp_costs costs;
    struct pp_error error = {0};
    struct pp_schedule schedule = three_stages(3);
    ck_assert_int_eq(pp_costs_init(&costs, 3, &error), 0);
    read(&costs, "f=1:2us:0.5,b=3,comm=5us,joined=4", &schedule, 1);
    ck_assert_int_eq(costs.op[0][PP_F], 1000000);
    ck_assert_int_eq(costs.op[1][PP_F], 2000);
    ck_assert_int_eq(costs.op[2][PP_F], 500000);
    ck_assert_int_eq(costs.op[2][PP_B], 3000000);
    ck_assert_int_eq(costs.op[2][PP_I], 1500000);
    ck_assert_int_eq(costs.op[2][PP_W], 1500000);
    ck_assert_int_eq(costs.near.latency, 5000);
    ck_assert_int_eq(costs.far.latency, 5000);
    ck_assert_int_eq(costs.joined[2], 4000000);
    read(&costs, "f=1,2 US,.5,b=3MS", &schedule, 1);
    ck_assert_int_eq(costs.op[0][PP_F], 1000000);
    ck_assert_int_eq(costs.op[1][PP_F], 2000);
    ck_assert_int_eq(costs.op[2][PP_F], 500000);
    ck_assert_int_eq(costs.op[2][PP_B], 3000000);
    ck_assert_double_eq(costs.joined_factor, 1);
    read(&costs, "f=1,i=2,w=0.25", &schedule, 1);
    ck_assert_int_eq(costs.op[1][PP_B], 2250000);
    ck_assert_int_eq(pp_link_text("link",
                                  "latency=5us,bandwidth=10GB/s,send=1us,receive=2us,"
                                  "serialise",
                                  &costs.near, &error),
                     0);
    ck_assert_int_eq(costs.near.latency, 5000);
    ck_assert_double_eq(costs.near.bandwidth, 1e10);
    ck_assert_int_eq(costs.near.sender, 1000);
    ck_assert_int_eq(costs.near.receiver, 2000);
    ck_assert(costs.near.serialise);

    struct pp_device device;
    struct pp_work work[3] = {{1e12, 2e12, 3e12, 0}, {0, 0, 0, 1e9}, {0, 0, 0, 0}};
    ck_assert_int_eq(pp_device_text("flops=1TFLOPS,bandwidth=2GB/s", &device, &error),
                     0);
    pp_costs_derive(&costs, &device, work);
    ck_assert_int_eq(costs.op[0][PP_B], 5000000000);
    ck_assert_int_eq(costs.op[1][PP_F], 500000000);
    pp_costs_release(&costs);
    pp_schedule_release(&schedule);
}
END_TEST

/* A factor is of each pair's own sum: nothing is shared, nothing scaled. */
START_TEST(joined_pairs_by_a_factor)
{
    struct pp_costs costs;
    struct pp_error error = {0};
    struct pp_schedule schedule = three_stages(2);
    ck_assert_int_eq(pp_costs_init(&costs, 3, &error), 0);
    ck_assert_double_eq(costs.joined_factor, 1);
    read(&costs, "f=1,b=2,joined=0.8x", &schedule, 3);
    ck_assert_double_eq(costs.joined_factor, 0.8);
    ck_assert_ptr_null(costs.joined);
    read(&costs, "joined=.5 x ,f=1,b=2", &schedule, 1);
    ck_assert_double_eq(costs.joined_factor, 0.5);
    pp_costs_release(&costs);
    pp_schedule_release(&schedule);
}
END_TEST

static void expect_ops(const struct pp_costs *costs, int stage, int64_t f, int64_t b,
                       int64_t i, int64_t w)
{
    ck_assert_int_eq(costs->op[stage][PP_F], f);
    ck_assert_int_eq(costs->op[stage][PP_B], b);
    ck_assert_int_eq(costs->op[stage][PP_I], i);
    ck_assert_int_eq(costs->op[stage][PP_W], w);
}

/* One number is shared by the stages of a rank; a list is of stages, as it stands. Rank
 * 0 has stages 0 and 2, rank 1 has stage 1. */
START_TEST(one_number_is_of_a_whole_rank)
{
    struct pp_costs costs;
    struct pp_error error = {0};
    struct pp_schedule schedule = three_stages(2);
    ck_assert_int_eq(pp_costs_init(&costs, 3, &error), 0);
    read(&costs, "f=3,b=5ns,comm=7ns,joined=4", &schedule, 1);
    expect_ops(&costs, 0, 1500000, 3, 2, 1); /* 2.5, 1.5 and 1 */
    expect_ops(&costs, 1, 3000000, 5, 3, 2);
    expect_ops(&costs, 2, 1500000, 3, 2, 1);
    ck_assert_int_eq(costs.near.latency, 7);
    ck_assert_int_eq(costs.joined[0], 2000000);
    ck_assert_int_eq(costs.joined[1], 4000000);
    read(&costs, "f=1,2,3,b=6,i=1,2,2", &schedule, 1);
    expect_ops(&costs, 0, 1000000, 3000000, 1000000, 1500000);
    expect_ops(&costs, 1, 2000000, 6000000, 2000000, 3000000);
    read(&costs, "f=8,i=1,2,3,w=4", &schedule, 1);
    expect_ops(&costs, 2, 4000000, 5000000, 3000000, 2000000);
    read(&costs, "f=1ns,b=3ns,comm=1ns", &schedule, 2);
    expect_ops(&costs, 0, 1, 3, 2, 1);
    expect_ops(&costs, 1, 2, 6, 4, 2);
    ck_assert_int_eq(costs.far.latency, 2);
    pp_costs_release(&costs);
    pp_schedule_release(&schedule);
}
END_TEST

static const char *const refused[][3] = {
    {"cost", "f=-1,b=2", "'--cost' 'f=-1,b=2', column 3, key 'f': '-1' is negative"},
    {"cost", "f=nan,b=2",
     "'--cost' 'f=nan,b=2', column 3, key 'f': 'nan' is not a number"},
    {"cost", "f=inf,b=2",
     "'--cost' 'f=inf,b=2', column 3, key 'f': 'inf' is not a number"},
    {"cost", "f=0x1,b=2",
     "'--cost' 'f=0x1,b=2', column 3, key 'f': '0x1' is not a decimal number"},
    {"cost", "f=,b=2", "'--cost' 'f=,b=2', column 3, key 'f': a number is missing"},
    {"cost", "f=1,b", "'--cost' 'f=1,b', column 6, key 'b': a number is missing"},
    {"cost", "f=1:2,b=2",
     "'--cost' 'f=1:2,b=2', column 3, key 'f': 2 costs for 3 stages: give one for all, "
     "or one per stage"},
    {"cost", "f=1,2,3,4,b=2",
     "'--cost' 'f=1,2,3,4,b=2', column 3, key 'f': 4 costs for 3 stages: give one for "
     "all, or one per stage"},
    {"cost", "f=1:2:,b=2",
     "'--cost' 'f=1:2:,b=2', column 7, key 'f': a number is missing"},
    {"cost", "f=1,f=2", "'--cost' 'f=1,f=2', column 5: key 'f' is given twice"},
    {"cost", "f=1,g=2",
     "'--cost' 'f=1,g=2', column 5: no key named 'g': the keys are f, b, i, w, prefill, decode, comm, "
     "joined and reduce"},
    {"cost", "f=1,b=2m",
     "'--cost' 'f=1,b=2m', column 8, key 'b': no unit named 'm': use ns, us, ms (if "
     "none is given) or s"},
    {"cost", "f=1,b=2,comm=1:2",
     "'--cost' 'f=1,b=2,comm=1:2', column 15, key 'comm': want ',' or the end"},
    {"cost", "f=1,b=2,joined=0.0x",
     "'--cost' 'f=1,b=2,joined=0.0x', column 16, key 'joined': want a factor greater "
     "than 0"},
    {"cost", "f=1,b=2,joined=-1x",
     "'--cost' 'f=1,b=2,joined=-1x', column 16, key 'joined': '-1x' is negative"},
    {"cost", "f=1,b=2,joined=2xs",
     "'--cost' 'f=1,b=2,joined=2xs', column 18, key 'joined': want ',' or the end"},
    {"cost", "b=2", "'--cost' lacks f, the time of a forward: give f=1,b=2"},
    {"cost", "f=1,i=1",
     "'--cost' lacks b, the time of a backward, or both its halves: "
     "give b=2, or i=1,w=1"},
    {"cost", "f=1e400,b=1",
     "'--cost' 'f=1e400,b=1', column 3, key 'f': '1e400' is too large"},
    {"link", "bandwidth=0",
     "'--link' 'bandwidth=0', column 11, key 'bandwidth': '0' must be greater than 0"},
    {"link", "serialise=1",
     "'--link' 'serialise=1', column 11, key 'serialise': this key takes no value"},
    {"slow", "3:2", "'--slow' '3:2', column 1: want a rank from 0 to 2"},
    {"slow", "1:2,x", "'--slow' '1:2,x', column 5: want a rank from 0 to 2"},
    {"slow", "1", "'--slow' '1', column 2: want ':' and a factor, as in 3:1.5"},
    {"slow", "1:0", "'--slow' '1:0', column 3: '0' must be greater than 0"},
    {"slow", "1:2,1:3", "'--slow' '1:2,1:3', column 5: rank 1 is given twice"},
    {"slow", "1:2:3", "'--slow' '1:2:3', column 4: want the end, not ':3'"},
    {"jitter", "normal:1",
     "'--jitter' 'normal:1', column 1: want lognormal:SIGMA, as in lognormal:0.05"},
    {"jitter", "lognormal:9",
     "'--jitter' 'lognormal:9', column 11: want a sigma from 0 to 2"},
    {"jitter", "lognormal:1,2",
     "'--jitter' 'lognormal:1,2', column 12: want the end, not ',2'"},
    {"device", "bandwidth=1",
     "'--device' lacks flops: give "
     "flops=100TFLOPS,bandwidth=1TB/s"},
};

START_TEST(texts_refused)
{
    const char *option = refused[_i][0], *text = refused[_i][1];
    struct pp_costs costs;
    struct pp_device device;
    struct pp_error error = {0};
    struct pp_schedule schedule = three_stages(3);
    int result;
    ck_assert_int_eq(pp_costs_init(&costs, 3, &error), 0);
    if (strcmp(option, "cost") == 0)
        result = pp_cost_text(text, &schedule, 1, &costs, &error);
    else if (strcmp(option, "link") == 0)
        result = pp_link_text("link", text, &costs.near, &error);
    else if (strcmp(option, "slow") == 0)
        result = pp_slow_text(text, 3, &costs.slow, &error);
    else if (strcmp(option, "jitter") == 0)
        result = pp_jitter_text(text, &costs, &error);
    else
        result = pp_device_text(text, &device, &error);
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(error.status, PP_BAD_INPUT);
    ck_assert_str_eq(error.text, refused[_i][2]);
    pp_costs_release(&costs);
    pp_schedule_release(&schedule);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cost_text");
    TCase *tests = tcase_create("cost_text");
    tcase_add_test(tests, costs_from_text);
    tcase_add_test(tests, joined_pairs_by_a_factor);
    tcase_add_test(tests, one_number_is_of_a_whole_rank);
    tcase_add_loop_test(tests, texts_refused, 0, sizeof refused / sizeof refused[0]);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
