#include "cli/conversation.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether it is over for a reason that nobody wants. */
static bool failed(const struct pp_conversation *conversation)
{
    return conversation->prompts->fault.lines > 0;
}

static void add(struct pp_conversation *conversation, const char *text, size_t length)
{
    size_t needed = conversation->bytes + length;
    if (needed > conversation->capacity) {
        char *more = realloc(conversation->text, 2 * needed);
        if (!more) {
            pp_fail(&conversation->prompts->fault, PP_ENVIRONMENT,
                    "out of memory for a conversation");
            return;
        }
        conversation->text = more;
        conversation->capacity = 2 * needed;
    }
    if (length > 0)
        memcpy(conversation->text + conversation->bytes, text, length);
    conversation->bytes = needed;
}

/* The answer to the line before becomes part of what was said. */
static void take_answer(struct pp_conversation *conversation)
{
    const struct pp_prompts *prompts = conversation->prompts;
    if (conversation->answered == prompts->count)
        return;
    const struct pp_prompt *last = &prompts->prompts[conversation->answered++];
    add(conversation, last->text, last->text_bytes);
    if (last->text_bytes > 0 && last->text[last->text_bytes - 1] != '\n')
        add(conversation, "\n", 1);
}

static void ask(struct pp_conversation *conversation)
{
    take_answer(conversation);
    conversation->said = conversation->bytes;
    conversation->asking = true;
    conversation->whole = false;
    if (!conversation->greeted)
        fputs("The model goes on with what you write, line by line; Ctrl-D ends it.\n",
              stdout);
    conversation->greeted = true;
    fputs("> ", stdout);
    fflush(stdout);
}

/* Reads what there is of the line, one byte after the other, so that nothing of the
 * next one is taken; waits for a while where there is nothing. */
static void read_line(struct pp_conversation *conversation)
{
    enum { WHILE_MS = 50 };
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte;
    while (!conversation->whole && !conversation->over && !failed(conversation) &&
           poll(&input, 1, WHILE_MS) > 0) {
        ssize_t got = read(STDIN_FILENO, &byte, 1);
        conversation->over = got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
        if (got > 0)
            add(conversation, &byte, 1);
        conversation->whole = got > 0 && byte == '\n';
    }
}

/* A line that is whole is the next prompt; an empty one is passed over. */
static void take_line(struct pp_conversation *conversation)
{
    struct pp_prompts *prompts = conversation->prompts;
    if (!conversation->whole)
        return;
    conversation->asking = false;
    if (conversation->bytes - conversation->said == 1)
        conversation->bytes = conversation->said;
    else
        pp_prompts_add(prompts, conversation->text, conversation->bytes,
                       &prompts->fault);
}

static int next(void *data, bool idle, struct pp_request *request)
{
    struct pp_conversation *conversation = data;
    struct pp_prompts *prompts = conversation->prompts;
    struct pp_source all = pp_prompts_source(prompts);
    if (!idle && !failed(conversation))
        return 0;
    if (!conversation->asking)
        ask(conversation);
    read_line(conversation);
    take_line(conversation);
    if (conversation->over)
        fputc('\n', stdout);
    if (conversation->over || failed(conversation))
        return -1;
    return prompts->asked < prompts->count ? all.next(all.data, idle, request) : 0;
}

static bool cancelled(void *data, uint64_t id)
{
    (void)id;
    return failed(data);
}

static bool token(void *data, uint64_t id, int32_t value, bool last, const char *finish)
{
    struct pp_conversation *conversation = data;
    struct pp_source all = pp_prompts_source(conversation->prompts);
    return all.token(all.data, id, value, last, finish);
}

struct pp_source pp_conversation_source(struct pp_conversation *conversation,
                                        struct pp_prompts *prompts)
{
    *conversation = (struct pp_conversation){.prompts = prompts};
    return (struct pp_source){
        .data = conversation,
        .next = next,
        .cancelled = cancelled,
        .token = token,
    };
}

void pp_conversation_release(struct pp_conversation *conversation)
{
    free(conversation->text);
    *conversation = (struct pp_conversation){0};
}
