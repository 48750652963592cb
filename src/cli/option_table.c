#include "cli/option_table.h"

#include "generate/engine.h"
#include "report/draw/plot.h"
#include "report/export/export.h"
#include "report/export/json.h"
#include "report/gate/verdict.h"
#include "run/run.h"
#include "schedule/schedule.h"
#include "search/problem.h"
#include "serve/turns.h"

/* Which commands take an option. */
enum {
    R = 1 << PP_RUN,
    S = 1 << PP_SIMULATE,
    L = 1 << PP_SCHEDULES,
    E = 1 << PP_EXPLAIN,
    C = 1 << PP_COMPARE,
    P = 1 << PP_PLOT,
    W = 1 << PP_SWEEP,
    D = 1 << PP_DOCTOR,
    O = 1 << PP_OPTIMIZE,
    N = 1 << PP_RECOMMEND,
    G = 1 << PP_GENERATE,
    V = 1 << PP_SERVE,
    ALL = (1 << PP_COMMANDS) - 1
};

#define AT(field) offsetof(struct pp_options, field)

static const struct pp_choice optimizers[] = {
    {"adamw", PP_ADAMW}, {"sgd", PP_SGD}, {0}};
static const struct pp_choice recomputes[] = {{"none", PP_RECOMPUTE_NONE},
                                              {"stage", PP_RECOMPUTE_STAGE},
                                              {"block", PP_RECOMPUTE_BLOCK},
                                              {0}};
static const struct pp_choice rates[] = {
    {"constant", PP_RATE_CONSTANT}, {"cosine", PP_RATE_COSINE}, {0}};
static const struct pp_choice clocks[] = {{"auto", PP_CHOOSE_AUTO},
                                          {"wall", PP_CHOOSE_WALL},
                                          {"virtual", PP_CHOOSE_VIRTUAL},
                                          {0}};
static const struct pp_choice decodes[] = {
    {"greedy", PP_DECODE_GREEDY}, {"sample", PP_DECODE_SAMPLE}, {0}};
static const struct pp_choice turns[] = {{"auto", PP_TURNS_AUTO},
                                         {"joined", PP_TURNS_JOINED},
                                         {"ended", PP_TURNS_ENDED},
                                         {"plain", PP_TURNS_PLAIN},
                                         {0}};
static const struct pp_choice colors[] = {{"auto", PP_COLOR_AUTO},
                                          {"always", PP_COLOR_ALWAYS},
                                          {"never", PP_COLOR_NEVER},
                                          {0}};
static const struct pp_choice comparisons[] = {
    {"text", PP_COMPARE_TEXT}, {"markdown", PP_COMPARE_MARKDOWN}, {0}};
static const struct pp_choice objectives[] = {
    {"span", PP_LEAST_SPAN}, {"makespan", PP_LEAST_MAKESPAN}, {0}};
static const struct pp_choice shows[] = {{"grid", PP_SHOW_GRID},
                                         {"csv", PP_SHOW_CSV},
                                         {"csv-comms", PP_SHOW_CSV_COMMS},
                                         {"json", PP_SHOW_JSON},
                                         {0}};

static struct pp_word picture(int index)
{
    return (struct pp_word){pp_pictures[index].name, pp_pictures[index].help};
}

/* Of a search there is one picture. */
static struct pp_word pareto(int index)
{
    return index == 0 ? (struct pp_word){"pareto", "memory against bubble"}
                      : (struct pp_word){0};
}

static struct pp_word plot_size(int index)
{
    return (struct pp_word){pp_plot_sizes[index].name, pp_plot_sizes[index].help};
}

static struct pp_word verdict_format(int index)
{
    const struct pp_verdict_format *format = &pp_verdict_formats[index];
    return (struct pp_word){format->name, format->help};
}

static struct pp_word placement(int index)
{
    static const char *const help[] = {
        [PP_LOOP] = "stage s on rank s mod p",
        [PP_V] = "down the ranks and back up",
        [PP_MIRRORED] = "two weight copies, the second from the last rank to the first",
        [PP_CUSTOM] = NULL,
    };
    return (struct pp_word){pp_placement_name((enum pp_placement)index), help[index]};
}

#define SHAPE PP_ROLE_SHAPE
#define ORDER PP_ROLE_ORDER
#define MODEL PP_ROLE_MODEL
#define SERVE PP_ROLE_SERVING
#define TRAIN PP_ROLE_TRAINING
#define SAY PP_ROLE_TEXT
#define TIME PP_ROLE_TIME
#define SEARCH PP_ROLE_SEARCH
#define MEMORY PP_ROLE_MEMORY
#define OUT PP_ROLE_OUTPUT
#define JUDGE PP_ROLE_JUDGING
#define ASK PP_ROLE_ASKING

/* name, value, type, role, commands, field, least, most, default, help, the rest; rows
 * of one group stand together. */
/* clang-format off: as few lines per row as there can be. */
const struct pp_option pp_option_table[] = {
    {"schedule", "NAME|FILE.csv", PP_TEXT, ORDER, R | S | L | E, AT(schedule), 0, 0,
     "1f1b", "a schedule's name (see 'ppsim schedules list') or a file",
     .file = PP_FILE_OR_SCHEDULE},
    {"schedule", "NAME,FILE,..", PP_TEXT, ORDER, W, AT(schedule), 0, 0, "1f1b",
     "schedules by name (see 'ppsim schedules list') or file; 'all': the catalogue",
     .file = PP_FILES_OR_SCHEDULES, .listed = true},
    {"microbatches", "M", PP_INT, SHAPE, R | S | L | E | W | O | N, AT(microbatches), 1,
     PP_MAX_MICROBATCHES - 1, NULL, "microbatches per step (8)", .listed = true,
     .effect = PP_DECIDES_NUMBERS},
    {"ranks", "P", PP_INT, SHAPE, R | S | L | E | W | O | N, AT(ranks), 1, PP_MAX_RANKS,
     NULL, "pipeline devices (4; under mpirun: the number it started)", .listed = true},
    {"chunks", "V", PP_INT, ORDER, R | S | L | E | W, AT(chunks), 1, PP_MAX_RANKS, NULL,
     "stages per rank (1; interleaved schedules: 2)", .listed = true},
    {"chunks", "V", PP_INT, ORDER, O | N, AT(chunks), 1, PP_MOST_SEARCHED_CHUNKS, NULL,
     "stages per rank (1 to 4 are tried)"},
    {"placement", "WHERE", PP_NAME, ORDER, O | N, AT(placement), 0, 0, NULL,
     "where stages are (all are tried)", .words = placement},
    {"placement", "WHERE", PP_NAME, ORDER, R | S | L | E | W, AT(placement), 0, 0, NULL,
     "where stages are (default: the schedule's own)", .words = placement},
    {"group-size", "N", PP_INT, ORDER, R | S | L | E | W, AT(group_size), 0,
     PP_MAX_MICROBATCHES, "0",
     "microbatches per group of an interleaved schedule (0: automatic)",
     .listed = true},
    {"ranks", "P", PP_INT, SHAPE, G | V, AT(ranks), 1, PP_MAX_RANKS, NULL,
     "ranks that the layers are split over (4, or as many as there are layers; under "
     "mpirun: the number it started)"},
    {"groups", "G", PP_INT, SHAPE, G | V, AT(groups), 1, PP_MOST_SLOTS, NULL,
     "groups of sequences in flight (default: by what stages and hops take)"},
    {"prefill-chunk", "N", PP_INT, SHAPE, G | V, AT(prefill_chunk), 1, PP_MOST_CHUNK,
     "32", "tokens of prompts that go through the ranks together"},
    {"groups", "G", PP_INT, ORDER, S | L | E | W, AT(groups), 0,
     PP_MAX_MICROBATCHES - 1, "0",
     "groups of sequences that 'decode' keeps in flight (0: as many as ranks)",
     .listed = true},
    {"prompt-chunks", "N", PP_INT, ORDER, S | L | E | W, AT(prompt_chunks), 0,
     PP_MAX_MICROBATCHES - 1, "0",
     "chunks of each prompt, of --seq-len tokens, that 'decode' begins with (0: none)",
     .listed = true},
    {"run", NULL, PP_FLAG, SHAPE, W, AT(really_run), 0, 0, NULL,
     "really run each point, instead of only simulating it"},
    {"hosts", "FILE", PP_TEXT, SHAPE, D, AT(hosts), 0, 0, NULL,
     "look at these hosts too, by ssh", .file = PP_FILE_READ,
     .effect = PP_KEEPS_NUMBERS},

    {"layers", "L", PP_INT, MODEL, R | S | E | W | O | N, AT(layers), 1, 100000, "8",
     "transformer blocks", .listed = true},
    {"d-model", "C", PP_INT, MODEL, R | S | E | W | O | N, AT(d_model), 1, 1 << 20,
     "128", "width", .listed = true},
    {"heads", "H", PP_INT, MODEL, R | S | E | W | O | N, AT(heads), 1, 1 << 20, "4",
     "attention heads", .listed = true},
    {"seq-len", "T", PP_INT, MODEL, R | S | E | W | O | N, AT(seq_len), 1, 1 << 20,
     "64", "tokens per sequence", .listed = true},
    {"microbatch-size", "B", PP_INT, MODEL, R | S | E | W | O | N, AT(microbatch_size),
     1, 1 << 20, "4", "sequences per microbatch", .listed = true},
    {"vocab", "V", PP_INT, MODEL, R | S | E | W | O | N, AT(vocab), 1, 1 << 24, "256",
     "number of different tokens", .listed = true},
    {"layer-split", "A,B,..", PP_TEXT, MODEL, R | S | E | W | O | N, AT(layer_split), 0,
     0, "even", "layers of each stage: numbers, even, or auto (by the ranks' work)",
     .listed = true, .effect = PP_KEEPS_NUMBERS},
    {"load", "FILE|DIR", PP_TEXT, MODEL, G | V, AT(load), 0, 0, NULL,
     "the model: a .safetensors file, or a folder as Hugging Face has it",
     .file = PP_FILE_READ, .model = true},
    {"heads", "H", PP_INT, MODEL, G | V, AT(heads), 1, 1 << 20, NULL,
     "attention heads, where neither the file nor config.json says it"},
    {"tokenizer", "DIR|bytes", PP_TEXT, MODEL, G | V, AT(tokenizer), 0, 0, NULL,
     "a folder with tokenizer.json or merges.txt, or bytes (default: the model's own)",
     .file = PP_FILE_READ, .model = true},
    {"layer-split", "A,B,..", PP_TEXT, MODEL, G | V, AT(layer_split), 0, 0, "auto",
     "layers of each stage: numbers, even, or auto (by the weights that a token needs, "
     "the head's with them)"},
    {"untied", NULL, PP_FLAG, MODEL, R | S | E | W | O | N, AT(untied), 0, 0, NULL,
     "do not share the embedding's weights with the output head"},
    {"recompute", "WHAT", PP_CHOICE, MODEL, R | S | E | W | O | N, AT(recompute), 0, 0,
     "none",
     "keep the input of each stage or block alone, and begin its backward with its "
     "forward again: none, stage or block",
     .choices = recomputes, .headline = true, .effect = PP_KEEPS_NUMBERS},

    {"prompt", "TEXT", PP_TEXTS, SAY, G, AT(prompts), 0, 0, NULL,
     "the text to continue; repeatable: prompts share the ranks"},
    {"prompt-file", "FILE|-", PP_TEXT, SAY, G, AT(prompt_file), 0, 0, NULL,
     "a file to continue, whole; '-': standard input", .file = PP_FILE_READ},
    {"max-tokens", "N", PP_INT, SAY, G, AT(max_tokens), 1, 1 << 24, "64",
     "at most so many tokens for each prompt"},
    {"decode", "HOW", PP_CHOICE, SAY, G, AT(decode), 0, 0, NULL,
     "greedy: the likeliest token each time; sample: drawn by its probability (greedy, "
     "unless one of the next three is given)",
     .choices = decodes},
    {"temperature", "X", PP_REAL, SAY, G, AT(temperature), 0, 1000, "1",
     "logits are divided by it before a token is drawn; 0 is greedy"},
    {"top-k", "K", PP_INT, SAY, G, AT(top_k), 0, 1 << 24, "0",
     "draw among the K likeliest alone (0: among all)"},
    {"top-p", "P", PP_REAL, SAY, G, AT(top_p), 0, 1, "1",
     "of those, among the likeliest whose probabilities reach P"},
    {"seed", "N", PP_LONG, SAY, G, AT(seed), 0, 9007199254740992.0, "1",
     "seed of what is drawn; greedy draws nothing"},
    {"stop", "TEXT", PP_TEXTS, SAY, G, AT(stops), 0, 0, NULL,
     "end before this text comes; repeatable"},

    {"host", "ADDRESS", PP_TEXT, SERVE, V, AT(host), 0, 0, "127.0.0.1",
     "listen at this address; one that other machines reach needs '--api-key-file'"},
    {"port", "N", PP_INT, SERVE, V, AT(port), 0, 65535, "8000",
     "listen on this port (0: one that is free)"},
    {"api-key-file", "FILE", PP_TEXT, SERVE, V, AT(api_key_file), 0, 0, NULL,
     "answer only who sends the key in the file's first line, as 'Authorization: "
     "Bearer "
     "KEY'",
     .file = PP_FILE_READ},
    {"slots", "N", PP_INT, SERVE, V, AT(slots), 1, PP_MOST_SLOTS, "8",
     "sequences under way at once; each has room in the cache for a whole context"},
    {"queue", "N", PP_INT, SERVE, V, AT(queue), 0, 1 << 16, "64",
     "sequences that may wait for a slot; more are refused with status 429"},
    {"turns", "HOW", PP_CHOICE, SERVE, V, AT(turns), 0, 0, "auto",
     "how the turns of a chat become one text: joined by the end token, each ended by "
     "it, or plain, with line ends between; auto: joined, or plain where there is no "
     "end "
     "token",
     .choices = turns},

    {"steps", "N", PP_INT, TRAIN, R | S | E | W, AT(steps), 1, 1 << 24, "10",
     "training steps in all; simulated steps, with '--jitter'",
     .effect = PP_KEEPS_NUMBERS},
    {"warmup-steps", "N", PP_INT, TRAIN, R | S | E | W, AT(warmup_steps), 0, 1 << 24,
     "2", "steps at the start of a run that are not measured",
     .effect = PP_KEEPS_NUMBERS},
    {"lr", "X", PP_REAL, TRAIN, R | E | W, AT(lr), 0, 1e6, "0.003", "learning rate"},
    {"lr-schedule", "NAME", PP_CHOICE, TRAIN, R | E | W, AT(lr_schedule), 0, 0,
     "constant", "constant, or cosine: it falls along half a cosine to '--lr-min'",
     .choices = rates},
    {"lr-warmup", "N", PP_INT, TRAIN, R | E | W, AT(lr_warmup), 0, 1 << 24, "0",
     "steps in which it first rises evenly to '--lr'"},
    {"lr-min", "X", PP_REAL, TRAIN, R | E | W, AT(lr_min), 0, 1e6, "0",
     "what the cosine ends at"},
    {"lr-decay-steps", "N", PP_INT, TRAIN, R | E | W, AT(lr_decay_steps), 1, 1 << 24,
     NULL, "the step at which it ends, warm-up included (as many as '--steps')"},
    {"optimizer", "NAME", PP_CHOICE, TRAIN, R | S | E | W, AT(optimizer), 0, 0, "adamw",
     "adamw or sgd", .choices = optimizers},
    {"weight-decay", "X", PP_REAL, TRAIN, R | E | W, AT(weight_decay), 0, 1e6, "0.01",
     "decay of the parameters per step, times the learning rate, under adamw and sgd"},
    {"clip-norm", "X", PP_REAL, TRAIN, R | E | W, AT(clip_norm), 0, 1e30, "1",
     "clip the gradients to this global norm (0: off)"},
    {"seed", "N", PP_LONG, TRAIN, R | S | E | W, AT(seed), 0, 9007199254740992.0, "1",
     "seed of parameters, data and jitter", .listed = true},
    {"data", "FILE", PP_TEXT, TRAIN, R | E | W, AT(data), 0, 0, NULL,
     "train on this file's bytes (default: a generated task)", .file = PP_FILE_READ,
     .effect = PP_KEEPS_NUMBERS},
    {"eval-every", "K", PP_INT, TRAIN, R | E | W, AT(eval_every), 1, 1 << 24, NULL,
     "evaluate the held-out loss after every K-th step"},
    {"eval-data", "FILE", PP_TEXT, TRAIN, R | E | W, AT(eval_data), 0, 0, NULL,
     "on this file's bytes (default: samples of the generated task that no step has)",
     .file = PP_FILE_READ, .needs = {"eval-every"}, .effect = PP_KEEPS_NUMBERS},
    {"eval-microbatches", "N", PP_INT, TRAIN, R | E | W, AT(eval_microbatches), 1,
     PP_MAX_MICROBATCHES - 1, NULL,
     "on so many microbatches, the same ones each time (as many as a step has)",
     .needs = {"eval-every"}},
    {"load", "FILE|DIR", PP_TEXT, TRAIN, R | E, AT(load), 0, 0, NULL,
     "start from GPT-2's parameters: a .safetensors file, or a folder as Hugging Face "
     "has it",
     .file = PP_FILE_READ, .model = true, .effect = PP_KEEPS_NUMBERS},
    {"threads", "N", PP_INT, TRAIN, R | E | W, AT(threads), 1, 1024, "1",
     "BLAS threads per rank"},
    {"hosts", "FILE", PP_TEXT, TRAIN, R | E | W, AT(hosts), 0, 0, NULL,
     "start the ranks on these hosts by ssh, a line each: node1 slots=2",
     .file = PP_FILE_READ, .effect = PP_KEEPS_NUMBERS},

    {"clock", "KIND", PP_CHOICE, TIME, R | E | W | G, AT(clock), 0, 0, "auto",
     "wall, virtual, or auto: wall if every rank has its own core", .choices = clocks,
     .resolved = true},
    {"link", "latency=,bandwidth=", PP_TEXT, TIME, R | S | E | W | O | N | G, AT(link),
     0, 0, NULL, "cost of a hop between ranks: latency=5us,bandwidth=10GB/s",
     .headline = true, .listed = true},
    {"cost", "f=1,b=2,..", PP_TEXT, TIME, S | L | E | W | O | N, AT(cost), 0, 0, NULL,
     "what ops take, in ms or with a unit: f, b, i, w, joined and comm. One number is "
     "a rank's whole work on a microbatch, shared by its stages; f=1,2,1,1 is per "
     "stage, joined=0.8x a factor of F and B (f=1,b=2). Of 'decode': prefill, decode "
     "(f)",
     .listed = true},
    {"costs", "REPORT.json", PP_TEXT, TIME, S | E | W | O | N, AT(costs), 0, 0, NULL,
     "take the median costs that a run measured", .file = PP_FILE_READ,
     .headline = true},
    {"device", "flops=,bandwidth=", PP_TEXT, TIME, S | E | W | O | N, AT(device), 0, 0,
     NULL, "derive costs from the model's FLOPs and bytes, for this device",
     .headline = true, .listed = true},
    {"far-link", "latency=,bandwidth=", PP_TEXT, TIME, S | E | W | O | N, AT(far_link),
     0, 0, NULL, "cost of a hop between nodes", .needs = {"ranks-per-node"},
     .headline = true, .listed = true},
    {"ranks-per-node", "N", PP_INT, TIME, S | E | W | O | N, AT(ranks_per_node), 0,
     1 << 16, "0",
     "ranks on one node; between nodes '--far-link' counts (0: all on one)",
     .needs = {"far-link"}, .listed = true},
    {"slow", "RANK:FACTOR", PP_TEXT, TIME, R | S | E | W | O | N, AT(slow), 0, 0, NULL,
     "ranks whose ops take longer: 2:1.5,3:2; a run needs the virtual clock",
     .headline = true, .listed = true},
    {"jitter", "lognormal:SIGMA", PP_TEXT, TIME, S | E | W, AT(jitter), 0, 0, NULL,
     "random factor on what each op takes", .headline = true, .listed = true},

    {"memory", "f=X,w=Y", PP_TEXT, MEMORY, S | E | W | O | N, AT(memory), 0, 0, NULL,
     "what a microbatch of a whole rank holds once F has run, and what between I and "
     "W: bytes with a unit, or plain numbers (f=1,w=1)",
     .headline = true, .listed = true},
    {"memory-limit", "X", PP_TEXT, MEMORY, O | N, AT(memory_limit), 0, 0, NULL,
     "what a rank may hold at once, in the unit of '--memory'; where that is not "
     "given, in microbatches of a rank"},

    {"objective", "WHAT", PP_CHOICE, SEARCH, O | N, AT(objective), 0, 0, "span",
     "what is made small: span, from a rank's first start to its last end, or makespan",
     .choices = objectives},
    {"seed", "N", PP_LONG, SEARCH, O, AT(seed), 0, 9007199254740992.0, "1",
     "seed of the search"},
    {"time-limit", "TIME", PP_TEXT, SEARCH, O, AT(time_limit), 0, 0, "10s",
     "search for so long"},
    {"iterations", "N", PP_LONG, SEARCH, O, AT(iterations), 1, 9007199254740992.0, NULL,
     "try so many candidates instead, for a result that can be repeated"},

    {"timeline", NULL, PP_FLAG, OUT, R | S | E | G, AT(timeline), 0, 0, NULL,
     "draw the timeline as wide as the terminal"},
    {"verbose", NULL, PP_FLAG, OUT, R | S | E | G, AT(verbose), 0, 0, NULL,
     "list the step's messages: when, from which rank to which, and what each holds"},
    {"json", "FILE|-", PP_TEXT, OUT, R | S | E | W | G, AT(json), 0, 0, NULL,
     "write the report", .file = PP_FILE_STREAMED, .write = pp_report_write_json},
    {"json", "FILE|-", PP_TEXT, OUT, D, AT(json), 0, 0, NULL, "write what was found",
     .file = PP_FILE_STREAMED},
    {"json", "FILE|-", PP_TEXT, OUT, O | N, AT(json), 0, 0, NULL, "write the result",
     .file = PP_FILE_STREAMED},
    {"trace", "FILE|-", PP_TEXT, OUT, R | S | E | P | G, AT(trace), 0, 0, NULL,
     "write a Chrome trace, for Perfetto", .file = PP_FILE_STREAMED,
     .write = pp_report_write_trace},
    {"paje", "FILE|-", PP_TEXT, OUT, R | S | E | P | G, AT(paje), 0, 0, NULL,
     "write a Pajé trace", .file = PP_FILE_STREAMED, .write = pp_report_write_paje},
    {"csv", "FILE|-", PP_TEXT, OUT, R | S | E | P | G, AT(csv), 0, 0, NULL,
     "write a row per op", .file = PP_FILE_STREAMED, .write = pp_report_write_csv},
    {"csv", "FILE|-", PP_TEXT, OUT, W, AT(csv), 0, 0, NULL,
     "write a row per point; an interrupted sweep resumes from the file",
     .file = PP_FILE_STREAMED},
    {"plot", "FILE", PP_TEXT, OUT, R | S | E | P | W | O | N | G, AT(plot), 0, 0, NULL,
     "draw a picture with gnuplot: .svg, .png or .pdf", .file = PP_FILE_WRITTEN},
    {"picture", "NAME", PP_NAME, OUT, R | S | E | P | G, AT(picture), 0, 0, "timeline",
     "what --plot draws", .words = picture, .needs = {"plot"}},
    {"picture", "NAME", PP_NAME, OUT, O | N, AT(picture), 0, 0, "pareto",
     "what --plot draws", .words = pareto, .needs = {"plot"}},
    {"size", "NAME|WxH", PP_TEXT, OUT, R | S | E | P | W | O | N | G, AT(plot_size), 0,
     0, "screen", "how large it is, or 800x600, 12cmx8cm, ..", .words = plot_size,
     .needs = {"plot"}},
    {"keep-data", "DIR", PP_TEXT, OUT, R | S | E | P | W | O | N | G, AT(keep_data), 0,
     0, NULL, "keep the plot's script and data, to edit and rerun",
     .file = PP_DIRECTORY, .needs = {"plot"}},
    {"save", "FILE|DIR", PP_TEXT, OUT, R, AT(save), 0, 0, NULL,
     "write the parameters: a .safetensors file; or into a folder (a name that ends "
     "with / or has no .safetensors) what transformers' from_pretrained takes",
     .file = PP_FILE_WRITTEN, .model = true, .over = "load"},
    {"save", "FILE.csv", PP_TEXT, OUT, O, AT(save), 0, 0, NULL,
     "write the schedule as 'schedules convert' does", .file = PP_FILE_WRITTEN},
    {"save-grads", "FILE", PP_TEXT, OUT, R, AT(save_grads), 0, 0, NULL,
     "write the gradients, tokens and targets of the first step trained",
     .file = PP_FILE_WRITTEN},
    {"history", "FILE.csv", PP_TEXT, OUT, R | S, AT(history), 0, 0, NULL,
     "append a row: time, label, configuration, verdict, figures",
     .file = PP_FILE_WRITTEN, .over = "baseline"},
    {"label", "TEXT", PP_TEXT, OUT, R | S, AT(label), 0, 0, NULL,
     "the label of that row, such as a commit", .needs = {"history"}},
    {"timeout", "SECONDS", PP_INT, OUT, R | E | G | V, AT(timeout), 0, 1 << 24, "10",
     "end the run within so many seconds of a rank's death or silence; a slow rank is "
     "not silent (0: wait for ever, for debuggers)"},
    {"checkpoint", "DIR", PP_TEXT, OUT, R, AT(checkpoint), 0, 0, NULL,
     "write checkpoints into this folder, at the end and as '--checkpoint-every' says",
     .file = PP_DIRECTORY},
    {"checkpoint-every", "K", PP_INT, OUT, R, AT(checkpoint_every), 1, 1 << 24, NULL,
     "write one after every K-th step too", .needs = {"checkpoint"}},
    {"keep", "N", PP_INT, OUT, R, AT(keep), 1, 1 << 24, "2",
     "keep the N newest checkpoints", .needs = {"checkpoint"}},
    {"resume", NULL, PP_FLAG, OUT, R, AT(resume), 0, 0, NULL,
     "go on from the newest checkpoint, or start where there is none",
     .needs = {"checkpoint"}},
    {"quiet", NULL, PP_FLAG, OUT, R | S | E | P | W | D | O | N | G, AT(quiet), 0, 0,
     NULL, "print no progress and no summary"},
    {"color", "WHEN", PP_CHOICE, OUT, ALL, AT(color), 0, 0, "auto",
     "colour the text: auto, always or never", .choices = colors},
    {"format", "KIND", PP_CHOICE, OUT, C, AT(compare_format), 0, 0, "text",
     "how to print it: text or markdown", .choices = comparisons},
    {"from", "COLUMN", PP_INT, OUT, L, AT(from), 0, 1 << 30, "0",
     "show the grid from this column on"},
    {"to", "COLUMN", PP_INT, OUT, L, AT(to), 0, 1 << 30, NULL,
     "show the grid up to this column"},
    {"format", "KIND", PP_CHOICE, OUT, L, AT(show_format), 0, 0, "grid",
     "how to print it: grid, csv, csv-comms (with SEND and RECV) or json; "
     "'convert' prints csv unless this is given",
     .choices = shows},

    {"verify", NULL, PP_FLAG, JUDGE, R, AT(verify), 0, 0, NULL,
     "exit 3 unless losses, gradients and parameters are bitwise those of the "
     "sequential run"},
    {"check", "EXPRESSION", PP_TEXTS, JUDGE, R | S | W | G, AT(checks), 0, 0, NULL,
     "exit 1 unless e.g. 'bubble<=0.10'; repeatable"},
    {"baseline", "REPORT.json|HISTORY.csv", PP_TEXT, JUDGE, R | S, AT(baseline), 0, 0,
     NULL, "exit 1 if worse than this report, or than the median of a history",
     .file = PP_FILE_READ},
    {"baseline-last", "N", PP_INT, JUDGE, R | S, AT(baseline_last), 1, 1 << 24, "5",
     "of a history: how many of the last rows of this configuration",
     .needs = {"baseline"}},
    {"tolerance", "KEY=X,..", PP_TEXT, JUDGE, R | S, AT(tolerance), 0, 0, NULL,
     "how much worse than the baseline: bubble=1pp (percentage points) or 0.01, "
     "makespan=5% (of the baseline's), peak_in_flight[1]=1 (of one rank), both (better "
     "fails too); a number alone is bubble's (default: bubble=0.01, peak_in_flight=0 "
     "and "
     "peak_activation_bytes=0 of every rank, makespan=0.1% of a simulation)",
     .needs = {"baseline"}},
    {"update-baseline", NULL, PP_FLAG, JUDGE, R | S, AT(update_baseline), 0, 0, NULL,
     "write the baseline anew, if all checks pass", .needs = {"baseline"}},
    {"force", NULL, PP_FLAG, JUDGE, R | G, AT(force), 0, 0, NULL,
     "judge times even of ranks that shared their cores"},
    {"format", "KIND[=FILE]", PP_NAMES, JUDGE, R | S, AT(formats), 0, 0, NULL,
     "how verdicts are printed, or written to a file; repeatable",
     .words = verdict_format, .needs = {"check", "baseline"}},
    {"format", "KIND[=FILE]", PP_NAMES, JUDGE, W | G, AT(formats), 0, 0, NULL,
     "how verdicts are printed, or written to a file; repeatable",
     .words = verdict_format, .needs = {"check"}},
    {"where", "EXPRESSION", PP_TEXTS, JUDGE, W, AT(wheres), 0, 0, NULL,
     "keep only points for which it holds, e.g. 'peak_in_flight<=4'; repeatable"},
    {"best", "FIGURE", PP_TEXT, JUDGE, W, AT(best), 0, 0, NULL,
     "say which point is the best by this figure: makespan, bubble, tokens_per_s, .."},
    {"sort", "FIGURE", PP_TEXT, JUDGE, W, AT(sort), 0, 0, NULL,
     "sort the points by this figure, the best first"},
    {"crossover", NULL, PP_FLAG, JUDGE, W, AT(crossover), 0, 0, NULL,
     "find where one of two schedules overtakes the other, in an interval such as "
     "'--link latency=1us..1ms'"},

    {"help", NULL, PP_FLAG, ASK, ALL, AT(help), 0, 0, NULL,
     "print this help, as does -h"},
    {"version", NULL, PP_FLAG, ASK, ALL, AT(version), 0, 0, NULL, "print the version"},
};
/* clang-format on */

const int pp_option_count = sizeof pp_option_table / sizeof pp_option_table[0];

const char *pp_role_title(enum pp_role role)
{
    static const char *const titles[] = {
        [PP_ROLE_SHAPE] = "What is executed",
        [PP_ROLE_ORDER] = "What is executed",
        [PP_ROLE_MODEL] = "The model",
        [PP_ROLE_SERVING] = "Serving",
        [PP_ROLE_TRAINING] = "Training",
        [PP_ROLE_TEXT] = "The text",
        [PP_ROLE_TIME] = "Time",
        [PP_ROLE_SEARCH] = "The search",
        [PP_ROLE_MEMORY] = "Memory",
        [PP_ROLE_OUTPUT] = "Output",
        [PP_ROLE_JUDGING] = "Checks",
        [PP_ROLE_ASKING] = "Help",
    };
    return titles[role];
}
