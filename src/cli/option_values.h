/* The value of every option, as the command line or the option's row gave it. */
#ifndef PP_CLI_OPTION_VALUES_H
#define PP_CLI_OPTION_VALUES_H

#include <stdbool.h>

enum pp_command {
    PP_RUN,
    PP_SIMULATE,
    PP_SCHEDULES,
    PP_EXPLAIN,
    PP_COMPARE,
    PP_PLOT,
    PP_SWEEP,
    PP_DOCTOR,
    PP_OPTIMIZE,
    PP_RECOMMEND,
    PP_GENERATE,
    PP_SERVE,
    PP_COMMANDS
};

/* An option that may be given several times. */
struct pp_texts {
    const char **items;
    int count;
};

/* The values of an option that a sweep lists, in order; see lists.h. */
struct pp_list {
    const char **given; /* [given_count] the texts as given; borrowed from argv */
    int given_count;
    char **values; /* [count] owned */
    int count;
};

/* Every option's value. Texts are borrowed from argv, NULL where not given. */
struct pp_options {
    enum pp_command command; /* as given: it decides which options there are */
    enum pp_command work;    /* what is done: of explain without a report, run's work or
                              * simulate's */
    char **argv;             /* as given, to print how to run it again */
    const char **arguments;  /* [argument_count] what is not an option */
    int argument_count;
    bool *given;           /* of each row of the table: was it on the command line? */
    struct pp_list *lists; /* likewise: of an option that has several values, these, and
                            * its field is as if it was not given. NULL: of a command
                            * that takes no lists, or of one point of a sweep */
    bool named;            /* argv starts with the command */
    bool help, version;

    const char *schedule, *placement;
    int microbatches, ranks, chunks, group_size; /* 0: not given */
    int groups, prompt_chunks;                   /* likewise */
    int layers, d_model, heads, seq_len, microbatch_size, vocab;
    const char *layer_split;
    bool untied;
    int recompute; /* enum pp_recompute */
    int steps, warmup_steps;
    double lr, lr_min, weight_decay, clip_norm;
    int lr_schedule; /* enum pp_rate_kind */
    int lr_warmup, lr_decay_steps;
    int optimizer; /* enum pp_optimizer_kind */
    long long seed;
    const char *data, *load, *save, *save_grads, *eval_data;
    int eval_every, eval_microbatches; /* 0: not given */
    const char *checkpoint;
    int checkpoint_every, keep, timeout;
    bool resume;
    int clock; /* enum pp_clock_choice */
    int threads;
    const char *hosts;
    const char *link;
    bool verify;
    const char *cost, *costs, *device, *slow, *jitter, *far_link, *memory;
    int ranks_per_node;
    bool timeline, verbose, quiet, force, update_baseline, really_run;
    const char *json, *trace, *paje, *csv, *plot, *keep_data, *plot_size;
    const char *picture; /* of pp_pictures */
    int color;           /* enum pp_color */
    int from, to;        /* columns of a shown schedule */
    int show_format;     /* enum pp_show */
    int compare_format;  /* enum pp_compare */
    const char *baseline, *tolerance;
    int baseline_last;
    const char *history, *label;
    struct pp_texts checks, wheres;
    const char *memory_limit, *time_limit; /* of optimize, recommend */
    long long iterations;                  /* 0: not given */
    int objective;                         /* enum pp_objective */
    const char *best, *sort;               /* of a sweep: figures */
    bool crossover;
    struct pp_texts prompts, stops; /* of generate */
    const char *prompt_file, *tokenizer;
    int max_tokens, prefill_chunk;
    int decode; /* enum pp_decode */
    double temperature, top_p;
    int top_k;
    const char *host, *api_key_file; /* of serve */
    int port, slots, queue, turns;   /* turns: enum pp_turns */
    struct pp_texts formats;         /* KIND[=FILE], KIND of pp_verdict_formats */
};

enum pp_color { PP_COLOR_AUTO, PP_COLOR_ALWAYS, PP_COLOR_NEVER };
enum pp_decode { PP_DECODE_BY_OPTIONS, PP_DECODE_GREEDY, PP_DECODE_SAMPLE };
enum pp_compare { PP_COMPARE_TEXT, PP_COMPARE_MARKDOWN };
enum pp_show { PP_SHOW_GRID, PP_SHOW_CSV, PP_SHOW_CSV_COMMS, PP_SHOW_JSON };

#endif
