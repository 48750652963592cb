/* The completion needs no bash-completion package: bash alone runs it. */
#include "cli/docs/docs.h"

static const char start[] =
    "# bash completion for ppsim, made from its table of options\n"
    "\n"
    "# Words of a list that begin as the one being typed.\n"
    "_ppsim_words() {\n"
    "    local IFS=$' \\t\\n'\n"
    "    COMPREPLY+=($(compgen -P \"$prefix\" -W \"$1\" -- \"$cur\"))\n"
    "}\n"
    "\n"
    "# Files, or with -d directories.\n"
    "_ppsim_files() {\n"
    "    local name\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    while IFS= read -r name; do\n"
    "        COMPREPLY+=(\"$prefix$name\")\n"
    "    done < <(compgen \"${1:--f}\" -- \"$cur\")\n"
    "}\n"
    "\n";

static const char find_option[] =
    "\n"
    "_ppsim() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev= option= prefix= command=run "
    "action=\n"
    "    local i first=1\n"
    "    ((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    COMPREPLY=()\n"
    "    # bash takes '--clock=wall' apart into '--clock', '=' and 'wall'.\n"
    "    if [[ $cur == = ]]; then\n"
    "        option=$prev cur=\n"
    "    elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then\n"
    "        option=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    elif [[ $cur == --*=* ]]; then # it does not where the user told it so\n"
    "        option=${cur%%=*} prefix=${cur%%=*}= cur=${cur#*=}\n"
    "    elif [[ $prev == --* ]]; then\n"
    "        option=$prev\n"
    "    fi\n"
    "    if [[ ${COMP_WORDS[1]} == help ]]; then\n"
    "        ((COMP_CWORD == 2)) && first=2 || return\n"
    "    fi\n"
    "    if ((COMP_CWORD == first)) && [[ $cur != -* ]]; then\n"
    "        _ppsim_words \"$_ppsim_commands\"\n"
    "        ((first == 1)) && _ppsim_words help\n"
    "        return\n"
    "    fi\n"
    "    [[ \" $_ppsim_commands \" == *\" ${COMP_WORDS[1]} \"* ]] &&\n"
    "        command=${COMP_WORDS[1]}\n"
    "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
    "        [[ ${COMP_WORDS[i]} != -* ]] && action=${COMP_WORDS[i]} && break\n"
    "    done\n"
    "\n"
    "    # The value of an option.\n"
    "    case $command$option in\n";

static void print_patterns(const struct pp_option *option, FILE *stream)
{
    const char *between = "    ";
    for (int c = 0; c < PP_COMMANDS; c++) {
        if (!pp_option_of(option, (enum pp_command)c))
            continue;
        fprintf(stream, "%s%s--%s", between, pp_commands[c].name, option->name);
        between = " | ";
    }
    fputs(")\n", stream);
}

static void print_value(const struct pp_option *option, FILE *stream)
{
    const char *word;
    print_patterns(option, stream);
    if (pp_option_word(option, 0)) {
        fputs("        _ppsim_words '", stream);
        for (int i = 0; (word = pp_option_word(option, i)); i++)
            fprintf(stream, "%s%s", i > 0 ? " " : "", word);
        fputs("'\n", stream);
    }
    if (option->file == PP_FILES_OR_SCHEDULES)
        fputs("        if [[ $cur == *,* ]]; then\n"
              "            prefix=$prefix${cur%,*}, cur=${cur##*,}\n"
              "        fi\n",
              stream);
    if (option->file == PP_FILE_OR_SCHEDULE || option->file == PP_FILES_OR_SCHEDULES)
        fputs("        _ppsim_words \"$_ppsim_schedules\"\n", stream);
    if (option->file == PP_DIRECTORY)
        fputs("        _ppsim_files -d\n", stream);
    else if (option->file != PP_NO_FILE)
        fputs("        _ppsim_files\n", stream);
    fputs("        return\n        ;;\n", stream);
}

/* Options where a word begins with '-', else what the command takes as arguments. */
static void print_words(const struct pp_command_row *row, enum pp_command command,
                        FILE *stream)
{
    fprintf(stream,
            "    %s)\n        if [[ $cur == -* ]]; then\n            "
            "_ppsim_words '",
            row->name);
    for (int i = 0; i < pp_option_count; i++) {
        if (pp_option_of(&pp_option_table[i], command))
            fprintf(stream, " --%s", pp_option_table[i].name);
    }
    fputs("'\n", stream);
    if (row->actions[0]) {
        fputs("        elif [[ -z $action ]]; then\n            _ppsim_words '",
              stream);
        for (int a = 0; row->actions[a]; a++)
            fprintf(stream, " %s", row->actions[a]);
        fputs("'\n        else\n            _ppsim_words \"$_ppsim_schedules\"\n"
              "            _ppsim_files\n",
              stream);
    } else if (row->most_arguments > 0) {
        fputs("        else\n            _ppsim_files\n", stream);
    }
    fputs("        fi\n        ;;\n", stream);
}

void pp_docs_bash(FILE *stream)
{
    fputs(start, stream);
    fputs("_ppsim_commands='", stream);
    for (int c = 0; c < PP_COMMANDS; c++)
        fprintf(stream, "%s%s", c > 0 ? " " : "", pp_commands[c].name);
    fputs("'\n_ppsim_schedules='", stream);
    pp_docs_schedules(stream);
    fputs("'\n", stream);
    fputs(find_option, stream);
    for (int i = 0; i < pp_option_count; i++) {
        if (pp_option_table[i].type != PP_FLAG)
            print_value(&pp_option_table[i], stream);
    }
    fputs("    esac\n\n    case $command in\n", stream);
    for (int c = 0; c < PP_COMMANDS; c++)
        print_words(&pp_commands[c], (enum pp_command)c, stream);
    fputs("    esac\n}\n\ncomplete -F _ppsim ppsim\n", stream);
}
