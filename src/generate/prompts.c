#include "generate/prompts.h"

#include <stdlib.h>
#include <string.h>

#include "generate/roster.h"

void pp_prompts_init(struct pp_prompts *prompts, const struct pp_prompts_config *config)
{
    *prompts = (struct pp_prompts){.config = *config};
}

static void release_prompt(struct pp_prompt *prompt)
{
    pp_text_decoder_release(&prompt->decoder);
    pp_stopper_release(&prompt->stopper);
    free(prompt->prompt);
    free(prompt->tokens);
    free(prompt->times);
    free(prompt->text);
}

void pp_prompts_release(struct pp_prompts *prompts)
{
    for (int i = 0; i < prompts->count; i++)
        release_prompt(&prompts->prompts[i]);
    free(prompts->prompts);
    *prompts = (struct pp_prompts){0};
}

/* --- adding ----------------------------------------------------------------------- */

/* The text's tokens; of the empty one the end token. */
static int encode(const struct pp_tokenizer *tokenizer, const char *text, size_t length,
                  struct pp_prompt *prompt, struct pp_error *error)
{
    if (pp_tokenizer_encode(tokenizer, text, length, false, &prompt->prompt,
                            &prompt->prompt_count, error) != 0)
        return -1;
    if (prompt->prompt_count > 0)
        return 0;
    if (tokenizer->end < 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "the prompt is empty: this tokenizer has no token to begin a "
                       "text with, so give at least one byte");
    int32_t *alone = realloc(prompt->prompt, sizeof *alone);
    if (!alone)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a prompt");
    alone[0] = tokenizer->end;
    prompt->prompt = alone;
    prompt->prompt_count = 1;
    return 0;
}

/* Leaves out the begin of a prompt without room for what follows it. */
static void cut(const struct pp_prompts_config *config, struct pp_prompt *prompt)
{
    int half = config->context / 2;
    int most =
        config->context - (config->max_tokens < half ? config->max_tokens : half);
    int over = prompt->prompt_count - most;
    if (over <= 0)
        return;
    memmove(prompt->prompt, prompt->prompt + over, (size_t)most * sizeof(int32_t));
    prompt->prompt_count = most;
}

int pp_prompts_add(struct pp_prompts *prompts, const char *text, size_t length,
                   struct pp_error *error)
{
    const struct pp_prompts_config *config = &prompts->config;
    struct pp_prompt *more =
        realloc(prompts->prompts, ((size_t)prompts->count + 1) * sizeof *more);
    if (!more)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a prompt");
    prompts->prompts = more;
    struct pp_prompt *prompt = &more[prompts->count++];
    *prompt = (struct pp_prompt){0};
    pp_text_decoder_init(&prompt->decoder, config->tokenizer, false);
    pp_stopper_init(&prompt->stopper, config->stops, config->stop_count);
    if (encode(config->tokenizer, text, length, prompt, error) != 0)
        return -1;
    if (config->cut)
        cut(config, prompt);
    if (prompt->prompt_count > config->context)
        return pp_fail(
            error, PP_BAD_INPUT,
            "the prompt has %d tokens, but the model's context is %d: give a "
            "shorter one",
            prompt->prompt_count, config->context);
    int most = config->context + 1 - prompt->prompt_count;
    most = most < config->max_tokens ? most : config->max_tokens;
    prompt->tokens = malloc((size_t)most * sizeof *prompt->tokens);
    prompt->times = malloc((size_t)most * sizeof *prompt->times);
    if (!prompt->tokens || !prompt->times)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d tokens", most);
    return 0;
}

int pp_prompts_blocks(const struct pp_prompts *prompts)
{
    const struct pp_roster_config roster = {.context = prompts->config.context};
    int blocks = 0;
    for (int i = 0; i < prompts->count; i++)
        blocks += pp_roster_blocks(&roster, prompts->prompts[i].prompt_count,
                                   prompts->config.max_tokens);
    return blocks;
}

/* --- the source ------------------------------------------------------------------- */

static int next(void *data, bool idle, struct pp_request *request)
{
    struct pp_prompts *prompts = data;
    (void)idle;
    if (prompts->asked == prompts->count || prompts->fault.lines > 0)
        return -1;
    const struct pp_prompt *prompt = &prompts->prompts[prompts->asked];
    *request = (struct pp_request){
        .id = (uint64_t)prompts->asked,
        .prompt = prompt->prompt,
        .prompt_count = prompt->prompt_count,
        .max_tokens = prompts->config.max_tokens,
        .index = prompts->asked,
        .sampling = prompts->config.sampling,
    };
    prompts->asked++;
    return 1;
}

static bool cancelled(void *data, uint64_t id)
{
    const struct pp_prompts *prompts = data;
    (void)id;
    return prompts->fault.lines > 0;
}

static int append(struct pp_prompts *prompts, int index, const char *text,
                  size_t length)
{
    struct pp_prompt *prompt = &prompts->prompts[index];
    if (length == 0)
        return 0;
    char *longer = realloc(prompt->text, prompt->text_bytes + length);
    if (!longer)
        return pp_fail(&prompts->fault, PP_ENVIRONMENT, "out of memory for text");
    prompt->text = longer;
    memcpy(longer + prompt->text_bytes, text, length);
    prompt->text_bytes += length;
    if (prompts->config.write)
        prompts->config.write(prompts->config.data, index, text, length);
    return 0;
}

/* The text goes on; true: a stop has come. */
static bool add_text(struct pp_prompts *prompts, int index, const char *text,
                     size_t length)
{
    struct pp_prompt *prompt = &prompts->prompts[index];
    bool found = false;
    if (pp_stopper_push(&prompt->stopper, text, length, &text, &length, &found,
                        &prompts->fault) == 0)
        append(prompts, index, text, length);
    return found;
}

/* What was held back, as there is no more; true: it made a stop. */
static bool end_text(struct pp_prompts *prompts, int index)
{
    struct pp_prompt *prompt = &prompts->prompts[index];
    const char *text;
    size_t length;
    pp_text_decoder_finish(&prompt->decoder, &text, &length);
    if (add_text(prompts, index, text, length))
        return true;
    pp_stopper_finish(&prompt->stopper, &text, &length);
    append(prompts, index, text, length);
    return false;
}

static bool token(void *data, uint64_t id, int32_t value, bool last, const char *finish)
{
    struct pp_prompts *prompts = data;
    int index = (int)id;
    struct pp_prompt *prompt = &prompts->prompts[index];
    const char *text;
    size_t length;
    bool stopped = false;
    prompt->tokens[prompt->token_count++] = value;
    if (pp_text_decoder_push(&prompt->decoder, value, &text, &length,
                             &prompts->fault) == 0)
        stopped = add_text(prompts, index, text, length);
    if (!stopped && last)
        stopped = end_text(prompts, index);
    if (stopped || last)
        prompt->finish = stopped ? "stop" : finish;
    if (prompt->finish && prompts->config.write)
        prompts->config.write(prompts->config.data, index, "", 0);
    return stopped;
}

/* Every piece that is not amid its prompt has got a token. */
static void note_times(struct pp_prompts *prompts, const struct pp_batch_trace *trace)
{
    for (int i = 0; i < trace->piece_count; i++) {
        const struct pp_batch_piece *piece = &trace->pieces[i];
        struct pp_prompt *prompt = &prompts->prompts[piece->id];
        int at = piece->position + piece->count - prompt->prompt_count;
        if (at >= 0 && at < prompt->token_count)
            prompt->times[at] = trace->spans[trace->ranks - 1].end;
    }
}

static void batch(void *data, const struct pp_batch_trace *trace)
{
    struct pp_prompts *prompts = data;
    note_times(prompts, trace);
    if (prompts->config.batch)
        prompts->config.batch(prompts->config.data, trace);
}

struct pp_source pp_prompts_source(struct pp_prompts *prompts)
{
    return (struct pp_source){
        .data = prompts,
        .next = next,
        .cancelled = cancelled,
        .token = token,
        .batch = batch,
    };
}
