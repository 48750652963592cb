#include "report/print/generation.h"

#include <math.h>
#include <string.h>

#include "report/numbers.h"

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

static const char *seconds_text(double seconds, char text[PP_DURATION_TEXT])
{
    return pp_duration_text(1e9 * seconds, text);
}

static bool is_virtual(const struct pp_report *report)
{
    return strcmp(report->environment.clock, "virtual") == 0;
}

static void print_speed(const struct pp_report *report, FILE *stream)
{
    const struct pp_report_generation *generation = &report->generation;
    char text[3][PP_DURATION_TEXT];
    fprintf(stream, "tokens    %d generated after %d of prompts · %.0f tokens/s%s\n",
            generation->generated_tokens, generation->prompt_tokens,
            generation->tokens_per_s,
            is_virtual(report) ? " on the virtual clock" : "");
    if (isfinite(generation->ttft.p50))
        fprintf(stream, "          the first after %s",
                seconds_text(generation->ttft.p50, text[0]));
    if (isfinite(generation->tpot.p50))
        fprintf(stream, ", then one every %s (p95 %s, p99 %s)",
                seconds_text(generation->tpot.p50, text[0]),
                seconds_text(generation->tpot.p95, text[1]),
                seconds_text(generation->tpot.p99, text[2]));
    if (isfinite(generation->ttft.p50))
        fputc('\n', stream);
}

/* Who asked for more tokens learns why there are none. */
static void print_full(const struct pp_report *report, FILE *stream)
{
    const json_t *sequences = report->generation.sequences;
    size_t context =
        (size_t)json_integer_value(json_object_get(report->config, "seq_len"));
    size_t full = 0, count = json_array_size(sequences);
    for (size_t i = 0; i < count; i++) {
        const json_t *sequence = json_array_get(sequences, i);
        full += json_array_size(json_object_get(sequence, "prompt_tokens")) +
                    json_array_size(json_object_get(sequence, "tokens")) >
                context;
    }
    if (full > 0)
        fprintf(stream,
                "          %zu of %zu text%s filled the context of %zu tokens\n", full,
                count, plural((int)count), context);
}

static void print_bubble(const struct pp_report *report, FILE *stream)
{
    const struct pp_report_generation *generation = &report->generation;
    int ranks = report->schedule.ranks, groups = generation->groups;
    fprintf(stream, "ranks     %d, %d group%s in flight · busy %.1f %% · bubble %.4f",
            ranks, groups, plural(groups), 100 * generation->utilization,
            report->metrics.bubble.fraction);
    if (isfinite(report->predicted))
        fprintf(stream, ", predicted %.4f", report->predicted);
    fputc('\n', stream);
    /* What is below the last digit shown is no difference. */
    if (isfinite(report->predicted) && isfinite(generation->median_bubble) &&
        fabs(report->predicted - generation->median_bubble) >= 5e-5)
        fprintf(stream, "          %.4f if each op took the median of those like it\n",
                generation->median_bubble);
    if (isfinite(generation->decode_bubble))
        fprintf(stream, "          of decoding alone %.4f", generation->decode_bubble);
    if (isfinite(generation->decode_theory))
        fprintf(stream, ", theory %.4f", generation->decode_theory);
    if (isfinite(generation->decode_bubble))
        fputc('\n', stream);
    if (isfinite(generation->decode_bubble) && groups < ranks)
        fprintf(stream,
                "          a token takes all %d ranks in turn, so %d group%s decoding "
                "keep%s %d busy at most\n",
                ranks, groups, plural(groups), groups == 1 ? "s" : "", groups);
}

/* Where weights fit the caches, or memory is not known. */
static void print_plain_reading(const struct pp_report_generation *generation,
                                FILE *stream)
{
    const double giga = 1e9;
    fprintf(stream, " · the same weights, only read: %.3g GB/s (%.0f %%)",
            generation->read_Bps / giga,
            100 * generation->weight_Bps / generation->read_Bps);
    if (generation->weights_cached)
        fprintf(stream, "\n          they fit the caches");
    if (isfinite(generation->memory_Bps))
        fprintf(stream, "; memory gives %.3g GB/s", generation->memory_Bps / giga);
    fputc('\n', stream);
}

/* Busy is not fast: how much of what can be read in a second is read says how much a
 * busy rank does. Of memory that is, where weights have to come from there. */
static void print_reading(const struct pp_report_generation *generation, FILE *stream)
{
    const double giga = 1e9, read = generation->weight_Bps;
    if (!isfinite(read))
        return;
    fprintf(stream, "weights   read at %.3g GB/s by a busy rank", read / giga);
    if (!generation->weights_cached && isfinite(generation->memory_Bps))
        fprintf(stream, " · %.0f %% of the %.3g GB/s that memory gives it\n",
                100 * read / generation->memory_Bps, generation->memory_Bps / giga);
    else
        print_plain_reading(generation, stream);
}

void pp_report_print_generation(const struct pp_report *report, FILE *stream)
{
    print_speed(report, stream);
    print_full(report, stream);
    print_bubble(report, stream);
    print_reading(&report->generation, stream);
}
