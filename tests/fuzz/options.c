/* A command line: a line for each word behind the program's name. */
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/interval.h"
#include "fuzz.h"

enum { MOST = 64 };

static void ask(const struct pp_options *options)
{
    char *arguments[MOST], headline[512];
    json_t *config = pp_options_config(options);
    int count = pp_options_again(options, arguments, MOST);
    for (int i = 0; i < count; i++)
        free(arguments[i]);
    json_decref(config);
    if (!options->lists) /* a sweep has no headline */
        pp_options_headline(options, headline, sizeof headline);
    pp_options_on_stdout(options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pp_error error = {0};
    struct pp_options options;
    struct pp_interval interval;
    char program[] = "ppsim", *words[MOST + 1] = {program};
    char *text = fuzz_text(data, size);
    int count = 1;
    if (!text)
        return 0;
    for (char *at = text; at && count < MOST;) {
        char *end = strchr(at, '\n');
        if (end)
            *end = '\0';
        words[count++] = at;
        at = end ? end + 1 : NULL;
    }
    if (fuzz_check(pp_options_parse(&options, pp_commands, count, words, &error),
                   &error) == 0) {
        ask(&options);
        if (options.lists && pp_interval_find(&interval, &options, &error) < 0)
            fuzz_check(-1, &error);
    }
    pp_options_release(&options);
    free(text);
    return 0;
}
