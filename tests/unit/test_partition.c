#include "model/partition.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static const struct pp_model_config model = {.layers = 8,
                                             .d_model = 128,
                                             .heads = 4,
                                             .seq_len = 64,
                                             .microbatch_size = 4,
                                             .vocab = 256};

/* Stages on ranks of their own, by their FLOPs. */
static int partition(const struct pp_model_config *config, const char *split,
                     int stages, int *layers_of, struct pp_error *error)
{
    struct pp_stage_work work[1000];
    int rank_of[1000];
    for (int s = 0; s < stages; s++)
        rank_of[s] = s;
    pp_work_of_flops(config, stages, rank_of, NULL, work);
    return pp_partition(config, split, stages, work, layers_of, error);
}

static void expect(const struct pp_model_config *config, const char *split, int stages,
                   const char *expected)
{
    int layers_of[64];
    char text[256] = "";
    struct pp_error error = {0};
    ck_assert_msg(partition(config, split, stages, layers_of, &error) == 0, "%s",
                  error.text);
    for (int s = 0; s < stages; s++)
        sprintf(text + strlen(text), "%s%d", s > 0 ? "," : "", layers_of[s]);
    ck_assert_str_eq(text, expected);
}

START_TEST(even_gives_the_remainder_to_the_first_stages)
{
    expect(&model, NULL, 4, "2,2,2,2");
    expect(&model, "even", 3, "3,3,2");
    expect(&model, "even", 5, "2,2,2,1,1");
    expect(&model, "even", 8, "1,1,1,1,1,1,1,1");
    expect(&model, "even", 1, "8");
}
END_TEST

START_TEST(a_list_is_taken_as_it_is)
{
    expect(&model, "3,2,2,1", 4, "3,2,2,1");
    expect(&model, "8", 1, "8");
    expect(&model, "1,7", 2, "1,7");
}
END_TEST

START_TEST(auto_relieves_a_heavy_head)
{
    struct pp_model_config config = model;
    config.vocab = 16;
    expect(&config, "auto", 4, "2,2,2,2");
    /* V = 12 C: the head weighs about one layer. */
    config.vocab = 50257;
    expect(&config, "auto", 4, "3,2,2,1");
    expect(&config, "auto", 1, "8");
    /* V = 12 C + 2 T: the head weighs exactly one layer, 2,2,2,2 and 3,2,2,1 are as
     * heavy: the even one. */
    config.vocab = 12 * config.d_model + 2 * config.seq_len;
    expect(&config, "auto", 4, "2,2,2,2");
}
END_TEST

static double heaviest(const struct pp_model_config *config, int stages,
                       const int *layers_of)
{
    double most = 0;
    for (int s = 0; s < stages; s++) {
        struct pp_flops flops = pp_stage_flops(config, layers_of[s], s == stages - 1);
        double sum = flops.forward + flops.input + flops.weight;
        most = sum > most ? sum : most;
    }
    return most;
}

/* The smallest heaviest stage over every split of the remaining layers. */
static double best_of_all(const struct pp_model_config *config, int stages, int stage,
                          int left, int *layers_of)
{
    if (stage == stages - 1) {
        layers_of[stage] = left;
        return heaviest(config, stages, layers_of);
    }
    double best = -1;
    for (int n = 1; n <= left - (stages - 1 - stage); n++) {
        layers_of[stage] = n;
        double value = best_of_all(config, stages, stage + 1, left - n, layers_of);
        best = best < 0 || value < best ? value : best;
    }
    return best;
}

START_TEST(auto_is_as_good_as_trying_every_split)
{
    const int vocabs[] = {16, 256, 1500, 3000, 6000, 50257};
    struct pp_model_config config = model;
    config.vocab = vocabs[_i];
    for (config.layers = 1; config.layers <= 10; config.layers++) {
        for (int stages = 1; stages <= config.layers; stages++) {
            int found[10], trial[10], sum = 0;
            struct pp_error error = {0};
            ck_assert_int_eq(partition(&config, "auto", stages, found, &error), 0);
            for (int s = 0; s < stages; s++) {
                ck_assert_int_ge(found[s], 1);
                sum += found[s];
            }
            ck_assert_int_eq(sum, config.layers);
            double best = best_of_all(&config, stages, 0, config.layers, trial);
            ck_assert_double_eq(heaviest(&config, stages, found), best);
        }
    }
}
END_TEST

/* The least that the rank which does most can do, over every split of the layers. */
static double least_load(const struct pp_stage_work *work, int stages, int stage,
                         int left, const double *load, int ranks)
{
    double with[8], best = -1;
    memcpy(with, load, (size_t)ranks * sizeof *with);
    with[work[stage].rank] += work[stage].extra;
    for (int n = 1; n <= left - (stages - 1 - stage); n++) {
        double value = 0;
        with[work[stage].rank] += work[stage].layer;
        if (stage < stages - 1)
            value = least_load(work, stages, stage + 1, left - n, with, ranks);
        else if (n < left)
            continue;
        for (int r = 0; r < ranks && stage == stages - 1; r++)
            value = with[r] > value ? with[r] : value;
        best = best < 0 || value < best ? value : best;
    }
    return best;
}

/* Slow ranks, several stages on a rank, loop and V: against every split. */
START_TEST(auto_relieves_the_rank_that_does_most)
{
    static const double slow[] = {1, 3, 0.5, 1.5};
    struct pp_model_config config = model;
    config.vocab = _i & 1 ? 3000 : 256;
    for (int ranks = 1; ranks <= 4; ranks++)
        for (int stages = ranks; stages <= 2 * ranks; stages += ranks)
            for (config.layers = stages; config.layers <= stages + 6; config.layers++) {
                struct pp_stage_work work[8];
                int rank_of[8], layers_of[8], sum = 0;
                double none[4] = {0}, load[4] = {0}, most = 0;
                struct pp_error error = {0};
                for (int s = 0; s < stages; s++)
                    rank_of[s] = _i & 2 && s >= ranks ? stages - 1 - s : s % ranks;
                pp_work_of_flops(&config, stages, rank_of, slow, work);
                ck_assert_int_eq(
                    pp_partition(&config, "auto", stages, work, layers_of, &error), 0);
                for (int s = 0; s < stages; s++) {
                    sum += layers_of[s];
                    load[rank_of[s]] += layers_of[s] * work[s].layer + work[s].extra;
                }
                ck_assert_int_eq(sum, config.layers);
                for (int r = 0; r < ranks; r++)
                    most = load[r] > most ? load[r] : most;
                double best = least_load(work, stages, 0, config.layers, none, ranks);
                ck_assert_double_le(most, best * (1 + 1e-12));
            }
}
END_TEST

/* Counted by hand: N = 256 tokens, C = 128, T = 64. One layer's four projections take
 * 2 * 256 * 12 * 128^2 in forward and in each half of backward; one product of
 * attention 2 * 256 * 64 * 128; the head 2 * 256 * 128 * 256. */
START_TEST(flops_count_the_gemms)
{
    const double projections = 100663296, product = 4194304, logits = 16777216;
    struct pp_flops inner = pp_stage_flops(&model, 2, false);
    ck_assert_double_eq(inner.forward, 2 * (projections + 2 * product));
    ck_assert_double_eq(inner.input, 2 * (projections + 4 * product));
    ck_assert_double_eq(inner.weight, 2 * projections);
    struct pp_flops head = pp_stage_flops(&model, 0, true);
    ck_assert_double_eq(head.forward, logits);
    ck_assert_double_eq(head.input, logits);
    ck_assert_double_eq(head.weight, logits);
}
END_TEST

static const struct {
    const char *split;
    int stages;
    const char *fragment;
} refused[] = {
    {NULL, 9, "8 layers cannot fill 9 stages: give '--layers' 9 or more"},
    {"auto", 12, "'--ranks' times '--chunks' of at most 8"},
    {"3,2", 4,
     "'--layer-split' 3,2 names 2 stages, but the schedule has 4: give 4 numbers "
     "that sum to 8, such as 2,2,2,2"},
    {"8", 2, "'--layer-split' 8 names 1 stage, but the schedule has 2"},
    {"2,2,2,2,0", 4, "column 9: want a number of layers from 1 to 8"},
    {"1,2,2,2,1", 4, "names 5 stages"},
    {"3,2,2,2", 4,
     "sums to 9, but the model has 8 layers: give numbers that sum to 8, such as "
     "2,2,2,2"},
    {"8,0", 2, "'--layer-split' '8,0', column 3: want a number of layers from 1 to 8"},
    {"-1,9", 2,
     "'--layer-split' '-1,9', column 1: want 'even', 'auto', or the layers of each "
     "stage, such as 4,4"},
    {"4,,4", 2, "'4,,4', column 3: want a number"},
    {"4,4,", 2, "'4,4,', column 5: want a number"},
    {",4,4", 2, "',4,4', column 1: want 'even'"},
    {"4 4", 2, "'4 4', column 2: want the end, not ' 4'"},
    {" 4,4", 2, "' 4,4', column 1: want 'even'"},
    {"", 2, "'', column 1: want 'even'"},
    {"Even", 2, "'Even', column 1: want 'even'"},
    {"4,4x", 2, "'4,4x', column 4: want the end, not 'x'"},
    {"4,9", 2, "column 3: want a number of layers from 1 to 8"},
    {"9223372036854775807,1", 2, "column 1: want a number of layers from 1 to 8"},
    {"99999999999999999999999,1", 2, "column 1: want a number of layers from 1 to 8"},
    {"4294967300,4", 2, "column 1: want a number of layers from 1 to 8"},
};

START_TEST(what_cannot_work_is_refused)
{
    int layers_of[16];
    struct pp_error error = {0};
    for (int s = 0; s < 16; s++)
        layers_of[s] = -7;
    ck_assert_int_eq(
        partition(&model, refused[_i].split, refused[_i].stages, layers_of, &error),
        -1);
    unit_expect_error(&error, PP_BAD_INPUT, refused[_i].fragment, NULL);
    for (int s = refused[_i].stages; s < 16; s++)
        ck_assert_int_eq(layers_of[s], -7);
}
END_TEST

START_TEST(a_long_example_is_cut)
{
    struct pp_model_config config = model;
    config.layers = 4000;
    int layers_of[1000];
    struct pp_error error = {0};
    ck_assert_int_eq(partition(&config, "1", 1000, layers_of, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "such as 4,4,4,", "4,...", NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("partition");
    TCase *tests = tcase_create("partition");
    tcase_add_test(tests, even_gives_the_remainder_to_the_first_stages);
    tcase_add_test(tests, a_list_is_taken_as_it_is);
    tcase_add_test(tests, auto_relieves_a_heavy_head);
    tcase_add_loop_test(tests, auto_is_as_good_as_trying_every_split, 0, 6);
    tcase_add_loop_test(tests, auto_relieves_the_rank_that_does_most, 0, 4);
    tcase_add_test(tests, flops_count_the_gemms);
    tcase_add_loop_test(tests, what_cannot_work_is_refused, 0,
                        sizeof refused / sizeof *refused);
    tcase_add_test(tests, a_long_example_is_cut);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
