/* Rank 0's end of serve's link, against a parent that the test plays. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "serve/link_source.h"
#include "unit.h"

/* The parent's socket, rank 0 having connected to it. */
static int meet(struct pp_link_source *link)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct pp_error error = {0};
    const char *path = unit_path("link");
    unlink(path);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int listening = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listening, (void *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    ck_assert_int_eq(pp_link_source_init(link, path, &error), 0);
    int parent = accept(listening, NULL, NULL);
    close(listening);
    ck_assert_int_ge(parent, 0);
    return parent;
}

static void say(int parent, const char *lines)
{
    ck_assert_int_eq(write(parent, lines, strlen(lines)), (int)strlen(lines));
}

/* What rank 0 has said; it has written all of it. */
static void expect_said(int parent, const char *text)
{
    char said[1024] = "";
    ssize_t got = recv(parent, said, sizeof said - 1, MSG_DONTWAIT);
    said[got > 0 ? got : 0] = '\0';
    ck_assert_str_eq(said, text);
}

START_TEST(requests_come_and_tokens_go)
{
    struct pp_link_source link;
    struct pp_request request;
    int parent = meet(&link);
    struct pp_source *source = &link.source;
    const struct pp_batch_piece piece = {.id = 7, .position = 3, .count = 1};
    const struct pp_span spans[] = {{.start = 1000000000, .end = 1500000000},
                                    {.start = 1500000000, .end = 2000000000}};
    const struct pp_batch_trace trace = {.number = 4,
                                         .piece_count = 1,
                                         .ranks = 2,
                                         .rows = 1,
                                         .pieces = &piece,
                                         .spans = spans};
    ck_assert_int_eq(source->next(source->data, false, &request), 0);
    say(parent, "{\"join\":7,\"prompt\":[1,2,3],\"max_tokens\":5,\"index\":2,"
                "\"temperature\":0.5,\"top_k\":4,\"top_p\":0.25,\"seed\":-1,"
                "\"greedy\":false}\n{\"jo");
    ck_assert_int_eq(source->next(source->data, true, &request), 1);
    ck_assert_int_eq((int)request.id, 7);
    ck_assert_int_eq(request.prompt_count, 3);
    ck_assert_int_eq(request.prompt[2], 3);
    ck_assert_int_eq(request.max_tokens, 5);
    ck_assert_int_eq(request.index, 2);
    ck_assert(!request.sampling.greedy && request.sampling.temperature == 0.5);
    ck_assert(request.sampling.top_k == 4 && request.sampling.top_p == 0.25);
    ck_assert(request.sampling.seed == UINT64_MAX);
    /* Half a line is none yet. */
    ck_assert_int_eq(source->next(source->data, false, &request), 0);
    ck_assert(!source->cancelled(source->data, 7));
    ck_assert(!source->token(source->data, 7, 65, false, NULL));
    ck_assert(!source->token(source->data, 7, 66, true, "length"));
    source->batch(source->data, &trace);
    expect_said(parent,
                "{\"token\":7,\"value\":65,\"last\":false}\n"
                "{\"token\":7,\"value\":66,\"last\":true,\"finish\":\"length\"}\n"
                "{\"batch\":{\"n\":4,\"class\":\"decode\",\"group\":0,\"rows\":1,"
                "\"ids\":[7],\"spans\":[[1.0,1.5],[1.5,2.0]]}}\n");
    say(parent, "in\":8,\"prompt\":[9],\"max_tokens\":1}\n{\"drain\":true}\n");
    ck_assert_int_eq(source->next(source->data, false, &request), 1);
    ck_assert_int_eq(source->next(source->data, true, &request), -1);
    pp_link_source_release(&link);
    close(parent);
}
END_TEST

START_TEST(what_is_cancelled_leaves_once)
{
    struct pp_link_source link;
    struct pp_request request;
    int parent = meet(&link);
    struct pp_source *source = &link.source;
    say(parent, "{\"join\":1,\"prompt\":[1],\"max_tokens\":5}\n"
                "{\"join\":2,\"prompt\":[1],\"max_tokens\":5}\n"
                "{\"join\":3,\"prompt\":[1],\"max_tokens\":5}\n");
    ck_assert_int_eq(source->next(source->data, false, &request), 1);
    ck_assert_int_eq(source->next(source->data, false, &request), 1);
    /* One that runs, one that has ended, one that was not asked for yet. */
    ck_assert(!source->token(source->data, 2, 5, true, "end"));
    say(parent, "{\"cancel\":1}\n{\"cancel\":2}\n{\"cancel\":3}\n");
    ck_assert(!source->cancelled(source->data, 2));
    ck_assert(source->cancelled(source->data, 1));
    ck_assert(!source->cancelled(source->data, 1));
    ck_assert_int_eq(source->next(source->data, false, &request), 0);
    expect_said(parent, "{\"token\":2,\"value\":5,\"last\":true,\"finish\":\"end\"}\n"
                        "{\"gone\":3}\n{\"gone\":1}\n");
    ck_assert_int_eq(link.running_count, 0);
    pp_link_source_release(&link);
    close(parent);
}
END_TEST

START_TEST(without_a_parent_all_ends)
{
    struct pp_link_source link;
    struct pp_request request;
    struct pp_error error = {0};
    int parent = meet(&link);
    struct pp_source *source = &link.source;
    say(parent, "{\"join\":1,\"prompt\":[1],\"max_tokens\":5}\n");
    ck_assert_int_eq(source->next(source->data, false, &request), 1);
    close(parent);
    ck_assert(source->cancelled(source->data, 1));
    ck_assert(!source->token(source->data, 1, 5, false, NULL));
    ck_assert_int_eq(source->next(source->data, true, &request), -1);
    pp_link_source_release(&link);
    unlink(unit_path("link"));
    ck_assert_int_eq(pp_link_source_init(&link, unit_path("link"), &error), -1);
    unit_expect_error(&error, PP_ENVIRONMENT, "cannot reach the server", NULL);
    pp_link_source_release(&link);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("link_source");
    TCase *tests = tcase_create("link_source");
    tcase_add_test(tests, requests_come_and_tokens_go);
    tcase_add_test(tests, what_is_cancelled_leaves_once);
    tcase_add_test(tests, without_a_parent_all_ends);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
