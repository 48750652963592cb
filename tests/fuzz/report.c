#include <stdlib.h>

#include "cli/options.h"
#include "fuzz.h"
#include "predict/explain.h"
#include "report/export/json.h"
#include "report/gate/baseline.h"
#include "report/gate/compare.h"
#include "report/gate/trust.h"
#include "report/gate/where.h"
#include "report/print/gantt.h"
#include "report/print/summary.h"

/* As a baseline, which is held against itself. */
static void judge(const struct pp_report *report)
{
    struct pp_error error = {0};
    struct pp_tolerances tolerances;
    struct pp_verdict verdicts[PP_MOST_TOLERANCES];
    const struct pp_baseline baseline = {.report = report};
    struct pp_where where;
    if (fuzz_check(pp_tolerances_parse(&tolerances, NULL, report->schedule.ranks, true,
                                       &error),
                   &error) == 0)
        pp_baseline_judge(&baseline, report, &tolerances, verdicts);
    fuzz_check(pp_report_trust_times(report, &error), &error);
    fuzz_check(pp_where_changed(&where, report, report, &error), &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pp_error error = {0};
    struct pp_report report = {0};
    FILE *out = fuzz_nowhere();
    if (fuzz_check(pp_report_read_json(&report, fuzz_file(data, size), &error),
                   &error) == 0) {
        fuzz_check(pp_report_print_summary(&report, "", 80, out, true, &error), &error);
        fuzz_check(pp_report_print_gantt(&report, out, 80, false, &error), &error);
        fuzz_check(
            pp_compare_print(&report, &report, pp_options_decides, true, out, &error),
            &error);
        fuzz_check(pp_predict_explain(&report, out, &error), &error);
        fuzz_check(pp_report_write_json(&report, "/dev/null", &error), &error);
        judge(&report);
    }
    pp_report_release(&report);
    return 0;
}
