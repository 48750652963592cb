/* The table of options holds together, and what commands ask of it. */
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/option_table.h"
#include "unit.h"

enum { MOST_WORDS = 16 };

/* Parses "ppsim WORD ...", as the shell would split it. text is changed, and to be kept
 * as long as the options. */
static void parse(struct pp_options *options, char *text, char *words[MOST_WORDS])
{
    struct pp_error error = {0};
    int count = 0;
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    words[count] = NULL;
    ck_assert_msg(pp_options_parse(options, pp_commands, count, words, &error) == 0,
                  "%s", error.text);
}

/* Do all commands of the option take another one of that name? */
static bool all_take(const struct pp_option *option, const char *name)
{
    int taken = 0;
    for (int i = 0; i < pp_option_count; i++) {
        if (strcmp(pp_option_table[i].name, name) == 0)
            taken |= pp_option_table[i].commands;
    }
    return (option->commands & ~taken) == 0;
}

START_TEST(rows_hold_together)
{
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        ck_assert_msg(option->commands != 0 && option->help, "--%s", option->name);
        ck_assert_msg((option->type == PP_FLAG) == !option->value, "--%s",
                      option->name);
        for (int n = 0; n < PP_MOST_NEEDS && option->needs[n]; n++)
            ck_assert_msg(all_take(option, option->needs[n]), "--%s", option->name);
        ck_assert_msg(!option->over || all_take(option, option->over), "--%s",
                      option->name);
        for (int j = 0; j < i; j++) {
            const struct pp_option *other = &pp_option_table[j];
            bool same = strcmp(option->name, other->name) == 0;
            ck_assert_msg(!same || !(option->commands & other->commands),
                          "--%s twice for one command", option->name);
            ck_assert_msg(other->role <= option->role ||
                              pp_role_title(other->role) == pp_role_title(option->role),
                          "--%s is not among its group", option->name);
        }
    }
}
END_TEST

START_TEST(what_decides_a_result)
{
    static const char *const decide[] = {"schedule", "ranks", "layer_split",
                                         "lr",       "cost",  "link",
                                         "load",     "run",   "of a later version"};
    static const char *const others[] = {
        "json",      "trace",      "csv",      "plot",           "picture",
        "keep_data", "quiet",      "color",    "timeline",       "save",
        "verify",    "save_grads", "check",    "format",         "tolerance",
        "force",     "clock",      "baseline", "update_baseline"};
    for (size_t i = 0; i < sizeof decide / sizeof *decide; i++)
        ck_assert_msg(pp_options_decides(decide[i]), "%s", decide[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(!pp_options_decides(others[i]), "%s", others[i]);
}
END_TEST

START_TEST(explain_stands_for_what_its_options_say)
{
    static const struct {
        const char *line;
        enum pp_command work;
    } cases[] = {
        {"ppsim", PP_RUN},
        {"ppsim simulate", PP_SIMULATE},
        {"ppsim explain", PP_RUN},
        {"ppsim explain --lr 1", PP_RUN},
        {"ppsim explain --ranks 2 --cost f=1", PP_SIMULATE},
        {"ppsim explain r.json", PP_EXPLAIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pp_options options;
        char text[128], *words[MOST_WORDS];
        snprintf(text, sizeof text, "%s", cases[i].line);
        parse(&options, text, words);
        ck_assert_msg(options.work == cases[i].work, "%s", cases[i].line);
        pp_options_release(&options);
    }
}
END_TEST

START_TEST(a_sweep_hands_on_what_a_run_takes)
{
    struct pp_options options;
    char text[] = "ppsim sweep --run --lr 0.1 --untied --optimizer sgd --seed 7 --cost "
                  "f=1 --csv a.csv --layers=8";
    char *words[MOST_WORDS], *arguments[MOST_WORDS];
    static const char *const expected[] = {"--untied", "--lr=0.10000000000000001",
                                           "--optimizer=sgd", "--seed=7"};
    parse(&options, text, words);
    int count = pp_options_pass_on(&options, PP_RUN, arguments, MOST_WORDS);
    ck_assert_int_eq(count, 4);
    for (int i = 0; i < count; i++) {
        ck_assert_str_eq(arguments[i], expected[i]);
        free(arguments[i]);
    }
    pp_options_release(&options);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tests = tcase_create("options");
    tcase_add_test(tests, rows_hold_together);
    tcase_add_test(tests, what_decides_a_result);
    tcase_add_test(tests, explain_stands_for_what_its_options_say);
    tcase_add_test(tests, a_sweep_hands_on_what_a_run_takes);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
