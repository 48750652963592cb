/* The one table of options. Each row says all that is known of an option: parsing,
 * bounds, defaults, help, the report's config, what decides a result, which files are
 * read and written, the man page and the completions all come from it. */
#ifndef PP_CLI_OPTION_TABLE_H
#define PP_CLI_OPTION_TABLE_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"
#include "cli/option_values.h"

/* How the value is read, and the field's type in struct pp_options. */
enum pp_option_type {
    PP_FLAG,   /* bool; takes no value */
    PP_INT,    /* int */
    PP_LONG,   /* long long */
    PP_REAL,   /* double */
    PP_TEXT,   /* const char * */
    PP_TEXTS,  /* struct pp_texts; the option may be repeated */
    PP_CHOICE, /* int: the value of one of the choices */
    PP_NAME,   /* const char *: one of the words */
    PP_NAMES   /* struct pp_texts: each a word, or WORD=FILE; may be repeated */
};

/* What an option is for. Help prints the options of a role under one title. */
enum pp_role {
    PP_ROLE_SHAPE,   /* what is executed */
    PP_ROLE_ORDER,   /* in which order, and where: what a schedule file says itself */
    PP_ROLE_MODEL,   /* its numbers are the model's sizes */
    PP_ROLE_TEXT,    /* what is generated */
    PP_ROLE_SERVING, /* where, and for how many */
    PP_ROLE_TRAINING,
    PP_ROLE_TIME,    /* what ops and messages take */
    PP_ROLE_MEMORY,  /* what microbatches hold */
    PP_ROLE_SEARCH,  /* what optimize may use, and what it is to find */
    PP_ROLE_OUTPUT,  /* where the result goes, and how it is shown */
    PP_ROLE_JUDGING, /* what the result is held against */
    PP_ROLE_ASKING   /* answered instead of doing any work */
};

/* Does it decide what training computes, bit for bit? A checkpoint is resumed with the
 * same value of those that do. */
enum pp_effect {
    PP_EFFECT_OF_ROLE, /* yes for the model and for training, else no */
    PP_DECIDES_NUMBERS,
    PP_KEEPS_NUMBERS /* no; or what it decides is held against the checkpoint apart */
};

/* Which file or directory a text names. */
enum pp_file {
    PP_NO_FILE,
    PP_FILE_READ,
    PP_FILE_WRITTEN,
    PP_FILE_STREAMED, /* written; "-" is standard output */
    PP_DIRECTORY,
    PP_FILE_OR_SCHEDULE,  /* read, unless it is the name of a schedule */
    PP_FILES_OR_SCHEDULES /* a list of those, with commas between */
};

struct pp_choice {
    const char *name;
    int value;
};

/* A word, and what it stands for; the name is NULL behind the last one. */
struct pp_word {
    const char *name, *help;
};

struct pp_report;

enum { PP_MOST_NEEDS = 2, PP_OPTION_KEY = 64 };

struct pp_option {
    const char *name;
    const char *value; /* what help calls it; NULL for flags */
    enum pp_option_type type;
    enum pp_role role;
    int commands; /* which take it: the bits 1 << enum pp_command */
    size_t offset;
    double least, most; /* of numbers */
    const char *start;  /* the default, as text; NULL: not given */
    const char *help;
    const struct pp_choice *choices; /* of PP_CHOICE; ended by a row without a name */
    struct pp_word (*words)(int index); /* of PP_NAME and PP_NAMES */
    enum pp_file file;
    bool model; /* a model's file, or the folder of one */
    /* Of an exporter: writes the report to the file. */
    int (*write)(const struct pp_report *report, const char *path,
                 struct pp_error *error);
    const char *over; /* the input that this output may be written over */
    const char *needs[PP_MOST_NEEDS]; /* it says nothing without one of these */
    bool listed;                      /* a sweep may give it several values */
    bool headline; /* of a simulation: its headline says it, where it was given */
    bool resolved; /* the report says elsewhere what became of it */
    enum pp_effect effect;
};

extern const struct pp_option pp_option_table[];
extern const int pp_option_count;

/* The title of the group that options of this role stand under in help. */
const char *pp_role_title(enum pp_role role);

/* Does the command take the option? */
bool pp_option_of(const struct pp_option *option, enum pp_command command);

/* Is a checkpoint to be resumed with the same value of it? */
bool pp_option_decides_numbers(const struct pp_option *option);

/* Its key in the report's config: "seq_len" for --seq-len. */
const char *pp_option_key(const struct pp_option *option, char key[PP_OPTION_KEY]);

/* The valid words of a PP_CHOICE, PP_NAME or PP_NAMES, NULL behind the last one. */
const char *pp_option_word(const struct pp_option *option, int index);

/* The option's help, and what its words stand for. Returns text. */
enum { PP_OPTION_HELP = 512 };
const char *pp_option_help(const struct pp_option *option, char text[PP_OPTION_HELP]);

/* Has a sweep several values of it? */
bool pp_option_varies(const struct pp_options *options, const struct pp_option *option);

/* Adds the text's values to those of the option, which a sweep may list. */
int pp_option_list(struct pp_options *options, const struct pp_option *option,
                   const char *text, struct pp_error *error);

/* Where its value is. */
void *pp_option_field(const struct pp_options *options, const struct pp_option *option);

/* The files that a PP_NAMES is given to write: the index-th, or NULL behind the last.
 */
const char *pp_option_file(const struct pp_options *options,
                           const struct pp_option *option, int index);

/* The value of a PP_TEXT, PP_NAME or PP_CHOICE, NULL where it is not given or of
 * another type. */
const char *pp_option_text(const struct pp_options *options,
                           const struct pp_option *option);

/* Its value as it stands in the config: a new value, null where it is not given; NULL
 * when out of memory. */
json_t *pp_option_json(const struct pp_options *options,
                       const struct pp_option *option);

/* Sets the value from text. PP_BAD_INPUT says what would be valid. */
int pp_option_set(struct pp_options *options, const struct pp_option *option,
                  const char *text, struct pp_error *error);

#endif
