/* What serve makes of a request before and after the ranks do their part. */
#include <stdlib.h>
#include <string.h>

#include "serve/ask_read.h"
#include "serve/guard.h"
#include "serve/prompt.h"
#include "unit.h"

static int parse(struct pp_ask *ask, enum pp_ask_shape shape, const char *body,
                 struct pp_error *error)
{
    *error = (struct pp_error){0};
    return pp_ask_parse(ask, shape, body, strlen(body), error);
}

START_TEST(what_is_asked)
{
    struct pp_ask ask;
    struct pp_error error;
    ck_assert_int_eq(parse(&ask, PP_SHAPE_COMPLETION,
                           "{\"prompt\":[\"a\\u0000b\",\"c\"],\"n\":3,\"seed\":-1,"
                           "\"temperature\":0.5,\"top_p\":0.25,\"top_k\":7,"
                           "\"stop\":[\"x\",\"yz\"],\"stream\":true}",
                           &error),
                     0);
    ck_assert_int_eq(ask.prompt_count, 2);
    ck_assert_int_eq((int)ask.texts[0].length, 3);
    ck_assert_int_eq(ask.n, 3);
    ck_assert_int_eq(ask.max_tokens, 16);
    ck_assert(ask.seeded && ask.sampling.seed == UINT64_MAX);
    ck_assert(!ask.sampling.greedy && ask.sampling.temperature == 0.5);
    ck_assert(ask.sampling.top_p == 0.25 && ask.sampling.top_k == 7);
    ck_assert(ask.stream && ask.usage == PP_USAGE_LAST);
    ck_assert_int_eq(ask.stop_count, 2);
    pp_ask_release(&ask);
    /* Temperature 0 is greedy, whatever else is said. */
    ck_assert_int_eq(parse(&ask, PP_SHAPE_TEXT,
                           "{\"text\":\"x\",\"temperature\":0,"
                           "\"decoding_strategy\":\"sample\"}",
                           &error),
                     0);
    ck_assert(ask.sampling.greedy && ask.max_tokens == 0 && !ask.seeded);
    pp_ask_release(&ask);
}
END_TEST

START_TEST(the_field_is_named)
{
    static const struct {
        enum pp_ask_shape shape;
        const char *body, *param;
    } bad[] = {
        {PP_SHAPE_COMPLETION, "{}", "prompt"},
        {PP_SHAPE_COMPLETION, "{\"prompt\":5}", "prompt"},
        {PP_SHAPE_COMPLETION, "{\"prompt\":\"x\",\"text\":\"x\"}", "text"},
        {PP_SHAPE_COMPLETION, "{\"prompt\":\"x\",\"echo\":true}", "echo"},
        {PP_SHAPE_CHAT, "{\"messages\":[{}]}", "messages"},
        {PP_SHAPE_CHAT, "{\"messages\":[],\"n\":1}", "messages"},
        {PP_SHAPE_TEXT, "{\"text\":\"x\",\"top_k\":0.5}", "top_k"},
        {PP_SHAPE_TEXT, "[]", ""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pp_ask ask;
        struct pp_error error;
        ck_assert_int_eq(parse(&ask, bad[i].shape, bad[i].body, &error), -1);
        ck_assert_int_eq(error.status, PP_BAD_INPUT);
        ck_assert_str_eq(ask.param, bad[i].param);
        pp_ask_release(&ask);
    }
}
END_TEST

/* The tokens of a chat of two turns, the second in two parts. */
static int turns(enum pp_turns how, int end, int32_t *tokens)
{
    struct pp_ask ask;
    struct pp_error error;
    struct pp_tokenizer tokenizer;
    int32_t *made;
    int count;
    ck_assert_int_eq(pp_tokenizer_init(&tokenizer, "bytes", &error), 0);
    tokenizer.end = end;
    const struct pp_limits limits = {
        .vocab = 257, .context = 64, .turns = how, .tokenizer = &tokenizer};
    ck_assert_int_eq(parse(&ask, PP_SHAPE_CHAT,
                           "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},"
                           "{\"role\":\"user\",\"content\":["
                           "{\"type\":\"text\",\"text\":\"b\"},"
                           "{\"type\":\"text\",\"text\":\"c\"}]}]}",
                           &error),
                     0);
    ck_assert_int_eq(
        pp_prompt_encode(&ask, &ask.prompts[0], &limits, &made, &count, &error), 0);
    memcpy(tokens, made, (size_t)count * sizeof *made);
    free(made);
    pp_ask_release(&ask);
    pp_tokenizer_release(&tokenizer);
    return count;
}

START_TEST(turns_become_one_text)
{
    enum { END = 256 };
    static const int32_t joined[] = {'a', END, 'b', 'c'};
    static const int32_t ended[] = {'a', END, 'b', 'c', END};
    static const int32_t plain[] = {'a', '\n', 'b', 'c'};
    int32_t tokens[8];
    ck_assert_int_eq(turns(PP_TURNS_AUTO, END, tokens), 4);
    ck_assert_mem_eq(tokens, joined, sizeof joined);
    ck_assert_int_eq(turns(PP_TURNS_ENDED, END, tokens), 5);
    ck_assert_mem_eq(tokens, ended, sizeof ended);
    ck_assert_int_eq(turns(PP_TURNS_PLAIN, END, tokens), 4);
    ck_assert_mem_eq(tokens, plain, sizeof plain);
    ck_assert_int_eq(turns(PP_TURNS_AUTO, -1, tokens), 4);
    ck_assert_mem_eq(tokens, plain, sizeof plain);
}
END_TEST

START_TEST(who_may_ask)
{
    const struct pp_guard here = {.host = "127.0.0.1"}, named = {.host = "box.local"};
    const struct pp_guard six = {.host = "fd00::5"},
                          keyed = {.key = "0123456789abcdef"};
    ck_assert(pp_guard_knows(&here, "localhost:8000"));
    ck_assert(pp_guard_knows(&here, "[::1]:8000"));
    ck_assert(!pp_guard_knows(&here, "box.local"));
    ck_assert(pp_guard_knows(&named, "BOX.local:1"));
    ck_assert(!pp_guard_knows(&named, "box.local.evil.example"));
    ck_assert(pp_guard_knows(&six, "[fd00::5]:8000"));
    ck_assert(!pp_guard_knows(&six, "fd00::5"));
    ck_assert(!pp_guard_knows(&here, ""));
    ck_assert(pp_guard_is_local("127.3.2.1") && pp_guard_is_local("::1"));
    ck_assert(pp_guard_is_local("localhost") && !pp_guard_is_local("0.0.0.0"));
    ck_assert(!pp_guard_is_local("::") && !pp_guard_is_local("127.evil.example"));
    ck_assert(pp_guard_has_key(&keyed, "Bearer 0123456789abcdef"));
    ck_assert(pp_guard_has_key(&keyed, "bearer  0123456789abcdef"));
    ck_assert(!pp_guard_has_key(&keyed, "Bearer 0123456789abcdeg"));
    ck_assert(!pp_guard_has_key(&keyed, "Bearer 0123456789abcde"));
    ck_assert(!pp_guard_has_key(&keyed, "Basic 0123456789abcdef"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("serve");
    TCase *tests = tcase_create("serve");
    tcase_add_test(tests, what_is_asked);
    tcase_add_test(tests, the_field_is_named);
    tcase_add_test(tests, turns_become_one_text);
    tcase_add_test(tests, who_may_ask);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
