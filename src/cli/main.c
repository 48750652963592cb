#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "run/launch.h"
#include "version.h"

int pp_print_error(const struct pp_error *error)
{
    const char *line = error->text;
    while (*line) {
        size_t length = strcspn(line, "\n");
        fprintf(stderr, "ppsim: %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
    return error->status;
}

/* A standard stream that is closed would be the next file to be opened. What is
 * written to this one fails, as it would have. */
static void fill_standard_streams(void)
{
    int file;
    do
        file = open("/dev/null", O_RDONLY);
    while (file >= 0 && file <= STDERR_FILENO);
    if (file > STDERR_FILENO)
        close(file);
}

int main(int argc, char **argv)
{
    struct pp_options options;
    struct pp_error error = {0};
    int status = PP_DONE;
    fill_standard_streams();
    bool parsed = pp_options_parse(&options, argc, argv, &error) == 0;
    bool trains = parsed && !options.help && !options.version && pp_trains(&options);
    if (!trains && pp_launched_behind())
        status = PP_DONE; /* the first rank does it, and says what is wrong for all */
    else if (!parsed)
        status = pp_print_error(&error);
    else if (options.help)
        pp_options_help(&options, stdout);
    else if (options.version)
        printf("ppsim %s\n", PP_VERSION);
    else if (options.command == PP_RUN)
        status = pp_command_run(&options, argv);
    else if (options.command == PP_SIMULATE)
        status = pp_command_simulate(&options);
    else if (options.command == PP_SCHEDULES)
        status = pp_command_schedules(&options);
    else if (options.command == PP_EXPLAIN)
        status = pp_command_explain(&options, argv);
    else if (options.command == PP_COMPARE)
        status = pp_command_compare(&options);
    else if (options.command == PP_SWEEP)
        status = pp_command_sweep(&options);
    else if (options.command == PP_PLOT)
        status = pp_command_plot(&options);
    pp_options_release(&options);
    /* Data on stdout that did not reach its reader is a failure, not a success. */
    if (fflush(stdout) != 0 && status == PP_DONE) {
        perror("ppsim: standard output");
        status = PP_ENVIRONMENT;
    }
    return status;
}
