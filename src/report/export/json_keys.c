#include "report/export/json_keys.h"

#include <assert.h>
#include <stddef.h>

const char pp_json_schema_name[] = "ppsim.report/1";

enum { MOST_COUNT = 1 << 30 };

/* Rows of fields of a structure. */
#define OF(structure, field) .offset = offsetof(struct structure, field)
#define TEXT_OF(structure, field)                                                      \
    PP_JSON_TEXT, OF(structure, field), .size = sizeof((struct structure *)0)->field

const struct pp_json_key pp_json_shape[] = {
    {"schedule", TEXT_OF(pp_schedule, name),
     .help = "the schedule's name, or its file's"},
    {"ranks", PP_JSON_INTEGER, OF(pp_schedule, ranks), .least = 1, .most = PP_MAX_RANKS,
     .help = "p: pipeline devices"},
    {"chunks", PP_JSON_INTEGER, OF(pp_schedule, chunks), .least = 1, .most = MOST_COUNT,
     .help = "v: the most stages of one weight copy that one rank holds"},
    {"stages", PP_JSON_INTEGER, OF(pp_schedule, stages), .least = 1, .most = MOST_COUNT,
     .help = "S: stages of all ranks"},
    {"microbatches", PP_JSON_INTEGER, OF(pp_schedule, microbatches), .least = 1,
     .most = PP_MAX_MICROBATCHES, .help = "m: microbatches per step"},
    {"copies", PP_JSON_INTEGER, OF(pp_schedule, copies), .least = 1, .most = MOST_COUNT,
     .optional = true,
     .help = "copies of the weights, each with its own microbatches; missing: 1"},
    {0},
};

#define ENVIRONMENT(field) OF(pp_report, environment.field)
#define ENVIRONMENT_TEXT(field) TEXT_OF(pp_report, environment.field)

static const struct pp_json_key environment[] = {
    {"cores", PP_JSON_INTEGER, ENVIRONMENT(cores), .most = MOST_COUNT, .nullable = true,
     .help = "cores that the ranks of this host may use; null in a simulation"},
    {"clock", ENVIRONMENT_TEXT(clock), .help = "wall, virtual or simulated"},
    {"mpi", ENVIRONMENT_TEXT(mpi), .nullable = true,
     .help = "the MPI library's version; null in a simulation"},
    {"blas", ENVIRONMENT_TEXT(blas), .nullable = true,
     .help = "the BLAS library, its version and its kernels; null in a simulation"},
    {"host", ENVIRONMENT_TEXT(host), .nullable = true,
     .help = "the host's name; null in a simulation"},
    {"oversubscribed", PP_JSON_FLAG, ENVIRONMENT(oversubscribed),
     .help = "whether there were more ranks than cores"},
    {"clock_error_s", PP_JSON_REAL, ENVIRONMENT(clock_error_s),
     .help = "by how much the hosts' clocks may differ after their alignment; 0 on one "
             "host"},
    {0},
};

#define SHARE(name, cause, text)                                                       \
    {                                                                                  \
        name, PP_JSON_SHARE, OF(pp_report, metrics.causes.cause), .help = (text),      \
                                                                  .derived = true      \
    }

static const struct pp_json_key causes[] = {
    SHARE("warmup", warmup, "before the ranks' first ops"),
    SHARE("dependency", dependency, "waiting for an input to be produced"),
    SHARE("communication", communication, "waiting for an input to arrive"),
    SHARE("overhead", overhead, "between an input's arrival and the op's start"),
    SHARE("cooldown", cooldown, "after the ranks' last ops"),
    {0},
};

static const struct pp_json_key bubble[] = {
    {"fraction", PP_JSON_REAL, OF(pp_report, metrics.bubble.fraction),
     .help = "idle time / (ranks * makespan)"},
    {"over_ideal", PP_JSON_REAL, OF(pp_report, metrics.bubble.over_ideal),
     .help = "idle time / busy time"},
    {"span_fraction", PP_JSON_REAL, OF(pp_report, metrics.bubble.span_fraction),
     .help =
         "1 - (most busy time of a rank) / (longest time from a rank's first op to its "
         "last)"},
    {"theory", PP_JSON_REAL, OF(pp_report, theory),
     .help = "the fraction by the schedule's closed form; null where none applies"},
    {"predicted", PP_JSON_REAL, OF(pp_report, predicted),
     .help = "the fraction that a simulation with the median op times gives, of a "
             "generation with what each of its ops took; null in a simulation"},
    {"min", PP_JSON_REAL, OF(pp_report, bubble_min),
     .help = "the smallest fraction of a step"},
    {"max", PP_JSON_REAL, OF(pp_report, bubble_max),
     .help = "the largest fraction of a step"},
    {"theory_note", TEXT_OF(pp_report, theory_note),
     .help = "the closed form's source, or why there is none"},
    {"causes", PP_JSON_OBJECT, .keys = causes,
     .help = "where the idle time went, as fractions that add up to the bubble's"},
    {0},
};

#define RANK_TIME(name, field, text)                                                   \
    {                                                                                  \
        name, PP_JSON_TIME, OF(pp_json_rank, metrics.field), .help = (text)            \
    }

static const struct pp_json_key rank[] = {
    {"rank", PP_JSON_INTEGER, OF(pp_json_rank, rank), .most = PP_MAX_RANKS - 1,
     .help = "the rank's number, from 0"},
    {"stages", PP_JSON_STAGES, OF(pp_json_rank, places),
     .help = "the stages that the rank holds, ascending, one weight copy after the "
             "other"},
    {"copies", PP_JSON_COPIES, OF(pp_json_rank, places), .optional = true,
     .derived = true, .help = "the weight copy that each of them is of"},
    RANK_TIME("busy_s", busy, "in ops"),
    RANK_TIME("idle_s", idle, "not in ops: makespan - busy, and the sum of the causes"),
    RANK_TIME("warmup_s", causes.warmup, "idle before its first op"),
    RANK_TIME("dependency_s", causes.dependency, "idle until an input was produced"),
    RANK_TIME("communication_s", causes.communication, "idle until an input arrived"),
    RANK_TIME("overhead_s", causes.overhead,
              "idle from an input's arrival to the op's start"),
    RANK_TIME("cooldown_s", causes.cooldown, "idle after its last op"),
    {"reduction_s", PP_JSON_TIME, OF(pp_json_rank, metrics.reduction), .optional = true,
     .help = "summing gradients over weight copies, beside busy and idle"},
    {"reduction_exposed_s", PP_JSON_TIME, OF(pp_json_rank, metrics.reduction_exposed),
     .optional = true, .help = "what of it came after the rank's last op"},
    {"peak_in_flight", PP_JSON_REAL, OF(pp_json_rank, known.peak_in_flight),
     .help =
         "the most activations held at once; 1 is one microbatch's of all stages of a "
         "rank"},
    {"peak_activation_bytes", PP_JSON_REAL,
     OF(pp_json_rank, known.peak_activation_bytes),
     .help = "the same in bytes: activations, and between I and W what W needs of "
             "activations and gradients; null in a simulation without '--device' or "
             "'--costs', which knows no model, as are the other bytes"},
    {"peak_memory", PP_JSON_REAL, OF(pp_json_rank, known.peak_memory), .optional = true,
     .help =
         "the same in the unit of '--memory', which says what a microbatch of a whole "
         "rank holds: 1 unless given"},
    {"parameter_bytes", PP_JSON_REAL, OF(pp_json_rank, known.parameter_bytes),
     .help = "of the rank's stages"},
    {"gradient_bytes", PP_JSON_REAL, OF(pp_json_rank, known.gradient_bytes),
     .optional = true, .help = "of its parameters' gradients"},
    {"optimizer_bytes", PP_JSON_REAL, OF(pp_json_rank, known.optimizer_bytes),
     .optional = true, .help = "of the optimizer's state"},
    {"kv_cache_bytes", PP_JSON_REAL, OF(pp_json_rank, known.kv_cache_bytes),
     .optional = true,
     .help = "of a generation: room for keys and values of the rank's layers; else "
             "null"},
    {"core_share", PP_JSON_REAL, OF(pp_json_rank, known.core_share), .optional = true,
     .help =
         "CPU time of the rank's ops / the time that passed in them, over the measured "
         "steps; 1: it had its core to itself; null unless on the wall clock with "
         "one thread"},
    {"cpuset", TEXT_OF(pp_json_rank, known.cpuset), .nullable = true,
     .help = "the CPUs that the rank was bound to, such as 0-1; null in a simulation"},
    {0},
};

#define CLASS(structure, field)                                                        \
    {"class", TEXT_OF(structure, field.label), .decoding = true,                       \
     .help = "prefill: pieces of prompts; decode: a token of each sequence"},          \
    {                                                                                  \
        "rows", PP_JSON_INTEGER, OF(structure, field.rows),                            \
            .least = 1, .most = MOST_COUNT, .decoding = true,                          \
            .help = "tokens that go through the stages together"                       \
    }

static const struct pp_json_key cost[] = {
    {"stage", PP_JSON_INTEGER, OF(pp_cost, stage), .most = MOST_COUNT,
     .help = "the stage"},
    {"kind", PP_JSON_KIND, OF(pp_cost, kind),
     .help = "F forward, B backward, I backward for the input, W for the weights"},
    CLASS(pp_cost, of_class),
    {"median_s", PP_JSON_TIME, OF(pp_cost, median),
     .help = "the median over the measured steps"},
    {"p5_s", PP_JSON_TIME, OF(pp_cost, p5), .help = "the 5th percentile"},
    {"p95_s", PP_JSON_TIME, OF(pp_cost, p95), .help = "the 95th percentile"},
    {"count", PP_JSON_COUNT, OF(pp_cost, count), .help = "ops measured"},
    {0},
};

static const struct pp_json_key link[] = {
    {"latency_s", PP_JSON_DURATION, OF(pp_report, link_latency_s),
     .help = "what a message takes beside its bytes; in a run on the wall clock so "
             "that both "
             "together are the median of its messages for which a rank was waiting"},
    {"bandwidth_Bps", PP_JSON_BANDWIDTH, OF(pp_report, link_bandwidth),
     .help = "bytes per second; null: without limit"},
    {0},
};

static const struct pp_json_key evaluation[] = {
    {"step", PP_JSON_INTEGER, OF(pp_evaluation, step), .least = 1, .most = INT32_MAX,
     .help = "the step after which it was evaluated"},
    {"loss", PP_JSON_REAL, OF(pp_evaluation, loss),
     .help = "nats per token, the mean over the held-out samples"},
    {0},
};

static const struct pp_json_key training[] = {
    {"losses", PP_JSON_LIST, OF(pp_report, training.losses), .size = sizeof(double),
     .count_offset = offsetof(struct pp_report, training.loss_count),
     .help =
         "nats per token, one per step, warm-up steps included; empty in a simulation"},
    {"lr", PP_JSON_LIST, OF(pp_report, training.rates), .size = sizeof(double),
     .count_offset = offsetof(struct pp_report, training.rate_count), .optional = true,
     .help = "the learning rate of each of these steps"},
    {"evaluations", PP_JSON_LIST, OF(pp_report, training.evaluations),
     .size = sizeof(struct pp_evaluation),
     .count_offset = offsetof(struct pp_report, training.evaluation_count),
     .keys = evaluation, .optional = true,
     .help = "held-out losses; empty where '--eval-every' was not given"},
    {"resumed_from", PP_JSON_REAL, OF(pp_report, training.resumed_from),
     .optional = true,
     .help =
         "the step of the checkpoint that the run went on from; null: it began anew"},
    {"stopped_after", PP_JSON_REAL, OF(pp_report, training.stopped_after),
     .optional = true,
     .help = "the step after which a signal stopped the run; null: it was not stopped"},
    {"entropy_floor", PP_JSON_REAL, OF(pp_report, training.entropy_floor),
     .help = "the least loss that the data allow; null where unknown"},
    {"digest", TEXT_OF(pp_report, training.digest), .nullable = true,
     .help = "of the parameters after the last step; null in a simulation"},
    {"verified", PP_JSON_ANSWER, OF(pp_report, training.verified),
     .help =
         "whether the run was bitwise equal to the sequential one; null: not asked"},
    {0},
};

#define GENERATION(field) OF(pp_report, generation.field)
#define QUANTILES(array, field)                                                        \
    static const struct pp_json_key array[] = {                                        \
        {"p50", PP_JSON_REAL, GENERATION(field.p50), .help = "the median"},            \
        {"p95", PP_JSON_REAL, GENERATION(field.p95), .help = "the 95th percentile"},   \
        {"p99", PP_JSON_REAL, GENERATION(field.p99), .help = "the 99th percentile"},   \
        {0},                                                                           \
    }
QUANTILES(ttft, ttft);
QUANTILES(tpot, tpot);

static const struct pp_json_key decoding[] = {
    {"batches", PP_JSON_INTEGER, GENERATION(decode_batches), .most = MOST_COUNT,
     .help = "how many"},
    {"bubble", PP_JSON_REAL, GENERATION(decode_bubble),
     .help = "idle time / (ranks * makespan) of them; null where there are none"},
    {"theory", PP_JSON_REAL, GENERATION(decode_theory),
     .help = "the same by the closed form for equal stages and free links; null where "
             "groups do not take turns in one order"},
    {0},
};

static const struct pp_json_key sequence[] = {
    {"prompt_tokens", PP_JSON_NUMBERS, .help = "the prompt's tokens"},
    {"tokens", PP_JSON_NUMBERS, .help = "those that were generated"},
    {"text", PP_JSON_TEXT, .help = "theirs, without what '--stop' cut off"},
    {"finish", PP_JSON_TEXT, .nullable = true,
     .help =
         "length, stop or end (the model's end token); null: it was stopped before"},
    {0},
};

static const struct pp_json_key generation[] = {
    {"groups", PP_JSON_INTEGER, GENERATION(groups), .least = 1, .most = MOST_COUNT,
     .help = "groups of sequences in flight"},
    {"prefill_chunk", PP_JSON_INTEGER, GENERATION(prefill_chunk), .least = 1,
     .most = MOST_COUNT, .help = "the most tokens of a batch of prompts"},
    {"prompt_tokens", PP_JSON_INTEGER, GENERATION(prompt_tokens), .most = MOST_COUNT,
     .help = "of all prompts"},
    {"generated_tokens", PP_JSON_INTEGER, GENERATION(generated_tokens),
     .most = MOST_COUNT, .help = "of all sequences"},
    {"tokens_per_s", PP_JSON_REAL, GENERATION(tokens_per_s),
     .help = "generated tokens / makespan"},
    {"ttft_s", PP_JSON_OBJECT, .keys = ttft,
     .help = "time to first token, of the sequences: from the first op's start to the "
             "end of the op that drew it"},
    {"tpot_s", PP_JSON_OBJECT, .keys = tpot,
     .help = "time per output token: between two of a sequence; null where there are "
             "no two"},
    {"utilization", PP_JSON_REAL, GENERATION(utilization),
     .help = "busy time / (ranks * makespan): busy is not fast"},
    {"median_bubble", PP_JSON_REAL, GENERATION(median_bubble),
     .help = "the bubble that a simulation gives in which each op takes the median of "
             "its stage and class"},
    {"weight_Bps", PP_JSON_REAL, GENERATION(weight_Bps),
     .help =
         "bytes of weights that a rank reads per second of its ops that decode, the "
         "mean over ranks; null where none decoded"},
    {"read_Bps", PP_JSON_REAL, GENERATION(read_Bps),
     .help = "bytes per second that a rank's thread reads its weights with, one after "
             "the other, all ranks at once; the mean over ranks"},
    {"memory_Bps", PP_JSON_REAL, GENERATION(memory_Bps),
     .help = "the same of an array of twice the last cache: what memory gives; null "
             "where there was no room for it"},
    {"weights_cached", PP_JSON_FLAG, GENERATION(weights_cached),
     .help = "true where on some rank what a batch reads of the weights fits the last "
             "cache: weight_Bps is then no share of memory_Bps"},
    {"decoding", PP_JSON_OBJECT, .keys = decoding,
     .help = "the batches after the last one of a prompt"},
    {"sequences", PP_JSON_TREE, GENERATION(sequences), .keys = sequence,
     .help = "in the order of the prompts"},
    {0},
};

static const struct pp_json_key step[] = {
    {"step", PP_JSON_INTEGER, OF(pp_step, number), .least = INT32_MIN,
     .most = INT32_MAX, .help = "the step's number, from 1"},
    {"makespan_s", PP_JSON_TIME, OF(pp_step, makespan),
     .help = "from the first op's start to the last op's end"},
    {"step_s", PP_JSON_TIME, OF(pp_step, duration),
     .help = "reductions over weight copies and optimizer included"},
    {"bubble", PP_JSON_REAL, OF(pp_step, bubble), .help = "the bubble's fraction"},
    {0},
};

const struct pp_json_key pp_json_span[] = {
    {"start_s", PP_JSON_TIME, OF(pp_span, start), .help = "the op's start"},
    {"end_s", PP_JSON_TIME, OF(pp_span, end), .help = "the op's end"},
    {"ready_s", PP_JSON_TIME, OF(pp_span, ready), .help = "its input was produced"},
    {"arrived_s", PP_JSON_TIME, OF(pp_span, arrived), .help = "its input had arrived"},
    {0},
};

static const struct pp_json_key class_of_microbatches[] = {
    {"class", TEXT_OF(pp_class, label), .help = "prefill or decode"},
    {"rows", PP_JSON_INTEGER, OF(pp_class, rows), .least = 1, .most = MOST_COUNT,
     .help = "tokens that go through the stages together"},
    {0},
};

/* What of a schedule that decodes its ops do not say. */
const struct pp_json_key pp_json_decoding[] = {
    {"classes", PP_JSON_LIST, OF(pp_report, schedule.classes),
     .size = sizeof(struct pp_class),
     .count_offset = offsetof(struct pp_report, schedule.class_count),
     .keys = class_of_microbatches,
     .help = "what its microbatches are, as far as their cost goes"},
    {"after", PP_JSON_NUMBERS, OF(pp_report, schedule.after), .least = -1,
     .most = PP_MAX_MICROBATCHES - 1,
     .help =
         "of each microbatch the one whose sampled tokens it begins with; -1: none"},
    {"group_of", PP_JSON_NUMBERS, OF(pp_report, schedule.group_of),
     .most = PP_MAX_MICROBATCHES - 1,
     .help = "of each microbatch the group whose sequences it is of"},
    {"class_of", PP_JSON_NUMBERS, OF(pp_report, schedule.class_of), .most = MOST_COUNT,
     .help = "of each microbatch its place in classes"},
    {0},
};

static const struct pp_json_key timeline[] = {
    {"step", PP_JSON_REPRESENTATIVE, OF(pp_report, representative), .derived = true,
     .help = "the number of the representative step"},
    {"decoding", PP_JSON_OBJECT, .keys = pp_json_decoding, .decoding = true,
     .help = "the microbatches of a schedule that decodes"},
    {"columns", PP_JSON_COLUMNS, .derived = true, .help = "what an op's row holds"},
    {"ops", PP_JSON_OPS, OF(pp_report, timeline.spans), .keys = pp_json_span,
     .help =
         "per rank, its ops in order: \"3F12\" is F of stage 3 on microbatch 12, with "
         "a "
         "+ behind it where it overlaps with the next; then seconds from the step's "
         "start. Where an op needs no input from another stage, ready_s and arrived_s "
         "say nothing"},
    {0},
};

#define MAKESPAN(name, field, text, is_derived)                                        \
    {                                                                                  \
        name, PP_JSON_TIME, OF(pp_report, field), .help = (text),                      \
                                                  .derived = (is_derived)              \
    }

const struct pp_json_key pp_json_report[] = {
    {"schema", PP_JSON_SCHEMA, .derived = true,
     .help = "the schema's name and version"},
    {"version", TEXT_OF(pp_report, version), .help = "of ppsim"},
    {"command", TEXT_OF(pp_report, command), .help = "run, simulate or generate"},
    {"config", PP_JSON_CONFIG, OF(pp_report, config), .keys = pp_json_shape,
     .help = "the value of every option, and the schedule's shape"},
    {"environment", PP_JSON_OBJECT, .keys = environment, .help = "where it ran"},
    MAKESPAN(
        "makespan_s", metrics.makespan,
        "of the representative step, as are all figures below: from the first op's "
        "start to the last op's end",
        false),
    MAKESPAN("makespan_median_s", makespans.median, "over the steps", true),
    MAKESPAN("makespan_min_s", makespans.min, "of the shortest step", true),
    MAKESPAN("makespan_max_s", makespans.max, "of the longest step", true),
    {"predicted_makespan_s", PP_JSON_REAL, OF(pp_report, predicted_makespan_s),
     .help = "what a simulation with the median op times gives; null in a simulation"},
    {"tokens_per_s", PP_JSON_REAL, OF(pp_report, tokens_per_s),
     .help = "tokens of a step / the step's whole time"},
    {"bubble", PP_JSON_OBJECT, .keys = bubble, .help = "how much of the time was idle"},
    {"ranks", PP_JSON_RANKS, OF(pp_report, ranks), .keys = rank, .help = "by rank"},
    {"costs", PP_JSON_LIST, OF(pp_report, costs), .size = sizeof(struct pp_cost),
     .count_offset = offsetof(struct pp_report, cost_count), .keys = cost,
     .help =
         "what ops need, by stage and kind: their CPU time, or with several threads on "
         "the wall clock the time that passed in them"},
    {"link", PP_JSON_OBJECT, .keys = link,
     .help = "a hop between ranks, as predicted was fed with it"},
    {"training", PP_JSON_OBJECT, .keys = training, .help = "what was learned"},
    {"generation", PP_JSON_OBJECT, OF(pp_report, generation.groups), .keys = generation,
     .optional = true, .help = "what was generated; only where 'command' is generate"},
    {"representative_step", PP_JSON_REPRESENTATIVE, OF(pp_report, representative),
     .help = "the number of the step whose bubble is the median"},
    {"steps", PP_JSON_LIST, OF(pp_report, steps), .size = sizeof(struct pp_step),
     .count_offset = offsetof(struct pp_report, step_count), .keys = step,
     .help = "the measured steps"},
    {"timeline", PP_JSON_TIMELINE, OF(pp_report, timeline), .keys = timeline,
     .optional = true,
     .help = "when each op ran in the representative step; null where "
             "'timeline_dropped' says "
             "why"},
    {"timeline_dropped", TEXT_OF(pp_report, timeline_dropped), .nullable = true,
     .optional = true,
     .help = "why there is no timeline: steps of more than 1048576 ops are written "
             "without; null where there is one"},
    {0},
};

bool pp_json_left_out(const struct pp_json_key *key, const struct pp_report *report)
{
    return key->decoding && !pp_decodes(&report->schedule);
}

static const struct pp_json_key *find(const struct pp_json_key *keys, size_t offset)
{
    const struct pp_json_key *found = NULL;
    for (; keys->name && !found; keys++) {
        if (keys->type == PP_JSON_OBJECT)
            found = find(keys->keys, offset);
        else if (keys->offset == offset && !keys->derived)
            found = keys;
    }
    return found;
}

const struct pp_json_key *pp_json_key_at(const struct pp_json_key *keys, size_t offset)
{
    const struct pp_json_key *found = find(keys, offset);
    assert(found);
    return found;
}

const struct pp_json_key *pp_json_object_of(const struct pp_json_key *keys,
                                            const struct pp_json_key *members)
{
    while (keys->name && keys->keys != members)
        keys++;
    assert(keys->name);
    return keys;
}
