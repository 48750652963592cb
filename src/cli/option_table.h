/* The one table of options, which drives parsing, bounds, defaults, --help and the
 * config in the report. For options.c alone. */
#ifndef PP_CLI_OPTION_TABLE_H
#define PP_CLI_OPTION_TABLE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"

enum type { FLAG, INT, LONG, REAL, TEXT, TEXTS, CHOICE };

/* Which commands take an option. */
enum {
    R = 1 << PP_RUN,
    S = 1 << PP_SIMULATE,
    L = 1 << PP_SCHEDULES,
    E = 1 << PP_EXPLAIN,
    C = 1 << PP_COMPARE,
    P = 1 << PP_PLOT,
    W = 1 << PP_SWEEP,
    ALL = (1 << PP_COMMANDS) - 1
};

enum { MOST_CHOICES = 6 };

struct row {
    const char *name;
    const char *value; /* what help calls it; NULL for flags */
    enum type type;
    int commands;
    size_t offset;
    double least, most;
    const char *start; /* the default, as text; NULL: not given */
    const char *help;
    const char *choices[MOST_CHOICES];
};

#define AT(field) offsetof(struct pp_options, field)

static const char *const command_names[PP_COMMANDS + 1] = {
    "run", "simulate", "schedules", "explain", "compare", "plot", "sweep", NULL};

static const char *const command_help[PP_COMMANDS] = {
    "real training across ranks (the command when none is given)",
    "the same schedule on a cost model: no MPI, no numerics",
    "list | show NAME|FILE | check FILE | convert FILE",
    "why each rank was idle, and what would help",
    "what changed between two reports",
    "pictures from a report",
    "many shapes at once, as one table",
};

/* Arguments that are not options. */
static const int most_arguments[PP_COMMANDS] = {0, 0, 2, 1, 2, 1, 0};

/* A row without a type heads a group in --help. */
#define GROUP(title)                                                                   \
    {                                                                                  \
        .name = NULL, .help = title, .commands = ALL                                   \
    }

static const struct row rows[] = {
    /* Two lines per row. */
    /* clang-format off */
    GROUP("What is executed"),
    {"schedule", "NAME|FILE.csv", TEXT, R | S | L | E | W, AT(schedule), 0, 0, "1f1b",
     "see 'ppsim schedules list'; sweep takes a list"},
    {"microbatches", "M", INT, R | S | L | E, AT(microbatches), 1, (1 << 28) - 1, NULL,
     "microbatches per step (8)"},
    {"ranks", "P", INT, R | S | L | E, AT(ranks), 1, 1 << 16, NULL,
     "pipeline devices (4; under mpirun: its size)"},
    {"chunks", "V", INT, R | S | L | E, AT(chunks), 1, 1 << 16, NULL,
     "stages per rank (1; interleaved schedules: 2)"},
    {"placement", "WHERE", TEXT, R | S | L | E | W, AT(placement), 0, 0, NULL,
     "stage to rank: loop or v (default: the schedule's own)"},
    {"microbatches", "LIST", TEXT, W, AT(microbatches_list), 0, 0, "8",
     "as 8,16 or 4:64:x2 or 4:16:+4"},
    {"ranks", "LIST", TEXT, W, AT(ranks_list), 0, 0, "4", "as 2,4,8"},
    {"chunks", "LIST", TEXT, W, AT(chunks_list), 0, 0, NULL,
     "as 1,2,4 (each schedule's own)"},
    {"group-size", "N", INT, R | S | L | E | W, AT(group_size), 0, 1 << 28, "0",
     "microbatches per group of an interleaved schedule (0: chosen)"},
    GROUP("The model"),
    {"layers", "L", INT, R | S | E | W, AT(layers), 1, 100000, "8",
     "transformer blocks"},
    {"d-model", "C", INT, R | S | E | W, AT(d_model), 1, 1 << 20, "128", "width"},
    {"heads", "H", INT, R | S | E | W, AT(heads), 1, 1 << 20, "4", "attention heads"},
    {"seq-len", "T", INT, R | S | E | W, AT(seq_len), 1, 1 << 20, "64",
     "tokens per sequence"},
    {"microbatch-size", "B", INT, R | S | E | W, AT(microbatch_size), 1, 1 << 20, "4",
     "sequences per microbatch"},
    {"vocab", "V", INT, R | S | E | W, AT(vocab), 1, 1 << 24, "256",
     "different tokens"},
    {"layer-split", "A,B,..", TEXT, R | S | E | W, AT(layer_split), 0, 0, "even",
     "layers of each stage; even; auto: by FLOPs"},
    {"untied", NULL, FLAG, R | S | E | W, AT(untied), 0, 0, NULL,
     "the head has weights of its own, not the embedding's"},
    GROUP("Training"),
    {"steps", "N", INT, R | S | E | W, AT(steps), 1, 1 << 24, "10",
     "all training steps; of a simulation with '--jitter'"},
    {"warmup-steps", "N", INT, R | S | E | W, AT(warmup_steps), 0, 1 << 24, "2",
     "steps at the start of a run that are not measured"},
    {"lr", "X", REAL, R | E | W, AT(lr), 0, 1e6, "0.003", "learning rate"},
    {"optimizer", "NAME", CHOICE, R | E | W, AT(optimizer), 0, 0, "adamw",
     "adamw or sgd", {"adamw", "sgd"}},
    {"weight-decay", "X", REAL, R | E | W, AT(weight_decay), 0, 1e6, "0.01",
     "of AdamW or SGD"},
    {"clip-norm", "X", REAL, R | E | W, AT(clip_norm), 0, 1e30, "1",
     "global norm to clip gradients to (0: off)"},
    {"seed", "N", LONG, R | S | E | W, AT(seed), 0, 9007199254740992.0, "1",
     "of parameters, data and jitter"},
    {"data", "FILE", TEXT, R | E | W, AT(data), 0, 0, NULL,
     "train on this file's bytes (default: a generated task)"},
    {"load", "FILE", TEXT, R | E, AT(load), 0, 0, NULL,
     "start from GPT-2 parameters in a .safetensors file"},
    {"save", "FILE", TEXT, R, AT(save), 0, 0, NULL,
     "write the parameters as .safetensors"},
    {"save-grads", "FILE", TEXT, R, AT(save_grads), 0, 0, NULL,
     "write the first step's gradients, tokens and targets"},
    {"threads", "N", INT, R | E | W, AT(threads), 1, 1024, "1",
     "BLAS threads per rank"},
    {"verify", NULL, FLAG, R, AT(verify), 0, 0, NULL,
     "compare with the sequential run, bit by bit"},
    GROUP("Time"),
    {"clock", "KIND", CHOICE, R | E | W, AT(clock), 0, 0, "auto",
     "wall, virtual, or auto: wall if every rank has its own core",
     {"auto", "wall", "virtual"}},
    {"link", "latency=,bandwidth=", TEXT, R | S | E | W, AT(link), 0, 0, NULL,
     "a hop between ranks, e.g. latency=5us,bandwidth=10GB/s"},
    {"cost", "f=1,b=2,..", TEXT, S | L | E | W, AT(cost), 0, 0, NULL,
     "ms per op (or with a unit): f b i w comm; f=1,2,1,1 per stage"},
    {"costs", "REPORT.json", TEXT, S | E | W, AT(costs), 0, 0, NULL,
     "the median costs that a run measured"},
    {"device", "flops=,bandwidth=", TEXT, S | E | W, AT(device), 0, 0, NULL,
     "costs from the model's FLOPs and bytes"},
    {"far-link", "latency=,bandwidth=", TEXT, S | E | W, AT(far_link), 0, 0, NULL,
     "a hop between nodes"},
    {"ranks-per-node", "N", INT, S | E | W, AT(ranks_per_node), 0, 1 << 16, "0",
     "where the near link ends (0: nowhere)"},
    {"slow", "RANK:FACTOR", TEXT, S | E | W, AT(slow), 0, 0, NULL,
     "ranks that take longer"},
    {"jitter", "lognormal:SIGMA", TEXT, S | E | W, AT(jitter), 0, 0, NULL,
     "noise on every op"},
    GROUP("Output"),
    {"timeline", NULL, FLAG, R | S | E, AT(timeline), 0, 0, NULL,
     "draw the whole width of the terminal"},
    {"json", "FILE|-", TEXT, R | S | E | W, AT(json), 0, 0, NULL,
     "write the report"},
    {"trace", "FILE", TEXT, R | S | E | P, AT(trace), 0, 0, NULL,
     "write a Chrome trace, for Perfetto"},
    {"paje", "FILE", TEXT, R | S | E | P, AT(paje), 0, 0, NULL, "write a Pajé trace"},
    {"csv", "FILE", TEXT, R | S | E | P | W, AT(csv), 0, 0, NULL,
     "write a row per op (sweep: per point)"},
    {"plot", "FILE", TEXT, R | S | E | P | W, AT(plot), 0, 0, NULL,
     "draw a picture with gnuplot: .svg, .png or .pdf"},
    {"picture", "NAME", CHOICE, R | S | E | P, AT(picture), 0, 0, "timeline",
     "what --plot draws: timeline, in-flight or op-times",
     {"timeline", "in-flight", "op-times"}},
    {"keep-data", "DIR", TEXT, R | S | E | P | W, AT(keep_data), 0, 0, NULL,
     "keep the plot's script and data, to edit and rerun"},
    {"quiet", NULL, FLAG, R | S | E | W, AT(quiet), 0, 0, NULL,
     "no progress and no summary"},
    {"color", "WHEN", CHOICE, ALL, AT(color), 0, 0, "auto",
     "auto, always or never", {"auto", "always", "never"}},
    GROUP("Gates"),
    {"check", "EXPRESSION", TEXTS, R | S, AT(checks), 0, 0, NULL,
     "exit 1 unless e.g. 'bubble<=0.10'; repeatable"},
    {"baseline", "REPORT.json", TEXT, R | S, AT(baseline), 0, 0, NULL,
     "exit 1 if worse than this report"},
    {"tolerance", "KEY=X,..", TEXT, R | S, AT(tolerance), 0, 0, "0.01",
     "of the baseline: bubble=0.01,makespan=5%,both"},
    {"update-baseline", NULL, FLAG, R | S, AT(update_baseline), 0, 0, NULL,
     "write the baseline anew"},
    {"force", NULL, FLAG, R, AT(force), 0, 0, NULL,
     "gate even on an oversubscribed wall clock"},
    {"format", "KIND", CHOICE, R | S, AT(format), 0, 0, "text",
     "of the checks: text, tap, junit, gha or markdown",
     {"text", "tap", "junit", "gha", "markdown"}},
    {"format", "KIND", CHOICE, C, AT(compare_format), 0, 0, "text",
     "text or markdown", {"text", "markdown"}},
    {"format", "KIND", CHOICE, L, AT(show_format), 0, 0, "grid",
     "grid, csv, csv-comms (with SEND and RECV) or json",
     {"grid", "csv", "csv-comms", "json"}},
    {"run", NULL, FLAG, W, AT(really_run), 0, 0, NULL,
     "really run each point, not only simulate it"},
    {"help", NULL, FLAG, ALL, AT(help), 0, 0, NULL, "this text"},
    {"version", NULL, FLAG, ALL, AT(version), 0, 0, NULL, "the version"},
    /* clang-format on */
};

enum { ROWS = sizeof rows / sizeof rows[0] };

#endif
