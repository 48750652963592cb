/* Runs the requests of a golden file, lines that begin with "$ ", and compares what
 * they print with what stands below each. A difference prints the whole as it came out.
 *
 *     $ grid SCHEDULE p v m tF tI tW c         the terminal's table
 *     $ letters SCHEDULE p v m tF tI tW c      a letter per ns, '.' for idle
 *     $ figures SCHEDULE p v m tF tI tW c      makespan, bubbles, chunks in flight
 *     $ rate SCHEDULE p v m tF tI tW c         the bubble rate by span
 *     $ csv|csv-comms SCHEDULE p v m           the file
 *
 * Behind them may stand the groups of a schedule that decodes, and its prompts' chunks.
 * Times are in ns, of one op of one stage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/print/grid.h"
#include "schedule/csv.h"
#include "simulate/simulate.h"
#include "timeline/metrics.h"

struct request {
    char what[16], schedule[32];
    int p, v, m, forward, input, weight, hop, groups, chunks;
};

static void print_letters(const struct pp_timeline *timeline, FILE *out)
{
    const struct pp_schedule *schedule = timeline->schedule;
    for (int r = 0; r < schedule->ranks; r++) {
        int64_t now = 0;
        for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k++) {
            const struct pp_span *span = &timeline->spans[k];
            for (; now < span->start; now++)
                putc('.', out);
            for (; now < span->end; now++)
                putc(pp_kind_letter((enum pp_kind)schedule->ops[k].kind), out);
        }
        putc('\n', out);
    }
}

static void print_figures(const struct pp_metrics *metrics, FILE *out)
{
    fprintf(out, "makespan %ld idle/ideal %.4f idle/total %.4f span %.4f in flight",
            (long)metrics->makespan, metrics->bubble.over_ideal,
            metrics->bubble.fraction, metrics->bubble.span_fraction);
    for (int r = 0; r < metrics->ranks; r++)
        fprintf(out, " %d", metrics->of_rank[r].peak_in_flight);
    putc('\n', out);
}

/* Simulates and prints what was asked for. */
static int simulate(const struct request *request, const struct pp_schedule *schedule,
                    FILE *out, struct pp_error *error)
{
    struct pp_costs costs = {0};
    struct pp_timeline timeline = {0};
    struct pp_metrics metrics = {0};
    int result = -1;
    if (pp_costs_init(&costs, schedule->stages, error) != 0 ||
        pp_timeline_init(&timeline, schedule, error) != 0)
        goto done;
    pp_costs_fill(&costs, request->forward, request->input, request->weight);
    costs.near.latency = request->hop;
    if (pp_simulate(schedule, &costs, 0, &timeline, error) != 0 ||
        pp_metrics_init(&metrics, &timeline, error) != 0)
        goto done;
    result = 0;
    if (strcmp(request->what, "grid") == 0)
        result = pp_report_print_grid(&timeline, &(struct pp_grid_view){.to = -1}, out,
                                      error);
    else if (strcmp(request->what, "letters") == 0)
        print_letters(&timeline, out);
    else if (strcmp(request->what, "figures") == 0)
        print_figures(&metrics, out);
    else
        fprintf(out, "%.4f\n", metrics.bubble.span_fraction);

done:
    pp_metrics_release(&metrics);
    pp_timeline_release(&timeline);
    pp_costs_release(&costs);
    return result;
}

static int answer(const struct request *request, FILE *out, struct pp_error *error)
{
    struct pp_schedule schedule;
    struct pp_shape shape = {.ranks = request->p,
                             .chunks = request->v,
                             .microbatches = request->m,
                             .groups = request->groups,
                             .prompt_chunks = request->chunks};
    const struct pp_scheduler *row = pp_catalogue_get(request->schedule, error);
    if (!row || pp_schedule_build(&schedule, row, &shape, error) != 0)
        return -1;
    int result;
    if (strcmp(request->what, "csv") == 0)
        result = pp_csv_write(&schedule, out, false, error);
    else if (strcmp(request->what, "csv-comms") == 0)
        result = pp_csv_write(&schedule, out, true, error);
    else
        result = simulate(request, &schedule, out, error);
    pp_schedule_release(&schedule);
    return result;
}

/* The lines that a golden file keeps as they are: requests and what is said about
 * them. */
static bool is_kept(const char *line)
{
    return line[0] == '$' || line[0] == '#' || line[0] == '\n';
}

static int regenerate(FILE *golden, FILE *out, struct pp_error *error)
{
    char line[4096];
    rewind(golden);
    while (fgets(line, sizeof line, golden)) {
        struct request request = {0};
        if (is_kept(line))
            fputs(line, out);
        if (line[0] != '$')
            continue;
        int read = sscanf(line, "$ %15s %31s %d %d %d %d %d %d %d %d %d", request.what,
                          request.schedule, &request.p, &request.v, &request.m,
                          &request.forward, &request.input, &request.weight,
                          &request.hop, &request.groups, &request.chunks);
        if (read < 5)
            return pp_fail(error, PP_BAD_INPUT, "cannot read the request '%s'", line);
        if (answer(&request, out, error) != 0)
            return -1;
    }
    return 0;
}

static bool same(FILE *golden, const char *text, size_t size)
{
    size_t at = 0;
    int c;
    rewind(golden);
    while ((c = getc(golden)) != EOF) {
        if (at == size || (unsigned char)text[at++] != (unsigned char)c)
            return false;
    }
    return at == size;
}

int main(int argc, char **argv)
{
    struct pp_error error = {0};
    char *text = NULL;
    size_t size = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: golden FILE\n");
        return 2;
    }
    FILE *golden = fopen(argv[1], "r");
    if (!golden) {
        perror(argv[1]);
        return 2;
    }
    FILE *out = open_memstream(&text, &size);
    int result = regenerate(golden, out, &error);
    fclose(out);
    if (result != 0)
        fprintf(stderr, "%s\n", error.text);
    else if (!same(golden, text, size))
        result = 1;
    if (result != 0)
        fwrite(text, 1, size, stdout);
    free(text);
    fclose(golden);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
