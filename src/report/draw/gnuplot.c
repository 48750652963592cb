#include "report/draw/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/output.h"

extern char **environ;

static int no_memory(struct pp_error *error)
{
    return pp_fail(error, PP_ENVIRONMENT, "out of memory for a picture");
}

static char *make_temporary(struct pp_error *error)
{
    const char *parent = getenv("TMPDIR");
    char *path;
    if (asprintf(&path, "%s/ppsim-plot-XXXXXX", parent && parent[0] ? parent : "/tmp") <
        0) {
        no_memory(error);
        return NULL;
    }
    if (mkdtemp(path))
        return path;
    pp_fail(error, PP_ENVIRONMENT, "cannot make the directory '%s': %s", path,
            strerror(errno));
    free(path);
    return NULL;
}

int pp_plot_directory_init(struct pp_plot_directory *directory, const char *keep,
                           struct pp_error *error)
{
    *directory = (struct pp_plot_directory){.temporary = keep == NULL};
    if (!keep) {
        directory->path = make_temporary(error);
        return directory->path ? 0 : -1;
    }
    struct stat status;
    if (mkdir(keep, 0777) != 0 &&
        (errno != EEXIST || stat(keep, &status) != 0 || !S_ISDIR(status.st_mode)))
        return pp_fail(error, PP_BAD_INPUT, "cannot make the directory '%s': %s", keep,
                       strerror(errno));
    directory->path = strdup(keep);
    return directory->path ? 0 : no_memory(error);
}

void pp_plot_directory_release(struct pp_plot_directory *directory)
{
    for (int i = 0; i < directory->count; i++) {
        if (directory->temporary)
            unlink(directory->files[i]);
        free(directory->files[i]);
    }
    if (directory->temporary && directory->path)
        rmdir(directory->path);
    free(directory->path);
    *directory = (struct pp_plot_directory){0};
}

/* The full path of a file that is about to be written there; owned by the directory. */
static const char *register_file(struct pp_plot_directory *directory, const char *name)
{
    char *path;
    if (directory->count == PP_MOST_PLOT_FILES ||
        asprintf(&path, "%s/%s", directory->path, name) < 0)
        return NULL;
    directory->files[directory->count++] = path;
    return path;
}

FILE *pp_plot_file_open(struct pp_plot_directory *directory, const char *name,
                        struct pp_error *error)
{
    const char *path = register_file(directory, name);
    if (!path) {
        no_memory(error);
        return NULL;
    }
    FILE *stream = fopen(path, "w");
    if (!stream)
        pp_fail(error, PP_ENVIRONMENT, "cannot write '%s': %s", path, strerror(errno));
    return stream;
}

int pp_plot_file_close(struct pp_plot_directory *directory, FILE *stream,
                       struct pp_error *error)
{
    int failed = ferror(stream);
    if (fclose(stream) != 0 || failed)
        return pp_fail(error, PP_ENVIRONMENT, "cannot write '%s': %s",
                       directory->files[directory->count - 1], strerror(errno));
    return 0;
}

/* The extension, "svg", or "" where there is none. */
static const char *extension_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');
    return dot ? dot + 1 : "";
}

int pp_plot_path_check(const char *path, struct pp_error *error)
{
    static const char *const known[] = {"svg", "png", "pdf"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(extension_of(path), known[i]) == 0)
            return 0;
    }
    return pp_fail(
        error, PP_BAD_INPUT,
        "'%s' is no picture that can be drawn: end the name in .svg, .png or "
        ".pdf",
        path);
}

void pp_plot_put_terminal(FILE *settings, const char *name, const char *path, int width,
                          int height)
{
    const char *extension = extension_of(path);
    fputs("set encoding utf8\n", settings);
    if (strcmp(extension, "svg") == 0)
        fprintf(settings,
                "set terminal svg size %d,%d font 'sans,11' background 'white'\n",
                width, height);
    else if (strcmp(extension, "png") == 0)
        fprintf(settings, "set terminal pngcairo size %d,%d font 'sans,11'\n", width,
                height);
    else
        fprintf(settings, "set terminal pdfcairo size %.2fin,%.2fin font 'sans,11'\n",
                width / 96.0, height / 96.0);
    fprintf(settings, "set output '%s.%s'\n", name, extension);
}

void pp_plot_put_text(FILE *settings, const char *name, const char *text)
{
    fprintf(settings, "%s = '", name);
    for (; *text; text++) {
        if (*text == '\'')
            fputs("''", settings);
        else
            fputc((unsigned char)*text < ' ' ? '?' : *text, settings);
    }
    fputs("'\n", settings);
}

/* Runs gnuplot in the directory, what it says going to the log. Returns its exit
 * status, or -1 with the error set where it could not be started. */
static int start_gnuplot(const char *directory, const char *script, const char *log,
                         struct pp_error *error)
{
    char *arguments[] = {(char *)"gnuplot", (char *)script, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status;
    posix_spawn_file_actions_init(&actions);
    int number =
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (number == 0)
        number = posix_spawn_file_actions_addopen(&actions, 1, log,
                                                  O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (number == 0)
        number = posix_spawn_file_actions_adddup2(&actions, 1, 2);
    if (number == 0)
        number = posix_spawn_file_actions_addchdir_np(&actions, directory);
    if (number == 0)
        number = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (number == ENOENT)
        return pp_fail(error, PP_ENVIRONMENT,
                       "gnuplot is needed to draw pictures and is not installed "
                       "(Debian: apt-get install gnuplot-nox)");
    if (number != 0)
        return pp_fail(error, PP_ENVIRONMENT, "cannot start gnuplot: %s",
                       strerror(number));
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            return pp_fail(error, PP_ENVIRONMENT, "lost gnuplot: %s", strerror(errno));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Fails with the line of the log that says what is wrong: gnuplot shows the place
 * first, then the reason behind "line N:". */
static int tell_log(const char *log, int status, struct pp_error *error)
{
    char line[256], reason[256] = "it says nothing";
    FILE *stream = fopen(log, "r");
    while (stream && fgets(line, sizeof line, stream)) {
        line[strcspn(line, "\n")] = '\0';
        if (strstr(line, "line ") || strstr(line, "rror"))
            strcpy(reason, line);
    }
    if (stream)
        fclose(stream);
    return pp_fail(error, PP_ENVIRONMENT, "gnuplot failed (status %d): %s", status,
                   reason);
}

static int copy_picture(const char *from, const char *path, struct pp_error *error)
{
    char block[1 << 16];
    size_t count;
    struct pp_output output;
    FILE *stream = fopen(from, "r");
    if (!stream)
        return pp_fail(error, PP_ENVIRONMENT, "gnuplot drew no picture '%s': %s", from,
                       strerror(errno));
    if (pp_output_open(&output, path, error) != 0) {
        fclose(stream);
        return -1;
    }
    while ((count = fread(block, 1, sizeof block, stream)) > 0)
        fwrite(block, 1, count, output.stream);
    int failed = ferror(stream);
    fclose(stream);
    if (failed) {
        pp_output_abandon(&output);
        return pp_fail(error, PP_ENVIRONMENT, "cannot read '%s'", from);
    }
    return pp_output_commit(&output, error);
}

int pp_gnuplot(struct pp_plot_directory *directory, const char *name, const char *path,
               struct pp_error *error)
{
    char script[64], file[64];
    snprintf(script, sizeof script, "%s.gp", name);
    snprintf(file, sizeof file, "%s.%s", name, extension_of(path));
    const char *picture = register_file(directory, file);
    const char *log = register_file(directory, "gnuplot.log");
    if (!picture || !log)
        return no_memory(error);
    int status = start_gnuplot(directory->path, script, log, error);
    if (status < 0)
        return -1;
    if (status > 0)
        return tell_log(log, status, error);
    unlink(log);
    return copy_picture(picture, path, error);
}
