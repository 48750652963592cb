/* As zshcompsys(1) describes completion functions. */
#include "cli/docs/docs.h"
#include "schedules/catalogue.h"

/* Text within single quotes, in which these characters need a backslash. */
static void print_quoted(const char *text, const char *escaped, FILE *stream)
{
    for (; *text; text++) {
        const char *e = escaped;
        while (*e && *e != *text)
            e++;
        if (*e)
            fputc('\\', stream);
        fputs(*text == '\'' ? "'\\''" : (char[]){*text, '\0'}, stream);
    }
}

/* Words that are explained: ((name\:"help" ...)). */
static void print_words(const struct pp_option *option, FILE *stream)
{
    struct pp_word word;
    fputs("((", stream);
    for (int i = 0; (word = option->words(i)).name; i++) {
        fprintf(stream, "%s%s\\:\"", i > 0 ? " " : "", word.name);
        print_quoted(word.help, ":\"\\", stream);
        fputc('"', stream);
    }
    fputs("))", stream);
}

static void print_value(const struct pp_option *option, FILE *stream)
{
    const char *word;
    static const char *const actions[] = {
        [PP_NO_FILE] = " ",
        [PP_FILE_READ] = "_files",
        [PP_FILE_WRITTEN] = "_files",
        [PP_FILE_STREAMED] = "_files",
        [PP_DIRECTORY] = "_files -/",
        [PP_FILE_OR_SCHEDULE] = "_ppsim_schedules",
        [PP_FILES_OR_SCHEDULES] = "_sequence _ppsim_schedules",
    };
    fputc(':', stream);
    print_quoted(option->value, ":", stream);
    fputc(':', stream);
    if (option->words) {
        print_words(option, stream);
    } else if (pp_option_word(option, 0)) {
        fputc('(', stream);
        for (int i = 0; (word = pp_option_word(option, i)); i++)
            fprintf(stream, "%s%s", i > 0 ? " " : "", word);
        fputc(')', stream);
    } else {
        fputs(actions[option->file], stream);
    }
}

static void print_option(const struct pp_option *option, FILE *stream)
{
    bool takes_value = option->type != PP_FLAG;
    fprintf(stream, "            '%s--%s%s[",
            option->type == PP_TEXTS || option->type == PP_NAMES ? "*" : "",
            option->name, takes_value ? "=" : "");
    print_quoted(option->help, "[]\\", stream);
    fputc(']', stream);
    if (takes_value)
        print_value(option, stream);
    fputs("' \\\n", stream);
}

static void print_command(const struct pp_command_row *row, enum pp_command command,
                          FILE *stream)
{
    fprintf(stream, "    %s)\n        _arguments -S \\\n", row->name);
    for (int i = 0; i < pp_option_count; i++) {
        if (pp_option_of(&pp_option_table[i], command))
            print_option(&pp_option_table[i], stream);
    }
    if (row->actions[0]) {
        fputs("            '1:action:(", stream);
        for (int a = 0; row->actions[a]; a++)
            fprintf(stream, "%s%s", a > 0 ? " " : "", row->actions[a]);
        fputs(")' \\\n            '2:schedule:_ppsim_schedules'\n", stream);
    } else if (row->most_arguments > 0) {
        fputs("            '*:report:_files'\n", stream);
    } else {
        fputs("            && return\n", stream);
    }
    fputs("        ;;\n", stream);
}

/* 'name:meaning' */
static void print_described(const char *name, const char *meaning, FILE *stream)
{
    fprintf(stream, "        '%s:", name);
    print_quoted(meaning, "", stream);
    fputs("'\n", stream);
}

void pp_docs_zsh(FILE *stream)
{
    fputs("#compdef ppsim\n# made from the table of options\n\n"
          "_ppsim_schedules() {\n    local -a names=(\n",
          stream);
    for (int i = 0; i < pp_catalogue_count(); i++)
        print_described(pp_catalogue_row(i)->name, pp_catalogue_row(i)->summary,
                        stream);
    fputs("    )\n    _describe -t schedules schedule names \"$@\"\n"
          "    _files \"$@\" -g '*.csv'\n}\n\n_ppsim() {\n"
          "    local command=run\n    local -a commands=(\n",
          stream);
    for (int c = 0; c < PP_COMMANDS; c++)
        print_described(pp_commands[c].name, pp_commands[c].help, stream);
    fputs("    )\n    if [[ $words[2] == help ]] && ((CURRENT > 2)); then\n"
          "        ((CURRENT == 3)) && _describe -t commands command commands\n"
          "        return\n    fi\n"
          "    if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then\n"
          "        commands+=('help:the options of a command')\n"
          "        _describe -t commands command commands\n        return\n    fi\n"
          "    if [[ $words[2] != -* ]]; then\n"
          "        command=$words[2]\n        shift words\n        ((CURRENT--))\n"
          "    fi\n    case $command in\n",
          stream);
    for (int c = 0; c < PP_COMMANDS; c++)
        print_command(&pp_commands[c], (enum pp_command)c, stream);
    fputs("    esac\n}\n\n_ppsim \"$@\"\n", stream);
}
