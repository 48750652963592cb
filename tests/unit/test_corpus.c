#include "model/corpus.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

enum { T = 16 };

static void draw(const struct pp_corpus *corpus, int64_t step, int64_t sample,
                 int32_t *tokens, int32_t *targets)
{
    struct pp_error error = {0};
    ck_assert_msg(pp_corpus_sample(corpus, step, sample, tokens, targets, &error) == 0,
                  "%s", error.text);
}

static void hold_out(const struct pp_corpus *corpus, int64_t sample, int64_t count,
                     int32_t *tokens, int32_t *targets)
{
    struct pp_error error = {0};
    ck_assert_msg(pp_corpus_held_out(corpus, sample, count, tokens, targets, &error) ==
                      0,
                  "%s", error.text);
}

static struct pp_corpus open_corpus(const char *path, uint64_t seed, int vocab)
{
    struct pp_corpus corpus;
    struct pp_error error = {0};
    ck_assert_msg(pp_corpus_init(&corpus, path, seed, vocab, T, &error) == 0, "%s",
                  error.text);
    return corpus;
}

/* ---- a file ---- */

START_TEST(a_sample_is_a_window_of_the_file)
{
    /* Each byte tells its offset. Three starts: the first, one between, the last. */
    unsigned char bytes[T + 3];
    int seen[3] = {0};
    for (int i = 0; i < T + 3; i++)
        bytes[i] = (unsigned char)(200 + i);
    struct pp_corpus corpus =
        open_corpus(unit_file("window", bytes, sizeof bytes), 1, 256);
    for (int sample = 0; sample < 300; sample++) {
        int32_t tokens[T], targets[T];
        draw(&corpus, 0, sample, tokens, targets);
        int start = tokens[0] - 200;
        ck_assert_int_ge(start, 0);
        ck_assert_int_lt(start, 3);
        seen[start]++;
        for (int i = 0; i < T; i++) {
            ck_assert_int_eq(tokens[i], bytes[start + i]);
            ck_assert_int_eq(targets[i], bytes[start + i + 1]);
        }
    }
    for (int start = 0; start < 3; start++)
        ck_assert_int_gt(seen[start], 60);
    ck_assert(isnan(pp_corpus_entropy_floor(&corpus)));
    pp_corpus_release(&corpus);
}
END_TEST

START_TEST(the_shortest_file_has_one_sample)
{
    struct pp_corpus corpus =
        open_corpus(unit_file("short", "abcdefghijklmnopq", T + 1), 1, 256);
    int32_t tokens[T], targets[T];
    for (int sample = 0; sample < 20; sample++) {
        draw(&corpus, 5, sample, tokens, targets);
        ck_assert_int_eq(tokens[0], 'a');
        ck_assert_int_eq(targets[T - 1], 'q');
    }
    pp_corpus_release(&corpus);
}
END_TEST

START_TEST(what_cannot_be_read_is_refused)
{
    unsigned char bytes[T + 10];
    memset(bytes, 7, sizeof bytes);
    bytes[12] = 130;
    bytes[14] = 201;
    const struct {
        const char *path;
        int vocab;
        const char *fragment;
    } cases[] = {
        {unit_path("missing"), 256, "No such file or directory"},
        {unit_path("."), 256, "it is a directory, not a regular file"},
        {"/dev/null", 256, "is a device or a pipe"},
        {unit_file("empty", "", 0), 256, "is empty"},
        {unit_file("tiny", bytes, T), 256,
         "holds 16 bytes, but '--seq-len' 16 needs 17 or more"},
        {unit_file("byte", bytes, sizeof bytes), 130,
         "holds the byte 130 at offset 12, but '--vocab' is 130: give '--vocab' 202 "
         "or more"},
    };
    struct pp_corpus corpus;
    struct pp_error error = {0};
    ck_assert_int_eq(
        pp_corpus_init(&corpus, cases[_i].path, 1, cases[_i].vocab, T, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, cases[_i].path, cases[_i].fragment, NULL);
}
END_TEST

START_TEST(the_vocabulary_named_works)
{
    unsigned char bytes[T + 10] = {0};
    bytes[20] = 201;
    struct pp_corpus corpus =
        open_corpus(unit_file("works", bytes, sizeof bytes), 1, 202);
    pp_corpus_release(&corpus);
}
END_TEST

/* Evenly from the first byte on, whatever the seed. */
START_TEST(held_out_samples_cover_the_file)
{
    enum { COUNT = 5, STARTS = 20 };
    unsigned char bytes[STARTS + T];
    for (int i = 0; i < STARTS + T; i++)
        bytes[i] = (unsigned char)i;
    const char *path = unit_file("held-out", bytes, sizeof bytes);
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct pp_corpus corpus = open_corpus(path, seed, 256);
        for (int sample = 0; sample < COUNT; sample++) {
            int32_t tokens[T], targets[T];
            hold_out(&corpus, sample, COUNT, tokens, targets);
            for (int i = 0; i < T; i++) {
                ck_assert_int_eq(tokens[i], sample * STARTS / COUNT + i);
                ck_assert_int_eq(targets[i], tokens[i] + 1);
            }
        }
        pp_corpus_release(&corpus);
    }
}
END_TEST

/* ---- the generated task ---- */

/* On the chain that is trained on, but none of a step's samples. */
START_TEST(held_out_samples_are_no_step_s)
{
    enum { V = 7, SAMPLES = 200 };
    int follows[V][V] = {{0}};
    struct pp_corpus corpus = open_corpus(NULL, 1, V);
    int32_t tokens[T], targets[T], held_out[T];
    for (int sample = 0; sample < SAMPLES; sample++) {
        draw(&corpus, 1, sample, tokens, targets);
        for (int i = 0; i < T; i++)
            follows[tokens[i]][targets[i]] = 1;
    }
    for (int sample = 0; sample < 4; sample++) {
        hold_out(&corpus, sample, 4, held_out, targets);
        for (int i = 0; i < T; i++)
            ck_assert(follows[held_out[i]][targets[i]]);
        for (int step = 0; step < 50; step++) {
            for (int other = 0; other < 8; other++) {
                draw(&corpus, step, other, tokens, targets);
                ck_assert_mem_ne(tokens, held_out, sizeof tokens);
            }
        }
    }
    pp_corpus_release(&corpus);
}
END_TEST

/* Every token is followed by min(4, vocab) others, as often by each. */
START_TEST(each_token_has_four_even_successors)
{
    enum { MOST = 16, SAMPLES = 4000 };
    static int follows[MOST][MOST];
    const int vocabs[] = {1, 2, 3, 4, 5, 16};
    int vocab = vocabs[_i], successors = vocab < 4 ? vocab : 4;
    bool chained = true; /* asserted once: an assertion of Check's is a system call */
    struct pp_corpus corpus = open_corpus(NULL, 11, vocab);
    for (int sample = 0; sample < SAMPLES; sample++) {
        int32_t tokens[T], targets[T];
        draw(&corpus, 3, sample, tokens, targets);
        for (int i = 0; i < T; i++) {
            chained = chained && (i == 0 || tokens[i] == targets[i - 1]) &&
                      targets[i] >= 0 && targets[i] < vocab;
            if (chained)
                follows[tokens[i]][targets[i]]++;
        }
    }
    ck_assert(chained);
    for (int from = 0; from < vocab; from++) {
        int count = 0, total = 0;
        for (int to = 0; to < vocab; to++) {
            count += follows[from][to] > 0;
            total += follows[from][to];
        }
        ck_assert_int_eq(count, successors);
        double expected = (double)total / successors;
        for (int to = 0; to < vocab; to++)
            if (follows[from][to] > 0)
                ck_assert_double_eq_tol(follows[from][to], expected,
                                        6 * sqrt(expected));
    }
    ck_assert_double_eq(pp_corpus_entropy_floor(&corpus), log(successors));
    pp_corpus_release(&corpus);
}
END_TEST

/* Over the seeds, each token is left out of the four as often as any other. */
START_TEST(successors_are_drawn_evenly)
{
    enum { V = 5, SEEDS = 400 };
    int left_out[V] = {0};
    for (int seed = 0; seed < SEEDS; seed++) {
        int follows[V][V] = {{0}};
        struct pp_corpus corpus = open_corpus(NULL, (uint64_t)seed, V);
        for (int sample = 0; sample < 60; sample++) {
            int32_t tokens[T], targets[T];
            draw(&corpus, 0, sample, tokens, targets);
            for (int i = 0; i < T; i++)
                follows[tokens[i]][targets[i]]++;
        }
        for (int to = 0; to < V; to++)
            left_out[to] += follows[0][to] == 0;
        pp_corpus_release(&corpus);
    }
    for (int to = 0; to < V; to++)
        ck_assert_int_ge(left_out[to], SEEDS / V / 2);
}
END_TEST

START_TEST(a_large_vocabulary_is_used_to_its_ends)
{
    struct pp_corpus corpus = open_corpus(NULL, 1, 50257);
    int32_t tokens[T], targets[T], lowest = 50257, highest = 0;
    for (int sample = 0; sample < 2000; sample++) {
        draw(&corpus, 0, sample, tokens, targets);
        lowest = targets[0] < lowest ? targets[0] : lowest;
        highest = targets[0] > highest ? targets[0] : highest;
    }
    ck_assert_int_lt(lowest, 500);
    ck_assert_int_gt(highest, 49757);
    ck_assert_int_lt(highest, 50257);
    pp_corpus_release(&corpus);
}
END_TEST

/* ---- both ---- */

static int same_sample(const struct pp_corpus *a, const struct pp_corpus *b,
                       int64_t step_a, int64_t sample_a, int64_t step_b,
                       int64_t sample_b)
{
    int32_t tokens[2][T], targets[2][T];
    draw(a, step_a, sample_a, tokens[0], targets[0]);
    draw(b, step_b, sample_b, tokens[1], targets[1]);
    return memcmp(tokens[0], tokens[1], sizeof tokens[0]) == 0 &&
           memcmp(targets[0], targets[1], sizeof targets[0]) == 0;
}

START_TEST(a_sample_depends_on_seed_step_and_number_alone)
{
    unsigned char bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 13);
    const char *path = _i == 0 ? NULL : unit_file("both", bytes, sizeof bytes);
    struct pp_corpus corpus = open_corpus(path, 1, 256);
    struct pp_corpus again = open_corpus(path, 1, 256);
    struct pp_corpus other = open_corpus(path, 2, 256);
    ck_assert(same_sample(&corpus, &again, 4, 9, 4, 9));
    ck_assert(same_sample(&corpus, &corpus, 4, 9, 4, 9));
    ck_assert(!same_sample(&corpus, &other, 4, 9, 4, 9));
    ck_assert(!same_sample(&corpus, &corpus, 4, 9, 4, 10));
    ck_assert(!same_sample(&corpus, &corpus, 4, 9, 5, 9));
    ck_assert(!same_sample(&corpus, &corpus, 4, 9, 9, 4));
    pp_corpus_release(&corpus);
    pp_corpus_release(&again);
    pp_corpus_release(&other);
}
END_TEST

START_TEST(a_file_that_changes_is_an_error)
{
    struct pp_corpus corpus;
    struct pp_error error = {0};
    int32_t tokens[4], targets[4];
    const char *path = unit_file("changes", "aaaaaaaaaaaaaaaa", 16);
    ck_assert_int_eq(pp_corpus_init(&corpus, path, 1, 100, 4, &error), 0);
    draw(&corpus, 1, 0, tokens, targets);
    unit_file("changes", "zzzzzzzzzzzzzzzz", 16);
    ck_assert_int_eq(pp_corpus_sample(&corpus, 1, 0, tokens, targets, &error), -1);
    unit_expect_error(&error, PP_ENVIRONMENT, path, "holds the byte 122", NULL);
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert_int_eq(pp_corpus_sample(&corpus, 1, 0, tokens, targets, &error), -1);
    unit_expect_error(&error, PP_ENVIRONMENT, path, "has become shorter", NULL);
    pp_corpus_release(&corpus);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("corpus");
    TCase *tests = tcase_create("corpus");
    tcase_add_test(tests, a_sample_is_a_window_of_the_file);
    tcase_add_test(tests, the_shortest_file_has_one_sample);
    tcase_add_test(tests, a_file_that_changes_is_an_error);
    tcase_add_test(tests, held_out_samples_cover_the_file);
    tcase_add_test(tests, held_out_samples_are_no_step_s);
    tcase_add_loop_test(tests, what_cannot_be_read_is_refused, 0, 6);
    tcase_add_test(tests, the_vocabulary_named_works);
    tcase_add_loop_test(tests, each_token_has_four_even_successors, 0, 6);
    tcase_add_test(tests, successors_are_drawn_evenly);
    tcase_add_test(tests, a_large_vocabulary_is_used_to_its_ends);
    tcase_add_loop_test(tests, a_sample_depends_on_seed_step_and_number_alone, 0, 2);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
