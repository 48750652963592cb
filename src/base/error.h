/* Errors: functions return 0 or -1 and fill a struct pp_error; the command line
 * prints it once, each line behind "ppsim: ", and exits with its status. */
#ifndef PP_BASE_ERROR_H
#define PP_BASE_ERROR_H

/* The exit statuses of the program. */
enum pp_status {
    PP_DONE = 0,          /* all went well */
    PP_CHECK_FAILED = 1,  /* a --check or --baseline failed */
    PP_BAD_INPUT = 2,     /* bad usage or a bad file */
    PP_WRONG_NUMBERS = 3, /* --verify failed, or NaN in the training */
    PP_ENVIRONMENT = 4,   /* MPI, a dead rank, disk, memory */
    PP_INTERRUPTED = 130, /* stopped by SIGINT, as a shell would give it */
    PP_TERMINATED = 143   /* stopped by SIGTERM */
};

/* Zero-initialise before use: struct pp_error error = {0}; */
struct pp_error {
    enum pp_status status;
    int lines; /* how many lines text holds */
    int row;   /* of the schedule file, from 1, that its first line is about; or 0 */
    char text[6144]; /* no capital, no full stop, lines separated by '\n' */
};

/* Sets the error to one formatted line, '?' in it for each control character and each
 * byte that is not UTF-8, whatever the arguments hold. Returns -1, so that a caller can
 * write `return pp_fail(error, PP_BAD_INPUT, "…")`. */
__attribute__((format(printf, 3, 4))) int
pp_fail(struct pp_error *error, enum pp_status status, const char *format, ...);

/* The most problems of one file or schedule that are reported. */
enum { PP_MOST_PROBLEMS = 20 };

/* Like pp_fail, but appends a line to what the error already says; used where one
 * file or schedule has several problems. Lines that no longer fit are dropped. */
__attribute__((format(printf, 3, 4))) int
pp_fail_also(struct pp_error *error, enum pp_status status, const char *format, ...);

/* Whose fault the failure of a file is, by its errno: where disk, memory or files to
 * open are used up, the environment's; else the path's that was given. */
enum pp_status pp_status_of(int number);

/* What the error says, if it says anything, is about this row of a schedule file,
 * unless an earlier line was about another. */
void pp_error_about_row(struct pp_error *error, int row);

/* Lets compilers and analysers see the constant result. */
static inline int pp_failed(void)
{
    return -1;
}
#define pp_fail(...) (pp_fail(__VA_ARGS__), pp_failed())
#define pp_fail_also(...) (pp_fail_also(__VA_ARGS__), pp_failed())

#endif
