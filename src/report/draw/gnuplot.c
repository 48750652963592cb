#include "report/draw/gnuplot.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/output.h"
#include "base/words.h"

int pp_plot_directory_init(struct pp_plot_directory *directory, const char *keep,
                           struct pp_error *error)
{
    struct stat status;
    *directory = (struct pp_plot_directory){0};
    if (!keep) {
        int result = pp_folder_init(&directory->folder, "plot", error);
        directory->temporary = result == 0;
        return result;
    }
    if (mkdir(keep, 0777) != 0 &&
        (errno != EEXIST || stat(keep, &status) != 0 || !S_ISDIR(status.st_mode)))
        return pp_fail(error, PP_BAD_INPUT, "cannot make the directory '%s': %s", keep,
                       strerror(errno));
    directory->folder.path = strdup(keep);
    return directory->folder.path
               ? 0
               : pp_fail(error, PP_ENVIRONMENT, "out of memory for a picture");
}

void pp_plot_directory_release(struct pp_plot_directory *directory)
{
    int caught = directory->caught;
    if (directory->temporary)
        pp_folder_release(&directory->folder);
    free(directory->folder.path);
    *directory = (struct pp_plot_directory){0};
    if (caught > 0) /* all is tidy: end as the user wanted */
        raise(caught);
}

FILE *pp_plot_file_open(struct pp_plot_directory *directory, const char *name,
                        struct pp_error *error)
{
    char *path = pp_folder_file(&directory->folder, name, error);
    FILE *stream = path ? fopen(path, "w") : NULL;
    if (path && !stream)
        pp_fail(error, PP_ENVIRONMENT, "cannot write '%s': %s", path, strerror(errno));
    free(path);
    return stream;
}

int pp_plot_file_close(struct pp_plot_directory *directory, FILE *stream,
                       struct pp_error *error)
{
    int failed = ferror(stream);
    if (fclose(stream) != 0 || failed)
        return pp_fail(error, PP_ENVIRONMENT, "cannot write to a file in '%s': %s",
                       directory->folder.path, strerror(errno));
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
    return pp_fail(error, PP_BAD_INPUT,
                   "cannot draw '%s': the name of a picture ends in .svg, .png or .pdf",
                   path);
}

static bool is_svg(const char *path)
{
    return strcmp(extension_of(path), "svg") == 0;
}

double pp_plot_font(const char *path, double font)
{
    return is_svg(path) ? font : font * 72 / 96;
}

void pp_plot_put_terminal(FILE *settings, const char *name, const char *path,
                          const struct pp_plot_size *size, double height)
{
    /* A generic family of CSS: an SVG is drawn with what the reader's machine has. */
    char font[64];
    pp_assign(font, sizeof font, "font 'sans-serif,%.4g'",
              pp_plot_font(path, size->font));
    fputs("set encoding utf8\n", settings);
    if (is_svg(path))
        fprintf(settings, "set terminal svg size %.0f,%.0f %s background 'white'\n",
                size->width, height, font);
    else if (strcmp(extension_of(path), "png") == 0)
        fprintf(settings,
                "set terminal pngcairo size %.0f,%.0f %s fontscale %.4g linewidth %.4g "
                "pointscale %.4g\n",
                size->width * size->pixels, height * size->pixels, font, size->pixels,
                size->pixels, size->pixels);
    else
        /* pdfcairo scales text as if its points were 96 to the inch. */
        fprintf(settings, "set terminal pdfcairo size %.4fin,%.4fin %s fontscale %g\n",
                size->width / 96, height / 96, font, 72.0 / 96);
    fprintf(settings, "set output '%s.%s'\n", name, extension_of(path));
}

void pp_plot_put_quoted(FILE *settings, const char *text)
{
    fputc('\'', settings);
    for (; *text; text++) {
        if (*text == '\'')
            fputs("''", settings);
        else
            fputc((unsigned char)*text < ' ' ? '?' : *text, settings);
    }
    fputc('\'', settings);
}

void pp_plot_put_text(FILE *settings, const char *name, const char *text)
{
    fprintf(settings, "%s = ", name);
    pp_plot_put_quoted(settings, text);
    fputc('\n', settings);
}

/* Runs gnuplot in the directory, its messages going to the log. Returns its exit
 * status, or -1 with the error set where it could not be run to its end. */
static int run_gnuplot(struct pp_plot_directory *directory, const char *script,
                       const char *log, struct pp_error *error)
{
    char name[] = "gnuplot";
    char *arguments[] = {name, (char *)script, NULL};
    struct pp_program program = {
        .arguments = arguments, .folder = directory->folder.path, .output = log};
    int status = 0;
    pid_t child = pp_program_start(&program);
    if (child < 0)
        return pp_fail(error, PP_ENVIRONMENT, "cannot start gnuplot: %s",
                       strerror(errno));
    directory->caught = pp_child_wait(child, &status);
    if (directory->caught < 0)
        return pp_fail(error, PP_ENVIRONMENT, "cannot wait for gnuplot: %s",
                       strerror(errno));
    if (directory->caught > 0)
        return pp_fail(error, PP_ENVIRONMENT, "gnuplot was stopped by a signal");
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (code == PP_PROGRAM_NOT_FOUND)
        return pp_fail(error, PP_ENVIRONMENT,
                       "gnuplot is needed to draw pictures and is not installed "
                       "(Debian: apt-get install gnuplot-nox)");
    if (code == PP_PROGRAM_NOT_STARTED)
        return pp_fail(error, PP_ENVIRONMENT, "gnuplot cannot be started");
    return code;
}

/* Fails with gnuplot's error message: in the log, the line with the place ("line N:")
 * and the reason. */
static int fail_with_log(const char *log, int status, struct pp_error *error)
{
    char line[256], reason[256] = "no error message";
    FILE *stream = fopen(log, "r");
    while (stream && fgets(line, sizeof line, stream)) {
        line[strcspn(line, "\n")] = '\0';
        if (strstr(line, "line ") || strstr(line, "rror"))
            pp_assign(reason, sizeof reason, "%s", line);
    }
    if (stream)
        fclose(stream);
    pp_make_printable(reason);
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

/* Draws the picture in the directory, and copies it from there. */
static int draw(struct pp_plot_directory *directory, const char *script,
                const char *picture, const char *log, const char *path,
                struct pp_error *error)
{
    int status = run_gnuplot(directory, script, log, error);
    if (status < 0)
        return -1;
    if (status > 0)
        return fail_with_log(log, status, error);
    unlink(log);
    return copy_picture(picture, path, error);
}

int pp_gnuplot(struct pp_plot_directory *directory, const char *name, const char *path,
               struct pp_error *error)
{
    char script[64], file[64];
    int result = -1;
    pp_assign(script, sizeof script, "%s.gp", name);
    pp_assign(file, sizeof file, "%s.%s", name, extension_of(path));
    char *picture = pp_folder_file(&directory->folder, file, error);
    char *log = pp_folder_file(&directory->folder, "gnuplot.log", error);
    if (picture && log)
        result = draw(directory, script, picture, log, path, error);
    free(picture);
    free(log);
    return result;
}
