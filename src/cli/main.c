#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/terminal.h"
#include "cli/verdicts.h"
#include "run/launch.h"
#include "version.h"

/* The next file to be opened would take the number of a standard stream that is closed,
 * and receive its text. /dev/null, opened for reading, takes it; writing still fails.
 */
static void fill_standard_streams(void)
{
    int file;
    do
        file = open("/dev/null", O_RDONLY);
    while (file >= 0 && file <= STDERR_FILENO);
    if (file > STDERR_FILENO)
        close(file);
}

static void print_help(const struct pp_options *options)
{
    if (options->named)
        pp_help_command(pp_commands, options->command, stdout);
    else
        pp_help_overview(pp_commands, stdout);
}

/* Says what is wrong with the options. Where a launcher has started many processes of
 * a command that trains, one speaks for all: MPI says which. Where only this one had no
 * memory for the options, the others learn of it where they agree that all is well. */
static int refuse(struct pp_error *error, const struct pp_options *options)
{
    bool launched = pp_commands[options->command].trains && pp_launched();
    struct pp_error other = {0};
    int rank = 0, world;
    if (launched && pp_world_enter(PP_VERSION, &rank, &world, &other) != 0) {
        error = &other;
    } else if (launched) {
        pp_world_watch(0); /* the others do so before they agree */
        pp_world_agree(-1, error);
    }
    if (rank == 0)
        pp_refuse(options, error);
    return launched ? pp_world_leave((int)error->status) : (int)error->status;
}

int main(int argc, char **argv)
{
    struct pp_options options;
    struct pp_error error = {0};
    int status = PP_DONE;
    fill_standard_streams();
    /* A file over the limit (ulimit -f) is an error of its write, as on a full disk. */
    signal(SIGXFSZ, SIG_IGN);
    bool parsed = pp_options_parse(&options, pp_commands, argc, argv, &error) == 0;
    if (!parsed)
        status = refuse(&error, &options);
    else if (options.help)
        print_help(&options);
    else if (options.version)
        printf("ppsim %s\n", PP_VERSION);
    else
        status = pp_commands[options.work].run(&options);
    pp_options_release(&options);
    return pp_finish_output(status);
}
