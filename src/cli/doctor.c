/* ppsim doctor: what is wrong with this machine. */
#include "doctor/doctor.h"
#include "base/wrap.h"
#include "cli/command.h"
#include "cli/paths.h"
#include "cli/terminal.h"
#include "run/launch.h"
#include "version.h"

enum { HEALTH_COLUMN = 9, FOUND_COLUMN = 27 };

/* The row of a check, and below it what to do. */
static void print_finding(const struct pp_finding *finding, bool color, FILE *stream)
{
    static const char *const colors[] = {
        [PP_FINE] = "\x1b[32m", [PP_DOUBTFUL] = "\x1b[33m", [PP_WRONG] = "\x1b[1;31m"};
    fprintf(stream, "%s%-*s%s", color ? colors[finding->health] : "", HEALTH_COLUMN,
            pp_health_name(finding->health), color ? "\x1b[0m" : "");
    int used = HEALTH_COLUMN + fprintf(stream, "%s", finding->check);
    if (used + 2 > FOUND_COLUMN) {
        fputc('\n', stream);
        used = 0;
    }
    pp_print_wrapped(stream, finding->found, used, FOUND_COLUMN, false);
    if (finding->advice[0]) {
        fprintf(stream, "%*s-> ", FOUND_COLUMN - 3, "");
        pp_print_wrapped(stream, finding->advice, FOUND_COLUMN, FOUND_COLUMN, false);
    }
}

static void print_diagnosis(const struct pp_diagnosis *diagnosis, bool color,
                            FILE *stream)
{
    for (int i = 0; i < diagnosis->count; i++)
        print_finding(&diagnosis->findings[i], color, stream);
    int doubtful = pp_diagnosis_count(diagnosis, PP_DOUBTFUL);
    fprintf(stream, "\n%d checks: %d ok, %d warning%s, %d wrong\n", diagnosis->count,
            pp_diagnosis_count(diagnosis, PP_FINE), doubtful, doubtful == 1 ? "" : "s",
            pp_diagnosis_count(diagnosis, PP_WRONG));
}

static int diagnose(const struct pp_options *options, struct pp_diagnosis *diagnosis,
                    struct pp_error *error)
{
    const struct pp_question question = {.version = PP_VERSION,
                                         .hosts = options->hosts};
    if (pp_launched())
        return pp_fail(error, PP_BAD_INPUT,
                       "'ppsim doctor' starts ranks itself: leave mpirun out");
    if (pp_output_paths_check(options, error) != 0)
        return -1;
    return pp_diagnose(&question, diagnosis, error);
}

int pp_command_doctor(struct pp_options *options)
{
    struct pp_terminal terminal = pp_terminal_detect(false);
    struct pp_diagnosis diagnosis = {0};
    struct pp_error error = {0};
    int status = diagnose(options, &diagnosis, &error);
    if (status == 0 && !options->quiet)
        print_diagnosis(
            &diagnosis,
            pp_terminal_color(options->color, pp_text_is_terminal(options, &terminal)),
            pp_text_stream(options));
    if (status == 0 && options->json)
        status = pp_diagnosis_write_json(&diagnosis, PP_VERSION, options->json, &error);
    int wrong = pp_diagnosis_count(&diagnosis, PP_WRONG);
    pp_diagnosis_release(&diagnosis);
    if (status != 0)
        return pp_print_error(&error);
    return wrong > 0 ? PP_ENVIRONMENT : PP_DONE;
}
