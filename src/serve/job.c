#include "serve/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void pp_sequence_free(struct pp_sequence *sequence)
{
    if (!sequence)
        return;
    pp_text_decoder_release(&sequence->decoder);
    pp_stopper_release(&sequence->stopper);
    pp_bytes_release(&sequence->text);
    free(sequence->prompt);
    free(sequence);
}

static int no_memory(struct pp_error *error)
{
    return pp_fail(error, PP_ENVIRONMENT, "out of memory for a request");
}

/* A sequence of the prompt, which it copies. */
static struct pp_sequence *make_sequence(struct pp_job *job, const int32_t *prompt,
                                         int count,
                                         const struct pp_tokenizer *tokenizer)
{
    struct pp_sequence *sequence = calloc(1, sizeof *sequence);
    int32_t *own = sequence ? malloc((size_t)count * sizeof *own) : NULL;
    if (!own) {
        free(sequence);
        return NULL;
    }
    memcpy(own, prompt, (size_t)count * sizeof *own);
    *sequence = (struct pp_sequence){.job = job, .prompt = own, .prompt_count = count};
    pp_text_decoder_init(&sequence->decoder, tokenizer, true);
    pp_stopper_init(&sequence->stopper, job->ask.stops, job->ask.stop_count);
    return sequence;
}

static int add_prompt(struct pp_job *job, const struct pp_ask_prompt *prompt,
                      const struct pp_limits *limits, bool *too_long,
                      struct pp_error *error)
{
    int32_t *tokens = NULL;
    int count = 0;
    int status = pp_prompt_encode(&job->ask, prompt, limits, &tokens, &count, error);
    if (status == 0 && count > limits->context) {
        *too_long = true;
        status = pp_fail(error, PP_BAD_INPUT,
                         "the prompt has %d tokens, but the model's context is %d: "
                         "give a shorter one",
                         count, limits->context);
    }
    /* The token after the last position needs none itself. */
    int room = limits->context + 1 - count, most = job->ask.max_tokens;
    for (int i = 0; i < job->ask.n && status == 0; i++) {
        struct pp_sequence *sequence =
            make_sequence(job, tokens, count, limits->tokenizer);
        if (!sequence) {
            status = no_memory(error);
            break;
        }
        sequence->max_tokens = most > 0 && most < room ? most : room;
        sequence->index = job->count;
        job->sequences[job->count++] = sequence;
    }
    job->prompt_tokens += count;
    free(tokens);
    return status;
}

int pp_job_init(struct pp_job *job, struct pp_ask *ask, const struct pp_limits *limits,
                bool *too_long, struct pp_error *error)
{
    static const char *const prefixes[] = {"cmpl", "chatcmpl", "chat"};
    uint64_t random[3] = {0};
    job->ask = *ask;
    *ask = (struct pp_ask){0};
    ask = &job->ask;
    job->created = time(NULL);
    job->began = pp_now_s();
    *too_long = false;
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return pp_fail(error, PP_ENVIRONMENT, "the system has no random numbers");
    if (!ask->seeded)
        ask->sampling.seed = random[2];
    snprintf(job->name, sizeof job->name, "%s-%016llx", prefixes[ask->shape],
             (unsigned long long)(random[0] ^ random[1]));
    job->sequences =
        calloc((size_t)(ask->prompt_count * ask->n), sizeof(struct pp_sequence *));
    if (!job->sequences)
        return no_memory(error);
    for (int i = 0; i < ask->prompt_count; i++) {
        if (add_prompt(job, &ask->prompts[i], limits, too_long, error) != 0)
            return -1;
    }
    job->unfinished = job->count;
    return 0;
}

void pp_job_release(struct pp_job *job)
{
    for (int i = 0; i < job->count; i++)
        pp_sequence_free(job->sequences[i]);
    free(job->sequences);
    job->sequences = NULL;
    job->count = 0;
    pp_ask_release(&job->ask);
}

int pp_job_generated(const struct pp_job *job)
{
    int tokens = 0;
    for (int i = 0; i < job->count; i++)
        tokens += job->sequences[i] ? job->sequences[i]->generated : 0;
    return tokens;
}

static int push(struct pp_sequence *sequence, const char *piece, size_t bytes,
                struct pp_bytes *text, struct pp_error *error)
{
    const char *more;
    size_t length;
    if (sequence->stopped)
        return 0;
    if (pp_stopper_push(&sequence->stopper, piece, bytes, &more, &length,
                        &sequence->stopped, error) != 0)
        return -1;
    pp_bytes_add(text, more, length);
    return 0;
}

/* What was held back, the sequence having ended. */
static int finish(struct pp_sequence *sequence, struct pp_bytes *text,
                  struct pp_error *error)
{
    const char *piece;
    size_t bytes;
    pp_text_decoder_finish(&sequence->decoder, &piece, &bytes);
    if (push(sequence, piece, bytes, text, error) != 0)
        return -1;
    if (sequence->stopped)
        return 0;
    pp_stopper_finish(&sequence->stopper, &piece, &bytes);
    pp_bytes_add(text, piece, bytes);
    return 0;
}

int pp_sequence_hear(struct pp_sequence *sequence, int32_t token, const char *ended,
                     struct pp_bytes *text)
{
    struct pp_error error = {0};
    const char *piece;
    size_t bytes;
    sequence->generated++;
    if (pp_text_decoder_push(&sequence->decoder, token, &piece, &bytes, &error) != 0 ||
        push(sequence, piece, bytes, text, &error) != 0)
        return -1;
    if (ended && finish(sequence, text, &error) != 0)
        return -1;
    if (sequence->stopped)
        sequence->finish = "stop";
    else if (ended)
        sequence->finish = strcmp(ended, "length") == 0 ? "length" : "stop";
    return text->failed ? -1 : 0;
}
