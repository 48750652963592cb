#include "cli/paths.h"

#include <string.h>

#include "base/output.h"
#include "cli/option_table.h"
#include "cli/plan.h"
#include "report/draw/gnuplot.h"
#include "run/save_folder.h"

/* A file that an option or an argument names. */
struct named {
    const struct pp_option *option; /* NULL: an argument */
    const char *path;
};

static bool is_written(const struct pp_options *options, const struct pp_option *option)
{
    return option->file == PP_FILE_WRITTEN || option->file == PP_FILE_STREAMED ||
           (option->offset == offsetof(struct pp_options, baseline) &&
            options->update_baseline);
}

static bool is_read(const struct pp_options *options, const struct pp_option *option)
{
    if (option->file == PP_FILE_OR_SCHEDULE || option->file == PP_FILES_OR_SCHEDULES)
        return options->schedule && pp_plan_is_file(options->schedule);
    return option->file == PP_FILE_READ && !is_written(options, option);
}

/* The files among the schedules that a sweep lists. */
static int list_schedules(const struct pp_options *options, int row,
                          struct named *files, int most)
{
    const struct pp_list *list = &options->lists[row];
    int count = 0;
    for (int i = 0; i < list->count && count < most; i++) {
        if (pp_plan_is_file(list->values[i]))
            files[count++] = (struct named){&pp_option_table[row], list->values[i]};
    }
    return count;
}

/* Lists the files that are written, or read. Returns how many, at most `most`. */
static int list_files(const struct pp_options *options, bool written,
                      struct named *files, int most)
{
    int count = 0;
    for (int i = 0; i < pp_option_count && count < most; i++) {
        const struct pp_option *option = &pp_option_table[i];
        const char *path = pp_option_text(options, option);
        bool wanted = written ? is_written(options, option) : is_read(options, option);
        if (!pp_option_of(option, options->command))
            continue;
        if (option->file == PP_FILES_OR_SCHEDULES && pp_option_varies(options, option))
            count +=
                written ? 0 : list_schedules(options, i, files + count, most - count);
        else if (path && wanted)
            files[count++] = (struct named){option, path};
        for (int k = 0; written && count < most; k++) {
            const char *file = pp_option_file(options, option, k);
            if (!file)
                break;
            files[count++] = (struct named){option, file};
        }
    }
    for (int i = 0; i < options->argument_count && !written && count < most; i++)
        files[count++] = (struct named){NULL, options->arguments[i]};
    return count;
}

/* May the output replace this input? Parameters are loaded before others are saved, so
 * that one file can be trained on in place. */
static bool may_replace(const struct pp_option *output, const struct pp_option *input)
{
    return input && output->over && strcmp(output->over, input->name) == 0;
}

/* Is the path, of an option or not, that of a model in a folder, and which one? */
static const char *folder_of(const struct named *file)
{
    bool may = file->option && file->option->model;
    return may && pp_save_folder_named(file->path) ? file->path : NULL;
}

/* Do they lead to one file? A model's folder stands for the files in it. */
static bool is_same(const struct named *a, const struct named *b)
{
    const char *one = folder_of(a), *other = folder_of(b);
    return pp_output_same(a->path, b->path) ||
           (one && pp_save_folder_has(one, b->path)) ||
           (other && pp_save_folder_has(other, a->path));
}

enum { MOST_FILES = 32 };

bool pp_output_path_is_alone(const struct pp_options *options, const char *path)
{
    struct named written[MOST_FILES], read[MOST_FILES];
    int outputs = list_files(options, true, written, MOST_FILES), same = 0;
    int inputs = list_files(options, false, read, MOST_FILES);
    const struct named asked = {.path = path};
    for (int i = 0; i < outputs; i++)
        same += is_same(&asked, &written[i]);
    for (int i = 0; i < inputs; i++)
        same += 2 * is_same(&asked, &read[i]);
    return same <= 1;
}

void pp_output_paths_tidy(const struct pp_options *options)
{
    struct named written[MOST_FILES];
    int outputs = list_files(options, true, written, MOST_FILES);
    for (int i = 0; i < outputs; i++) {
        if (folder_of(&written[i]))
            pp_save_folder_tidy(written[i].path);
        else
            pp_output_tidy(written[i].path);
    }
}

int pp_output_paths_check(const struct pp_options *options, struct pp_error *error)
{
    struct named written[MOST_FILES], read[MOST_FILES];
    int outputs = list_files(options, true, written, MOST_FILES);
    int inputs = list_files(options, false, read, MOST_FILES);
    for (int i = 0; i < outputs; i++) {
        const char *path = written[i].path;
        if ((folder_of(&written[i]) ? pp_save_folder_check
                                    : pp_output_check)(path, error) != 0)
            return -1;
    }
    for (int i = 0; i < outputs; i++) {
        const char *path = written[i].path;
        for (int j = 0; j < i; j++) {
            if (is_same(&written[i], &written[j]))
                return pp_fail(error, PP_BAD_INPUT,
                               "'--%s' and '--%s' both write '%s': only one output may "
                               "go there",
                               written[j].option->name, written[i].option->name,
                               folder_of(&written[i]) ? written[j].path : path);
        }
        for (int j = 0; j < inputs; j++) {
            if (is_same(&written[i], &read[j]) &&
                !may_replace(written[i].option, read[j].option))
                return pp_fail(error, PP_BAD_INPUT,
                               "'%s' is an input that '--%s' would overwrite: "
                               "give the output another name",
                               folder_of(&written[i]) ? read[j].path : path,
                               written[i].option->name);
        }
    }
    struct pp_plot_size size;
    if (!options->plot)
        return 0;
    return pp_plot_path_check(options->plot, error) != 0
               ? -1
               : pp_plot_size_parse(options->plot_size, &size, error);
}
