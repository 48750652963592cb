/* Schedule files: what is read, what is refused and how, and that what is written can
 * be read. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schedule/csv.h"
#include "unit.h"

/* Reads a file of the given content. */
static int read_text(struct pp_schedule *schedule, const char *text, size_t size,
                     struct pp_error *error)
{
    return pp_csv_read(schedule, unit_file("schedule.csv", text, size), error);
}

/* What is written of a file of that text; to be freed. */
static char *rewritten(const char *text, bool communication)
{
    struct pp_schedule schedule;
    struct pp_error error = {0};
    char *written = NULL;
    size_t size = 0;
    ck_assert_msg(read_text(&schedule, text, strlen(text), &error) == 0, "%s",
                  error.text);
    FILE *stream = open_memstream(&written, &size);
    ck_assert_int_eq(pp_csv_write(&schedule, stream, communication, &error), 0);
    fclose(stream);
    pp_schedule_release(&schedule);
    return written;
}

static void accept(const char *text, const char *ops)
{
    char *written = rewritten(text, false);
    ck_assert_str_eq(written, ops);
    free(written);
}

/* The whole message, less the file's path in front of each line, or less the path's
 * directory where more than the place is said of the file. */
static void refuse(const char *text, const char *message)
{
    struct pp_schedule schedule;
    struct pp_error error = {0};
    char shown[sizeof error.text] = "";
    const char *path = unit_file("schedule.csv", text, strlen(text));
    ck_assert_msg(pp_csv_read(&schedule, path, &error) == -1, "%s", text);
    ck_assert_int_eq(error.status, PP_BAD_INPUT);
    for (char *line = strtok(error.text, "\n"); line; line = strtok(NULL, "\n")) {
        size_t length = strlen(path) + 2;
        bool named = line[0] == '\'' && strncmp(line + 1, path, length - 2) == 0;
        bool placed = named && strncmp(line + length, ", ", 2) == 0;
        strcat(shown, shown[0] ? "\n" : "");
        strcat(shown, named && !placed ? "'schedule.csv'" : "");
        strcat(shown, line + (placed ? length + 2 : named ? length : 0));
    }
    ck_assert_str_eq(shown, message);
    ck_assert_ptr_null(schedule.ops);
}

START_TEST(forms_of_cells)
{
    const char *plain = "0F0,0F1,0B0,0B1\n";
    accept("0F0,0F1,0B0,0B1\n", plain);
    accept("0F0,0F1,0B0,0B1", plain);
    accept("0F0,0F1,0B0,0B1\r\n\r\n\n", plain);
    accept(",0F0,,0F1,0B0,  ,0B1,,\n", plain);
    accept("\" 0F0\",\t0F1 ,\"0B0\" ,\"\",0B1\n", plain);
    accept("\xef\xbb\xbf"
           "0F0,0F1,0B0,0B1\n",
           plain);
    accept("0UNSHARD,0F0,0F1,0B0,0B1,0RESHARD,0REDUCE_GRAD\n", plain);
    accept("0F0,0F1,0I0,0W0,0I1,0W1\n", "0F0,0F1,0I0,0W0,0I1,0W1\n");
    accept("0F0,0F1,(0F2;0B0)OVERLAP_F_B,0B1,0B2\n",
           "0F0,0F1,(0F2;0B0)OVERLAP_F_B,0B1,0B2\n");
}
END_TEST

/* Three stages on two ranks. */
START_TEST(uneven_ranks)
{
    struct pp_schedule schedule;
    struct pp_error error = {0};
    const char *text = "0F0,2F0,2B0,0B0\n1F0,1B0\n";
    ck_assert_int_eq(read_text(&schedule, text, strlen(text), &error), 0);
    ck_assert_int_eq(schedule.ranks, 2);
    ck_assert_int_eq(schedule.stages, 3);
    ck_assert_int_eq(schedule.chunks, 2);
    ck_assert_int_eq(schedule.microbatches, 1);
    ck_assert_int_eq(schedule.rank_of[2], 0);
    ck_assert_int_eq(schedule.chunk_of[2], 1);
    ck_assert_str_eq(schedule.name, "schedule.csv");
    pp_schedule_release(&schedule);
}
END_TEST

START_TEST(wrong_cells)
{
    refuse("0F0,0F0xyz,0B0",
           "rank 0, cell 2: '0F0xyz': text follows the action: cells have "
           "commas between them");
    refuse("F0", "rank 0, cell 1: 'F0': an action begins with the number of its stage, "
                 "as in 0F3");
    refuse("0F", "rank 0, cell 1: '0F': an action ends with the number of its "
                 "microbatch, as in 0F3");
    refuse("0F0,0X0", "rank 0, cell 2: '0X0': the action must be F, B, I, W, SEND_F, "
                      "RECV_F, SEND_B, RECV_B, UNSHARD, RESHARD or REDUCE_GRAD");
    refuse("0F0,\"0B0", "rank 0, cell 2: '\"0B0': a quoted cell ends with its closing "
                        "quote");
    refuse("0F268435456,99999999999F0",
           "rank 0, cell 1: '0F268435456': the microbatch's number is too large: the "
           "last one possible is 268435455\n"
           "rank 0, cell 2: '99999999999F0': the stage's number is too large");
    refuse("0F0,\x1b[31m\x01\xff", "rank 0, cell 2: '?[31m?\?': an action begins with "
                                   "the number of its stage, as in 0F3");
    refuse("(0F0;0B0", "rank 0, cell 1: '(0F0;0B0': an overlapped pair reads "
                       "(0F3;3B0)OVERLAP_F_B");
    refuse("(0F0;0SEND_F0)OVERLAP_F_B",
           "rank 0, cell 1: '(0F0;0SEND_F0)OVERLAP_F_B': only compute actions overlap: "
           "a forward and a backward");
}
END_TEST

START_TEST(wrong_shapes)
{
    refuse("\n", "'schedule.csv' has no rows");
    refuse("0F0,0B0\n,,\n1F0,1B0\n",
           "rank 1: the row has no op: every rank needs at least one");
    refuse("0F0,0F800,0B0,0B800",
           "rank 0, cell 2 (0F800): microbatch 800 is there, but "
           "microbatch 1 is not: numbers go from 0 without "
           "gaps");
    refuse("0F0,0B0\n2F0,2B0",
           "rank 1, cell 1 (2F0): stage 2 is there, but stage 1 is not: "
           "numbers go from 0 without gaps");
}
END_TEST

START_TEST(wrong_schedules)
{
    refuse("0F0,0F0,0B0", "rank 0, cell 2 (0F0): appears twice: each op runs once");
    refuse("0F0,0B0\n1F0,0B0\n1B0\n",
           "rank 1, cell 2 (0B0): stage 0 is on rank 0\n"
           "rank 2, cell 1 (1B0): stage 1 is on rank 1\n"
           "rank 1: the B, or I and W, of stage 1, microbatch 0 is missing");
    refuse("0F0,0B0,0W0",
           "rank 0, cell 3 (0W0): a W after a whole backward: use either "
           "B, or I then W (files from before October 2024 write B for I "
           "and BW for B: rename them)");
    refuse(
        "0F0,0B0,0W0,0F1,0B1,0W1",
        "rank 0, cell 3 (0W0): a W after a whole backward: use either B, or I then W "
        "(files from before October 2024 write B for I and BW for B: rename them)");
    refuse("0F0,0BW0", "rank 0, cell 2: '0BW0': files from before October 2024 write B "
                       "for I and BW for B: rename them");
    refuse("(0F0;0B0)OVERLAP_F_B", "rank 0, cell 1 (0F0): an overlapped pair is a "
                                   "forward and a backward (B or I) that do not need "
                                   "each other");
    refuse(
        "0F0,0B0,0F1,0B1\n1F1,1B1,1F0,1B0\n",
        "'schedule.csv' blocks: these ranks wait in a cycle:\n"
        "rank 0, cell 2 (0B0): waits for the backward of stage 1, microbatch 0, which "
        "comes later on rank 1\n"
        "rank 1, cell 1 (1F1): waits for the forward of stage 0, microbatch 1, which "
        "comes later on rank 0");
}
END_TEST

START_TEST(communication_must_fit)
{
    accept("0F0,0SEND_F0,0RECV_B0,0B0\n1RECV_F0,1F0,1B0,1SEND_B0\n",
           "0F0,0B0\n1F0,1B0\n");
    refuse("0F0,0SEND_F0,0B0,0RECV_B0\n1RECV_F0,1F0,1B0,1SEND_B0\n",
           "rank 0, cell 4 (0RECV_B0): must come before the op that needs it");
    refuse("0F0,0SEND_F0,0RECV_B0,0B0\n1RECV_F0,1F0,1SEND_B0,1B0\n",
           "rank 1, cell 3 (1SEND_B0): must come after the op whose output it sends");
    refuse("0F0,0SEND_F0,0B0\n1RECV_F0,1F0,1B0\n",
           "rank 1, cell 3 (1B0): its output is not sent: a SEND_B must follow");
    refuse(
        "0F0,0SEND_F0,0RECV_B0,0B0\n1F0,1B0,1SEND_B0\n",
        "rank 0, cell 1 (0F0): its output is sent but not received: the next stage's "
        "row must have the RECV before the op that needs it");
    refuse("0F0,0SEND_F0,0SEND_F0,0RECV_B0,0RECV_B0,0B0\n1RECV_F0,1F0,1B0,1SEND_B0\n",
           "rank 0, cell 3 (0SEND_F0): is sent twice\n"
           "rank 0, cell 5 (0RECV_B0): is received twice");
    refuse("0F0,0SEND_F0,0RECV_B0,0B0,0SEND_B0\n1RECV_F0,1F0,1B0,1SEND_B0,1RECV_B0\n",
           "rank 0, cell 5 (0SEND_B0): no stage needs this output: leave it out\n"
           "rank 1, cell 5 (1RECV_B0): this stage has no such input: leave it out");
    refuse("0F0,0SEND_F0,1RECV_F0,1F0,1B0,0B0\n",
           "rank 0, cell 2 (0SEND_F0): the stage that needs this output is on the same "
           "rank: leave it out\n"
           "rank 0, cell 3 (1RECV_F0): the stage that makes this input is on the same "
           "rank: leave it out");
    refuse("0F0,7UNSHARD,0RECV_F9,0B0\n1RESHARD,0RESHARD,1F0,1B0\n",
           "rank 0, cell 2 (7UNSHARD): no such stage: no op of it is in the file\n"
           "rank 0, cell 3 (0RECV_F9): no such microbatch: no op on it is in the file\n"
           "rank 1, cell 2 (0RESHARD): the stage is on another rank");
}
END_TEST

/* A pair that blocks is named by its op that cannot start; a long cycle is cut. */
START_TEST(cycles)
{
    refuse("0F0,1F0,0F1,(1F1;0B0)OVERLAP_F_B,1B0,1B1,0B1\n",
           "'schedule.csv' blocks: these ranks wait in a cycle:\n"
           "rank 0, cell 4 (0B0): waits for the backward of stage 1, "
           "microbatch 0, which comes later on rank 0");
    /* Rank 0 waits too, but for the cycle: it is not told of. */
    refuse(
        "2F0,2B0,2F1,2B1\n0F0,0B0,0F1,0B1\n1F1,1B1,1F0,1B0\n",
        "'schedule.csv' blocks: these ranks wait in a cycle:\n"
        "rank 2, cell 1 (1F1): waits for the forward of stage 0, microbatch 1, which "
        "comes later on rank 1\n"
        "rank 1, cell 2 (0B0): waits for the backward of stage 1, microbatch 0, which "
        "comes later on rank 2");
    enum { RANKS = 30 };
    struct pp_schedule schedule;
    struct pp_error error = {0};
    char text[64 * RANKS];
    int length = snprintf(text, sizeof text, "30F0,0F0,0B0,30B0\n");
    for (int s = 1; s < RANKS; s++)
        length +=
            snprintf(text + length, sizeof text - (size_t)length, "%dF0,%dB0\n", s, s);
    ck_assert_int_eq(read_text(&schedule, text, (size_t)length, &error), -1);
    ck_assert_int_eq(error.lines, 20);
    ck_assert_ptr_nonnull(strstr(error.text, "and so on, from rank "));
}
END_TEST

/* Every problem is reported, up to a limit. */
/* Two copies of the weights: a stage in two rows, reduced in each. */
START_TEST(copies_are_declared_by_their_reductions)
{
    accept("0F0,1F1,1B1,1REDUCE_GRAD,0B0,0REDUCE_GRAD\n"
           "0F1,1F0,1B0,1REDUCE_GRAD,0B1,0REDUCE_GRAD\n",
           "0F0,1F1,1B1,1REDUCE_GRAD,0B0,0REDUCE_GRAD\n"
           "0F1,1F0,1B0,1REDUCE_GRAD,0B1,0REDUCE_GRAD\n");
    refuse("0F0,1F1,1B1,1REDUCE_GRAD,0B0,0REDUCE_GRAD\n"
           "0F1,1F0,1B0,0REDUCE_GRAD,0B1\n",
           "rank 1, cell 5 (0B1): 0REDUCE_GRAD must follow: the stage has copies on "
           "several ranks, whose gradients are summed\n"
           "rank 1, cell 3 (1B0): 1REDUCE_GRAD must follow: the stage has copies on "
           "several ranks, whose gradients are summed");
    refuse("0F0,1F1,1B1,1REDUCE_GRAD,0B0,0REDUCE_GRAD\n"
           "0F1,1F0,1B0,1REDUCE_GRAD,0REDUCE_GRAD\n",
           "rank 1: the B, or I and W, of stage 0, microbatch 1 is missing");
    /* A backward on the other copy's rank; without reductions, a misplaced op. */
    refuse("0F0,1F1,1B1,1REDUCE_GRAD,0B1,0REDUCE_GRAD\n"
           "0F1,1F0,1B0,1REDUCE_GRAD,0B0,0REDUCE_GRAD\n",
           "rank 0, cell 5 (0B1): stage 0 is on rank 1 in the weight copy of this "
           "microbatch\n"
           "rank 1, cell 5 (0B0): stage 0 is on rank 0 in the weight copy of this "
           "microbatch\n"
           "rank 0: the B, or I and W, of stage 0, microbatch 0 is missing\n"
           "rank 1: the B, or I and W, of stage 0, microbatch 1 is missing");
    refuse("0F0,0B0\n0F1,0B1\n", "rank 1, cell 1 (0F1): stage 0 is on rank 0\n"
                                 "rank 1, cell 2 (0B1): stage 0 is on rank 0\n"
                                 "rank 0: the F of stage 0, microbatch 1 is missing");
}
END_TEST

START_TEST(twenty_problems)
{
    struct pp_schedule schedule;
    struct pp_error error = {0};
    char text[4 * 100];
    for (int k = 0; k < 100; k++)
        memcpy(text + 4 * k, "0F0,", 4);
    ck_assert_int_eq(read_text(&schedule, text, sizeof text, &error), -1);
    ck_assert_int_eq(error.lines, 20);
    for (int k = 0; k < 100; k++)
        memcpy(text + 4 * k, k == 0 ? "0F0," : "?!,\n", 4);
    ck_assert_int_eq(read_text(&schedule, text, sizeof text, &error), -1);
    ck_assert_int_eq(error.lines, 20);
    memcpy(text, "?!,\n", 4); /* none is an action: it is some other file */
    ck_assert_int_eq(read_text(&schedule, text, sizeof text, &error), -1);
    ck_assert_int_eq(error.lines, 1);
    ck_assert_ptr_nonnull(strstr(error.text, "is not a schedule"));
}
END_TEST

/* Large hostile files: a clear error, soon. Check's timeout is the judge. */
START_TEST(hostile_files)
{
    enum { SIZE = 10000000 };
    static const char *const patterns[] = {",", "\n", "0F0,", "0F0\n", "\0", "9"};
    const char *pattern = patterns[_i];
    size_t length = strlen(pattern) > 0 ? strlen(pattern) : 1;
    char *text = malloc(SIZE);
    struct pp_schedule schedule;
    struct pp_error error = {0};
    ck_assert_ptr_nonnull(text);
    for (size_t k = 0; k < SIZE; k++)
        text[k] = pattern[k % length];
    const char *path = unit_file("hostile.csv", text, SIZE);
    free(text);
    ck_assert_int_eq(pp_csv_read(&schedule, path, &error), -1);
    ck_assert_int_eq(error.status, PP_BAD_INPUT);
    ck_assert_int_ge(error.lines, 1);
    unlink(path);
}
END_TEST

START_TEST(a_million_cells)
{
    enum { MICROBATCHES = 500000 };
    struct pp_schedule schedule;
    struct pp_error error = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (int i = 0; i < MICROBATCHES; i++)
        fprintf(stream, "0F%d,", i);
    for (int i = 0; i < MICROBATCHES; i++)
        fprintf(stream, "0B%d,", i);
    fclose(stream);
    ck_assert_int_eq(read_text(&schedule, text, size, &error), 0);
    ck_assert_uint_eq(pp_schedule_ops(&schedule), 2 * MICROBATCHES);
    pp_schedule_release(&schedule);
    free(text);
}
END_TEST

/* More stages times microbatches than memory, asked for by a small file. */
START_TEST(numbers_beyond_the_file)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (int i = 0; i < 100000; i++)
        fprintf(stream, "%dF0,0F%d,", i, i);
    fclose(stream);
    refuse(text, "'schedule.csv': 100000 stages and 100000 microbatches need at "
                 "least 20000000000 ops, the file has 200000: every stage runs "
                 "every microbatch");
    free(text);
}
END_TEST

/* The I of a pair has its W right behind it here, and stays what it is. */
START_TEST(an_i_of_a_pair_stays_one)
{
    char *lowered = rewritten("0F0,(0F1;0I0)OVERLAP_F_B,0W0,0I1,0W1\n", true);
    accept(lowered, "0F0,(0F1;0I0)OVERLAP_F_B,0W0,0B1\n");
    free(lowered);
}
END_TEST

START_TEST(examples_are_valid)
{
    struct pp_error error = {0};
    glob_t found;
    const char *directory = getenv("SCHEDULE_EXAMPLES");
    char pattern[512];
    ck_assert_ptr_nonnull(directory);
    snprintf(pattern, sizeof pattern, "%s/*.csv", directory);
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    for (size_t k = 0; k < found.gl_pathc; k++) {
        struct pp_schedule schedule;
        ck_assert_msg(pp_csv_read(&schedule, found.gl_pathv[k], &error) == 0, "%s",
                      error.text);
        pp_schedule_release(&schedule);
    }
    globfree(&found);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("csv");
    TCase *tcase = tcase_create("csv");
    tcase_add_test(tcase, forms_of_cells);
    tcase_add_test(tcase, uneven_ranks);
    tcase_add_test(tcase, wrong_cells);
    tcase_add_test(tcase, wrong_shapes);
    tcase_add_test(tcase, wrong_schedules);
    tcase_add_test(tcase, communication_must_fit);
    tcase_add_test(tcase, an_i_of_a_pair_stays_one);
    tcase_add_test(tcase, examples_are_valid);
    tcase_add_test(tcase, cycles);
    tcase_add_test(tcase, copies_are_declared_by_their_reductions);
    tcase_add_test(tcase, twenty_problems);
    tcase_add_loop_test(tcase, hostile_files, 0, 6);
    tcase_add_test(tcase, a_million_cells);
    tcase_add_test(tcase, numbers_beyond_the_file);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
