/* ppsim generate: continues texts with a model that is split over ranks. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/input.h"
#include "cli/command.h"
#include "cli/environment.h"
#include "cli/gate.h"
#include "cli/generate_report.h"
#include "cli/generation.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/plan.h"
#include "cli/terminal.h"
#include "cli/verdicts.h"
#include "generate/engine.h"
#include "run/launch.h"
#include "version.h"

/* --- prompts ---------------------------------------------------------------------- */

static int read_stdin(char **text, size_t *length, struct pp_error *error)
{
    size_t capacity = 0, got;
    *text = NULL;
    *length = 0;
    do {
        if (*length == capacity) {
            capacity = 2 * capacity + 4096;
            char *more = realloc(*text, capacity);
            if (!more)
                return pp_fail(error, PP_ENVIRONMENT, "out of memory for a prompt");
            *text = more;
        }
        got = fread(*text + *length, 1, capacity - *length, stdin);
        *length += got;
    } while (got > 0);
    if (ferror(stdin))
        return pp_fail(error, pp_status_of(errno), "cannot read standard input: %s",
                       strerror(errno));
    return 0;
}

static bool reads_stdin(const struct pp_options *options)
{
    return options->prompt_file && strcmp(options->prompt_file, "-") == 0;
}

static int add_file(struct pp_generation *generation, const char *path,
                    struct pp_error *error)
{
    char *text = NULL;
    size_t length = 0;
    int status = reads_stdin(generation->options)
                     ? read_stdin(&text, &length, error)
                     : pp_input_whole(path, &text, &length, error);
    if (status == 0)
        status = pp_prompts_add(&generation->prompts, text, length, error);
    free(text);
    return status;
}

static int add_prompts(struct pp_generation *generation, struct pp_error *error)
{
    const struct pp_options *options = generation->options;
    int status = 0;
    for (int i = 0; i < options->prompts.count && status == 0; i++) {
        const char *text = options->prompts.items[i];
        status = pp_prompts_add(&generation->prompts, text, strlen(text), error);
    }
    if (status == 0 && options->prompt_file)
        status = add_file(generation, options->prompt_file, error);
    return status;
}

/* Without a prompt on a terminal it is a conversation. */
static bool converses(const struct pp_generation *generation)
{
    const struct pp_options *options = generation->options;
    return options->prompts.count == 0 && !options->prompt_file &&
           generation->terminal.input && generation->terminal.output;
}

static int check_prompts(const struct pp_generation *generation, struct pp_error *error)
{
    const struct pp_options *options = generation->options;
    if (options->prompts.count > 0 || options->prompt_file || converses(generation))
        return 0;
    return pp_fail(error, PP_BAD_INPUT,
                   "there is no prompt: give '--prompt' TEXT, or '--prompt-file' FILE "
                   "('-': standard input); on a terminal there may be none");
}

/* --- what is asked for ------------------------------------------------------------ */

/* Greedy unless something says how a token is drawn. A seed says nothing of that: where
 * none is drawn it is not needed. Nor does a temperature of 0, which is greedy. */
static int set_sampling(struct pp_sampling *sampling, const struct pp_options *options,
                        struct pp_error *error)
{
    static const char *const drawn[] = {"temperature", "top-k", "top-p"};
    bool cold = options->temperature == 0;
    const char *given = NULL;
    for (size_t i = 0; i < sizeof drawn / sizeof *drawn && !given && !cold; i++) {
        if (pp_options_given(options, drawn[i]))
            given = drawn[i];
    }
    if (given && options->decode == PP_DECODE_GREEDY)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--%s' says how a token is drawn, but '--decode' greedy draws "
                       "none: leave one of them out",
                       given);
    *sampling = (struct pp_sampling){
        .greedy = cold || (!given && options->decode != PP_DECODE_SAMPLE),
        .temperature = options->temperature,
        .top_k = options->top_k,
        .top_p = options->top_p,
        .seed = (uint64_t)options->seed,
    };
    return 0;
}

static int configure(struct pp_generation *generation, struct pp_error *error)
{
    const struct pp_options *options = generation->options;
    if (set_sampling(&generation->sampling, options, error) != 0)
        return -1;
    for (int i = 0; i < options->stops.count; i++) {
        if (!*options->stops.items[i])
            return pp_fail(error, PP_BAD_INPUT,
                           "'--stop' is empty: give the text to end before");
    }
    if (pp_chosen_engine(&generation->engine, &generation->chosen, options, error) != 0)
        return -1;
    generation->engine.reads = !converses(generation);
    return 0;
}

/* What can be known to be wrong before ranks are started. */
static int prepare(struct pp_generation *generation, struct pp_error *error)
{
    if (pp_chosen_model_init(&generation->chosen, generation->options,
                             generation->world, error) != 0 ||
        configure(generation, error) != 0 || check_prompts(generation, error) != 0)
        return -1;
    if (generation->world > 0 && generation->chosen.ranks != generation->world)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--ranks' is %d, but mpirun started %d: use the same number",
                       generation->chosen.ranks, generation->world);
    const struct pp_plan plan = {.schedule = {.ranks = generation->chosen.ranks}};
    return pp_gate_init(&generation->gate, generation->options, &plan, error);
}

/* --- the text --------------------------------------------------------------------- */

/* Texts stand one after the other, in the order of the prompts: of the first that has
 * not ended what comes is passed on, of those behind it all at once when their turn
 * comes. */
static void head(struct pp_generation *generation)
{
    bool new = generation->headed <= generation->shown;
    generation->headed = generation->shown + 1;
    if (new && generation->prompts.count > 1 && !converses(generation))
        fprintf(generation->text, "==> prompt %d <==\n", generation->shown + 1);
}

static void write_text(void *data, int index, const char *text, size_t length)
{
    struct pp_generation *generation = data;
    const struct pp_prompts *prompts = &generation->prompts;
    if (!generation->text || index != generation->shown)
        return;
    head(generation);
    fwrite(text, 1, length, generation->text);
    while (generation->shown < prompts->count &&
           prompts->prompts[generation->shown].finish) {
        generation->shown++;
        if (prompts->count > 1 || generation->terminal.output)
            fputc('\n', generation->text);
        if (generation->shown == prompts->count)
            break;
        const struct pp_prompt *next = &prompts->prompts[generation->shown];
        head(generation);
        fwrite(next->text, 1, next->text_bytes, generation->text);
    }
    fflush(generation->text);
}

/* Where it was stopped: what there is of those that have not been shown. */
static void end_text(struct pp_generation *generation)
{
    const struct pp_prompts *prompts = &generation->prompts;
    bool begun = true;
    if (!generation->text)
        return;
    for (; generation->shown < prompts->count; generation->shown++) {
        const struct pp_prompt *prompt = &prompts->prompts[generation->shown];
        head(generation);
        if (!begun) {
            fwrite(prompt->text, 1, prompt->text_bytes, generation->text);
        }
        if (prompts->count > 1 || generation->terminal.output)
            fputc('\n', generation->text);
        begun = false;
    }
    if (generation->conversation.asking && !generation->conversation.over)
        fputc('\n', generation->text); /* behind what the user was asked with */
    fflush(generation->text);
}

static void take_batch(void *data, const struct pp_batch_trace *trace)
{
    struct pp_generation *generation = data;
    pp_record_add(&generation->record, trace);
}

/* --- on the ranks ----------------------------------------------------------------- */

/* On rank 0: all that the engine is asked for. */
static int set_up(struct pp_generation *generation, struct pp_error *error)
{
    const struct pp_options *options = generation->options;
    if (pp_chosen_tokenizer(&generation->tokenizer, &generation->chosen, options,
                            error) != 0)
        return -1;
    pp_prompts_init(&generation->prompts,
                    &(struct pp_prompts_config){
                        .tokenizer = &generation->tokenizer,
                        .sampling = generation->sampling,
                        .max_tokens = options->max_tokens,
                        .context = generation->chosen.config.seq_len,
                        .cut = converses(generation),
                        .stops = options->stops.items,
                        .stop_count = options->stops.count,
                        .write = write_text,
                        .batch = take_batch,
                        .data = generation,
                    });
    if (add_prompts(generation, error) != 0)
        return -1;
    pp_record_init(&generation->record, generation->world);
    generation->engine.end_token = generation->chosen.end_token;
    int count = generation->prompts.count;
    generation->engine.slots = count < 1               ? 1
                               : count < PP_MOST_SLOTS ? count
                                                       : PP_MOST_SLOTS;
    generation->engine.blocks = pp_prompts_blocks(&generation->prompts);
    pp_warn_of_groups(options->groups, generation->engine.slots);
    return 0;
}

/* What is reported, and judged. */
static int report(struct pp_generation *generation,
                  const struct pp_engine_result *result, struct pp_error *error)
{
    const struct pp_options *options = generation->options;
    struct pp_report report = {0};
    int status = PP_DONE;
    if (pp_generate_report(&report, generation, result, error) != 0)
        status = (int)error->status;
    else
        status = pp_output_and_judge(&report, options, &generation->terminal,
                                     &generation->gate);
    pp_report_release(&report);
    return status;
}

/* On rank 0, when all has been generated: the exit status. */
static int tell(struct pp_generation *generation, const struct pp_engine_result *result,
                struct pp_error *error)
{
    const struct pp_prompts *prompts = &generation->prompts;
    int status = PP_DONE;
    if (prompts->fault.lines > 0) {
        *error = prompts->fault;
        return (int)error->status;
    }
    end_text(generation);
    pp_warn_of_clock(&result->environment, generation->chosen.ranks,
                     generation->options->link);
    /* Of a conversation most of the time was the user's. */
    if (generation->record.count > 0 && !converses(generation))
        status = report(generation, result, error);
    if (!result->stopped || status == PP_ENVIRONMENT)
        return status;
    if (!converses(generation))
        pp_say("stopped before all was generated");
    return result->stopped == SIGINT ? PP_INTERRUPTED : PP_TERMINATED;
}

/* On every rank. Returns the exit status. */
static int generate(struct pp_generation *generation, struct pp_error *error)
{
    const struct pp_options *options = generation->options;
    struct pp_engine_result result = {0};
    struct pp_source source = {0};
    int status = generation->rank == 0 ? set_up(generation, error) : 0;
    if (pp_world_agree(status, error) != 0)
        return (int)error->status;
    if (generation->rank == 0) {
        source = converses(generation)
                     ? pp_conversation_source(&generation->conversation,
                                              &generation->prompts)
                     : pp_prompts_source(&generation->prompts);
        generation->text = pp_generated_stream(options);
        if (options->quiet && generation->text == stderr)
            generation->text = NULL; /* the report has it */
    }
    if (pp_engine_run(&generation->engine, &source, &result, error) != 0)
        status = (int)error->status;
    else if (result.leads)
        status = tell(generation, &result, error);
    pp_engine_result_release(&result);
    return status;
}

static int join(struct pp_generation *generation, struct pp_error *error)
{
    if (pp_world_enter(PP_VERSION, &generation->rank, &generation->world, error) != 0)
        return -1;
    pp_world_watch(generation->options->timeout);
    return 0;
}

/* The text is what standard input holds from now on. Returns -1 with errno set. */
static int replace_stdin(const char *text, size_t length)
{
    int file = memfd_create("prompt", MFD_CLOEXEC), status = -1;
    ssize_t put = 0;
    for (size_t at = 0; file >= 0 && at < length && put >= 0; at += (size_t)put)
        put = write(file, text + at, length - at);
    if (file >= 0 && put >= 0 && lseek(file, 0, SEEK_SET) == 0)
        status = dup2(file, STDIN_FILENO);
    if (file >= 0)
        close(file);
    return status < 0 ? -1 : 0;
}

/* A pipe can tell rank 0 that its input has ended, not that it could not be read: so it
 * is read before. */
static int read_ahead(struct pp_error *error)
{
    char *text = NULL;
    size_t length = 0;
    int status = read_stdin(&text, &length, error);
    if (status == 0 && replace_stdin(text, length) != 0)
        status = pp_fail(error, PP_ENVIRONMENT, "cannot keep the prompt: %s",
                         strerror(errno));
    free(text);
    return status;
}

/* The process that starts the ranks. Returns the exit status. */
static int launch(struct pp_generation *generation, struct pp_error *error)
{
    const struct pp_options *options = generation->options;
    bool file = reads_stdin(options);
    int status = PP_DONE;
    if (file && read_ahead(error) != 0)
        return (int)error->status;
    pp_terminal_hand_down(&generation->terminal);
    if (pp_launch(generation->chosen.ranks, NULL, options->argv,
                  file || converses(generation), options->timeout, &status,
                  error) != 0) {
        pp_output_paths_tidy(options);
        if (generation->terminal.output)
            putchar('\n'); /* behind the text that there is */
        return (int)error->status;
    }
    return status;
}

int pp_command_generate(struct pp_options *options)
{
    struct pp_error error = {0};
    struct pp_generation generation = {.options = options};
    bool launched = pp_launched();
    int status = 0;
    if (launched && join(&generation, &error) != 0) {
        if (generation.rank == 0)
            pp_refuse(options, &error);
        return pp_world_leave((int)error.status);
    }
    generation.terminal = pp_terminal_detect(launched);
    status = prepare(&generation, &error);
    if (status == 0 && generation.rank == 0)
        status = pp_output_paths_check(options, &error);
    if (launched)
        status = pp_world_agree(status, &error);
    if (status != 0)
        status = (int)error.status;
    else
        status = launched ? generate(&generation, &error) : launch(&generation, &error);
    if (generation.rank == 0 && error.lines > 0)
        pp_refuse(options, &error);
    pp_conversation_release(&generation.conversation);
    pp_prompts_release(&generation.prompts);
    pp_record_release(&generation.record);
    pp_gate_release(&generation.gate);
    pp_tokenizer_release(&generation.tokenizer);
    pp_chosen_model_release(&generation.chosen);
    return launched ? pp_world_leave(status) : status;
}
