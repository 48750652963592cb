#include "report/print/messages.h"

#include <stdlib.h>

#include "timeline/producers.h"

struct message {
    int64_t sent, arrived; /* ns since the step began */
    size_t receiver;       /* the op that needs it */
    int from, to;
    struct pp_op producer;
};

static int compare_messages(const void *left, const void *right)
{
    const struct message *a = left, *b = right;
    if (a->sent != b->sent)
        return a->sent < b->sent ? -1 : 1;
    return a->receiver < b->receiver ? -1 : a->receiver > b->receiver;
}

/* Lists the messages in the order in which they leave. Returns how many. */
static size_t list_messages(const struct pp_report *report,
                            const struct pp_producers *producers, struct message *list)
{
    const struct pp_schedule *schedule = &report->schedule;
    const struct pp_span *spans = report->timeline.spans;
    int64_t start = report->metrics.start;
    size_t count = 0;
    for (size_t k = 0; k < pp_schedule_ops(schedule); k++) {
        int64_t producer = pp_producer_of(producers, (int64_t)k);
        int to = pp_rank_of_op(schedule, (int64_t)k);
        if (producer == PP_NO_OP || pp_rank_of_op(schedule, producer) == to)
            continue;
        list[count++] = (struct message){
            .sent = spans[pp_release_of(schedule, producer)].end - start,
            .arrived = spans[k].arrived - start,
            .receiver = k,
            .from = pp_rank_of_op(schedule, producer),
            .to = to,
            .producer = schedule->ops[producer],
        };
    }
    qsort(list, count, sizeof *list, compare_messages);
    return count;
}

/* What an op of the receiving rank begins with in decoding: sampled tokens. */
static bool is_feedback(struct pp_op producer, struct pp_op consumer)
{
    return producer.kind == PP_F && consumer.stage == 0;
}

static double bytes_of(const struct pp_report *report, const struct message *message,
                       const struct pp_message_shape *shape)
{
    const struct pp_schedule *schedule = &report->schedule;
    struct pp_op consumer = schedule->ops[message->receiver];
    if (!pp_decodes(schedule))
        return pp_message_shape_bytes(shape);
    double rows = pp_class_of(schedule, consumer.microbatch)->rows;
    if (is_feedback(message->producer, consumer)) /* one token begins a row */
        return rows * sizeof(int32_t);
    return rows * shape->width * sizeof(float);
}

static const char *what_of(struct pp_op producer, struct pp_op consumer)
{
    if (producer.kind != PP_F)
        return "gradients";
    return is_feedback(producer, consumer) ? "tokens" : "activations";
}

static void print_message(const struct pp_report *report, const struct message *message,
                          const struct pp_message_shape *shape, FILE *stream)
{
    struct pp_op producer = message->producer;
    struct pp_op consumer = report->schedule.ops[message->receiver];
    fprintf(stream,
            "%10.3f  %10.3f  %4d  %4d  %8.0f  %s of microbatch %d, stage %d to %d\n",
            (double)message->sent / 1e6, (double)message->arrived / 1e6, message->from,
            message->to, bytes_of(report, message, shape), what_of(producer, consumer),
            (int)producer.microbatch, (int)producer.stage, (int)consumer.stage);
}

static void print_list(const struct pp_report *report, const struct message *list,
                       size_t count, FILE *stream)
{
    struct pp_message_shape shape = pp_report_message_shape(report);
    fprintf(stream, "messages  %zu in step %d, ", count,
            report->steps[report->representative].number);
    if (pp_decodes(&report->schedule))
        fprintf(stream, "%d numbers for each token\n", shape.width);
    else
        fprintf(stream, "each of %d sequences x %d tokens x %d numbers\n",
                shape.sequences, shape.tokens, shape.width);
    if (count > 0)
        fprintf(stream, "   sent ms  arrived ms  from    to     bytes  what\n");
    for (size_t i = 0; i < count; i++)
        print_message(report, &list[i], &shape, stream);
}

int pp_report_print_messages(const struct pp_report *report, FILE *stream,
                             struct pp_error *error)
{
    struct pp_producers producers;
    size_t ops = pp_schedule_ops(&report->schedule);
    if (pp_report_need_timeline(report, error) != 0 ||
        pp_producers_init(&producers, &report->schedule, error) != 0)
        return -1;
    struct message *list = malloc((ops + 1) * sizeof *list);
    int status = 0;
    if (list)
        print_list(report, list, list_messages(report, &producers, list), stream);
    else
        status = pp_fail(error, PP_ENVIRONMENT,
                         "out of memory for the messages of %zu ops", ops);
    free(list);
    pp_producers_release(&producers);
    return status;
}
