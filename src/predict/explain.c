#include "predict/explain.h"

#include "predict/split.h"
#include "predict/whatif.h"
#include "report/numbers.h"
#include "report/print/explain.h"

static void print_advice(const struct pp_split_advice *advice, FILE *stream)
{
    char now[PP_DURATION_TEXT], then[PP_DURATION_TEXT];
    if (advice->better)
        fprintf(stream,
                "with --layer-split %s the step would take %s, not %s (both "
                "predicted),\n  and the bubble would be %.4f, not %.4f\n",
                advice->split, pp_duration_text(1e9 * advice->then_s, then),
                pp_duration_text(1e9 * advice->now_s, now), advice->then_bubble,
                advice->now_bubble);
    else if (advice->known)
        fputs("no split of the layers that was tried would save 1% of the step\n",
              stream);
}

int pp_predict_explain(const struct pp_report *report, FILE *stream,
                       struct pp_error *error)
{
    struct pp_split_advice advice;
    struct pp_speedup speedup;
    if (pp_predict_speedup(report, &speedup, error) != 0 ||
        pp_report_print_explain(report, &speedup, stream, error) != 0 ||
        pp_predict_split(report, pp_report_message_bytes(report), &advice, error) != 0)
        return -1;
    print_advice(&advice, stream);
    return 0;
}
