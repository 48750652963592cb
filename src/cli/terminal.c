#include "cli/terminal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/words.h"
#include "cli/formats.h"

static const char handed_down[] = "PPSIM_TERMINAL";
enum { DEFAULT_WIDTH = 80, LEAST_WIDTH = 40, MOST_WIDTH = 1000 };

static int width_of_terminal(void)
{
    struct winsize size = {0};
    const char *columns = getenv("COLUMNS");
    int width = columns ? atoi(columns) : 0;
    if (width <= 0 && (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ||
                       ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0))
        width = size.ws_col;
    if (width <= 0)
        return DEFAULT_WIDTH;
    return width < LEAST_WIDTH ? LEAST_WIDTH : width > MOST_WIDTH ? MOST_WIDTH : width;
}

struct pp_terminal pp_terminal_detect(bool launched)
{
    struct pp_terminal terminal = {.width = DEFAULT_WIDTH};
    const char *text = getenv(handed_down);
    int input = 0, output = 0, errors = 0, width = 0;
    if (launched) {
        if (text && sscanf(text, "%d %d %d %d", &input, &output, &errors, &width) == 4)
            terminal = (struct pp_terminal){input, output, errors, width};
        return terminal;
    }
    return (struct pp_terminal){
        .input = isatty(STDIN_FILENO),
        .output = isatty(STDOUT_FILENO),
        .errors = isatty(STDERR_FILENO),
        .width = width_of_terminal(),
    };
}

void pp_terminal_hand_down(const struct pp_terminal *terminal)
{
    char text[64];
    snprintf(text, sizeof text, "%d %d %d %d", terminal->input, terminal->output,
             terminal->errors, terminal->width);
    setenv(handed_down, text, 1);
}

bool pp_terminal_color(int choice, bool is_terminal)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (choice != PP_COLOR_AUTO)
        return choice == PP_COLOR_ALWAYS;
    if ((no_color && *no_color) || (term && strcmp(term, "dumb") == 0))
        return false;
    return is_terminal;
}

static bool data_on_stdout(const struct pp_options *options)
{
    return pp_options_on_stdout(options) > 0 || pp_formats_take_stdout(options);
}

/* The text that is generated is what was asked for: what is said of it stands
 * elsewhere.
 */
static bool generates(const struct pp_options *options)
{
    return options->command == PP_GENERATE;
}

FILE *pp_generated_stream(const struct pp_options *options)
{
    return data_on_stdout(options) ? stderr : stdout;
}

FILE *pp_text_stream(const struct pp_options *options)
{
    return data_on_stdout(options) || generates(options) ? stderr : stdout;
}

FILE *pp_verdict_stream(const struct pp_options *options)
{
    bool alone = !generates(options) || pp_formats_take_stdout(options);
    return pp_options_on_stdout(options) == 0 && alone ? stdout : stderr;
}

bool pp_text_is_terminal(const struct pp_options *options,
                         const struct pp_terminal *terminal)
{
    return pp_text_stream(options) == stderr ? terminal->errors : terminal->output;
}

int pp_print_error(const struct pp_error *error)
{
    const char *line = error->text;
    while (*line) {
        size_t length = strcspn(line, "\n");
        fprintf(stderr, "ppsim: %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
    return (int)error->status;
}

int pp_finish_output(int status)
{
    bool failed = ferror(stdout);
    /* The stream has forgotten why; the next write fails for the same reason. */
    int reason = failed && write(STDOUT_FILENO, "\n", 1) < 0 ? errno : 0;
    if (fflush(stdout) != 0) {
        failed = true;
        reason = errno;
    }
    if (!failed || status != PP_DONE)
        return status;
    struct pp_error error = {0};
    pp_fail(&error, PP_ENVIRONMENT, "cannot write to standard output: %s",
            strerror(reason ? reason : EIO));
    return pp_print_error(&error);
}

void pp_say(const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    pp_assign_list(text, sizeof text, format, arguments);
    va_end(arguments);
    pp_make_printable(text);
    fprintf(stderr, "ppsim: %s\n", text);
}

void pp_say_dropped(const struct pp_report *report, const char *path)
{
    if (report->timeline_dropped[0])
        pp_say("'%s' is written without its timeline: %s", path,
               report->timeline_dropped);
}
