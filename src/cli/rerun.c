#include "cli/rerun.h"

#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/quote.h"
#include "run/launch.h"

static void put_mpirun(const struct pp_options *options, int ranks, FILE *stream)
{
    if (pp_launched_by_user() &&
        (options->work == PP_RUN || options->work == PP_GENERATE))
        fprintf(stream, "mpirun -n %d ", ranks);
}

char *pp_rerun_command(const struct pp_options *options, int ranks)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    put_mpirun(options, ranks, stream);
    pp_quote_words(options->argv, stream);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

/* The same work, without its gates, for its report. -1 when out of memory. */
static int put_work(const struct pp_options *options, int ranks, const char *json,
                    FILE *stream)
{
    int most = pp_option_count;
    while (options->argv[most - pp_option_count])
        most++;
    char **words = calloc((size_t)most + 5, sizeof *words);
    int given = words ? pp_options_again(options, words + 2, most) : -1;
    if (given < 0) {
        free(words);
        return -1;
    }
    words[0] = options->argv[0];
    words[1] = (char *)pp_commands[options->work].name;
    words[2 + given] = (char *)"--json";
    words[3 + given] = (char *)json;
    put_mpirun(options, ranks, stream);
    pp_quote_words(words, stream);
    fputs("; ", stream);
    for (int i = 0; i < given; i++)
        free(words[2 + i]);
    free(words);
    return 0;
}

char *pp_go_on_command(const struct pp_options *options, int ranks,
                       const char *baseline)
{
    char *text = NULL;
    size_t size;
    bool written = options->json && strcmp(options->json, "-") != 0;
    const char *json = written ? options->json : "report.json";
    char *program = options->argv[0];
    char *compare[] = {program, (char *)"compare", (char *)baseline, (char *)json,
                       NULL};
    char *explain[] = {program, (char *)"explain", (char *)json, NULL};
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    int status = written ? 0 : put_work(options, ranks, json, stream);
    if (baseline) {
        pp_quote_words(compare, stream);
        fputs("; ", stream);
    }
    pp_quote_words(explain, stream);
    if (fclose(stream) == 0 && status == 0)
        return text;
    free(text);
    return NULL;
}
