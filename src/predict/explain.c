#include "predict/explain.h"

#include "predict/whatif.h"
#include "report/print/explain.h"

int pp_predict_explain(const struct pp_report *report, FILE *stream,
                       struct pp_error *error)
{
    struct pp_even_split even;
    struct pp_speedup speedup;
    if (pp_predict_speedup(report, &speedup, error) != 0 ||
        pp_report_print_explain(report, &speedup, stream, error) != 0 ||
        pp_predict_even_split(report, &even, error) != 0)
        return -1;
    if (even.known)
        fprintf(stream,
                "with the layers split evenly (%s) the step would take %.2f ms, not "
                "%.2f ms, "
                "and the bubble would be %.4f, not %.4f\n",
                even.split, even.makespan_s * 1e3,
                (double)report->metrics.makespan * 1e-6, even.bubble,
                report->metrics.bubble.fraction);
    return 0;
}
