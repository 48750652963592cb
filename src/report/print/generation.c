#include "report/print/generation.h"

#include <math.h>

#include "report/numbers.h"

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

static const char *seconds_text(double seconds, char text[PP_DURATION_TEXT])
{
    return pp_duration_text(1e9 * seconds, text);
}

/* "64 generated after 3 of prompts · 812 tokens/s · the first after 3.1 ms, then one
 * every 1.2 ms (p95 …, p99 …)" */
static void print_speed(const struct pp_report_generation *generation, FILE *stream)
{
    char text[3][PP_DURATION_TEXT];
    fprintf(stream, "tokens    %d generated after %d of prompts · %.4g tokens/s",
            generation->generated_tokens, generation->prompt_tokens,
            generation->tokens_per_s);
    if (isfinite(generation->ttft.p50))
        fprintf(stream, " · the first after %s",
                seconds_text(generation->ttft.p50, text[0]));
    if (isfinite(generation->tpot.p50))
        fprintf(stream, ", then one every %s (p95 %s, p99 %s)",
                seconds_text(generation->tpot.p50, text[0]),
                seconds_text(generation->tpot.p95, text[1]),
                seconds_text(generation->tpot.p99, text[2]));
    fputc('\n', stream);
}

static void print_bubble(const struct pp_report *report, FILE *stream)
{
    const struct pp_report_generation *generation = &report->generation;
    fprintf(stream, "ranks     %d, %d group%s in flight · busy %.1f %% · bubble %.4f",
            report->schedule.ranks, generation->groups, plural(generation->groups),
            100 * generation->utilization, report->metrics.bubble.fraction);
    if (isfinite(report->predicted))
        fprintf(stream, ", predicted %.4f", report->predicted);
    if (isfinite(generation->decode_bubble))
        fprintf(stream, " · of decoding alone %.4f", generation->decode_bubble);
    if (isfinite(generation->decode_theory))
        fprintf(stream, ", theory %.4f", generation->decode_theory);
    fputc('\n', stream);
}

/* Busy is not fast: how fast weights are read says how much a busy rank does. Weights
 * that fit into caches are read from there, by both: memory may be slower than either.
 */
static void print_reading(const struct pp_report_generation *generation, FILE *stream)
{
    const double giga = 1e9;
    if (!isfinite(generation->weight_Bps))
        return;
    fprintf(stream,
            "weights   read at %.3g GB/s by a busy rank · the same weights, only read: "
            "%.3g GB/s (%.0f %%)\n",
            generation->weight_Bps / giga, generation->read_Bps / giga,
            100 * generation->weight_Bps / generation->read_Bps);
}

void pp_report_print_generation(const struct pp_report *report, FILE *stream)
{
    print_speed(&report->generation, stream);
    print_bubble(report, stream);
    print_reading(&report->generation, stream);
}
