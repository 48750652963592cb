/* The sampler against the definition, written out: shares of all tokens, sorted, cut,
 * and walked along. */
#include "generate/sampler.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "unit.h"

enum { VOCAB = 37 };

/* Logits with ties, the same for the same number. */
static void make_logits(float *logits, int number)
{
    for (int v = 0; v < VOCAB; v++)
        logits[v] =
            (float)pp_below(pp_random(7, (uint64_t)number, (uint64_t)v), 12) / 2;
}

/* The tokens in the order in which they are kept: by logit, then by number. */
static void sort_tokens(int *tokens, const float *logits)
{
    for (int v = 0; v < VOCAB; v++)
        tokens[v] = v;
    for (int i = 0; i < VOCAB; i++)
        for (int j = i + 1; j < VOCAB; j++) {
            int a = tokens[i], b = tokens[j];
            if (logits[b] > logits[a] || (logits[b] == logits[a] && b < a)) {
                tokens[i] = b;
                tokens[j] = a;
            }
        }
}

/* The probability with which a token may be drawn, by the definition. */
static void probabilities(double *shares, const float *logits,
                          const struct pp_sampling *sampling)
{
    int tokens[VOCAB], count = sampling->top_k > 0 ? sampling->top_k : VOCAB;
    double sum = 0, kept = 0;
    sort_tokens(tokens, logits);
    count = count < VOCAB ? count : VOCAB;
    for (int v = 0; v < VOCAB; v++)
        shares[v] = 0;
    for (int i = 0; i < count; i++)
        sum += exp(((double)logits[tokens[i]] - logits[tokens[0]]) /
                   sampling->temperature);
    for (int i = 0; i < count && (i == 0 || kept < sampling->top_p * sum); i++) {
        shares[tokens[i]] = exp(((double)logits[tokens[i]] - logits[tokens[0]]) /
                                sampling->temperature);
        kept += shares[tokens[i]];
    }
    for (int v = 0; v < VOCAB; v++)
        shares[v] /= kept;
}

static const struct pp_sampling ways[] = {
    {.temperature = 1, .top_p = 1, .seed = 1},
    {.temperature = 0.7, .top_k = 5, .top_p = 1, .seed = 2},
    {.temperature = 2.5, .top_p = 0.8, .seed = 3},
    {.temperature = 1, .top_k = 9, .top_p = 0.6, .seed = 4},
    {.temperature = 1, .top_k = 1, .top_p = 1, .seed = 5},
    {.temperature = 1, .top_p = 0, .seed = 6},
    {.temperature = 1, .top_k = VOCAB + 1, .top_p = 1, .seed = 7},
};
enum { WAYS = sizeof ways / sizeof *ways };

/* Of many draws each token has as many as its probability says: the count's distance
 * from its mean is below six standard deviations, which one in 5e8 exceeds; the draws
 * are the same every time. Tokens that are cut off are never drawn. */
START_TEST(draws_follow_the_probabilities)
{
    enum { DRAWS = 20000 };
    const struct pp_sampling *sampling = &ways[_i];
    struct pp_sampler sampler;
    struct pp_error error = {0};
    float logits[VOCAB];
    double shares[VOCAB];
    int counts[VOCAB] = {0};
    make_logits(logits, _i);
    probabilities(shares, logits, sampling);
    ck_assert_int_eq(pp_sampler_init(&sampler, VOCAB, &error), 0);
    for (int position = 0; position < DRAWS; position++)
        counts[pp_sample(&sampler, sampling, 0, position, logits)]++;
    for (int v = 0; v < VOCAB; v++) {
        double mean = DRAWS * shares[v];
        double deviation = sqrt(DRAWS * shares[v] * (1 - shares[v]));
        ck_assert_msg(fabs(counts[v] - mean) <= 6 * deviation + 1e-9,
                      "token %d: %d of %g", v, counts[v], mean);
    }
    pp_sampler_release(&sampler);
}
END_TEST

START_TEST(a_draw_depends_on_its_counters_alone)
{
    struct pp_sampler sampler;
    struct pp_error error = {0};
    struct pp_sampling sampling = ways[0];
    float logits[VOCAB];
    int by_index = 0, by_position = 0, by_seed = 0;
    make_logits(logits, 1);
    ck_assert_int_eq(pp_sampler_init(&sampler, VOCAB, &error), 0);
    for (int i = 0; i < 100; i++) {
        int32_t token = pp_sample(&sampler, &sampling, 3, i, logits);
        ck_assert_int_eq(token, pp_sample(&sampler, &sampling, 3, i, logits));
        by_index += token != pp_sample(&sampler, &sampling, 4, i, logits);
        by_position += token != pp_sample(&sampler, &sampling, 3, i + 100, logits);
        sampling.seed++;
        by_seed += token != pp_sample(&sampler, &sampling, 3, i, logits);
        sampling.seed--;
    }
    ck_assert(by_index > 50 && by_position > 50 && by_seed > 50);
    pp_sampler_release(&sampler);
}
END_TEST

START_TEST(greedy_takes_the_lowest_of_equals)
{
    struct pp_sampler sampler;
    struct pp_error error = {0};
    const struct pp_sampling greedy = {.greedy = true};
    const struct pp_sampling cold = {.temperature = 0, .top_p = 1};
    float logits[VOCAB] = {0};
    ck_assert_int_eq(pp_sampler_init(&sampler, VOCAB, &error), 0);
    ck_assert_int_eq(pp_sample(&sampler, &greedy, 0, 0, logits), 0);
    logits[5] = logits[9] = 1;
    ck_assert_int_eq(pp_sample(&sampler, &greedy, 0, 0, logits), 5);
    ck_assert_int_eq(pp_sample(&sampler, &cold, 0, 0, logits), 5);
    pp_sampler_release(&sampler);
}
END_TEST

START_TEST(logits_that_are_not_finite_have_no_token)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY};
    struct pp_sampler sampler;
    struct pp_error error = {0};
    float logits[VOCAB] = {0};
    ck_assert_int_eq(pp_sampler_init(&sampler, VOCAB, &error), 0);
    logits[VOCAB - 1] = odd[_i];
    for (int way = 0; way < WAYS; way++)
        ck_assert_int_eq(pp_sample(&sampler, &ways[way], 0, 0, logits), -1);
    pp_sampler_release(&sampler);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sampler");
    TCase *tests = tcase_create("sampler");
    tcase_add_loop_test(tests, draws_follow_the_probabilities, 0, WAYS);
    tcase_add_test(tests, a_draw_depends_on_its_counters_alone);
    tcase_add_test(tests, greedy_takes_the_lowest_of_equals);
    tcase_add_loop_test(tests, logits_that_are_not_finite_have_no_token, 0, 3);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
