#include "report/gate/trust.h"

#include <string.h>

#include "report/differences.h"
#include "timeline/core_share.h"

int pp_report_trust_times(const struct pp_report *report, struct pp_error *error)
{
    const struct pp_report_environment *environment = &report->environment;
    char share[PP_SHARE_TEXT];
    if (strcmp(environment->clock, "wall") != 0)
        return 0;
    if (environment->oversubscribed)
        return pp_fail(
            error, PP_BAD_INPUT,
            "ranks shared cores under the wall clock, so their times are noise: "
            "use '--clock' virtual, or '--force' to judge them anyway");
    if (pp_report_shared_core(report))
        return pp_fail(error, PP_BAD_INPUT,
                       "%s: below %.0f%% times are not judged; measure again, use "
                       "'--clock' virtual, "
                       "or '--force' to judge them anyway",
                       pp_core_share_text(report, share), 100 * PP_OWN_CORE);
    return 0;
}
