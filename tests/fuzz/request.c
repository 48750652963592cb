/* The body of a request to serve, in each of its shapes; and what becomes of it: tokens
 * come, and the answer is made, streamed or whole. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "serve/answer.h"
#include "serve/ask_read.h"

enum { CONTEXT = 64, VOCAB = 256 };

/* All its sequences get tokens until they end. */
static void answer(struct pp_job *job)
{
    for (int i = 0; i < job->count; i++) {
        struct pp_sequence *sequence = job->sequences[i];
        while (!sequence->finish) {
            struct pp_bytes text = {0};
            int at = sequence->generated;
            bool last = at + 1 >= sequence->max_tokens;
            if (pp_sequence_hear(sequence,
                                 sequence->prompt[at % sequence->prompt_count],
                                 last ? "length" : NULL, &text) != 0)
                sequence->finish = "stop";
            if (job->ask.stream && pp_bytes_count(&text) > 0)
                pp_answer_text(job, sequence, pp_bytes_at(&text),
                               pp_bytes_count(&text));
            else if (pp_bytes_count(&text) > 0)
                pp_bytes_add(&sequence->text, pp_bytes_at(&text),
                             pp_bytes_count(&text));
            pp_bytes_release(&text);
        }
        job->unfinished--;
        if (job->ask.stream)
            pp_answer_finish(job, sequence);
    }
    if (!job->ask.stream)
        free(pp_answer_whole(job));
    pp_bytes_release(&job->outlet.out);
}

static void generate(struct pp_ask *ask)
{
    static struct pp_tokenizer bytes;
    struct pp_error error = {0};
    struct pp_job job = {.model = "model"};
    bool too_long;
    if (bytes.vocab == 0 && pp_tokenizer_init(&bytes, "bytes", &error) != 0) {
        pp_ask_release(ask);
        return;
    }
    const struct pp_limits limits = {
        .vocab = VOCAB, .context = CONTEXT, .tokenizer = &bytes};
    if (fuzz_check(pp_job_init(&job, ask, &limits, &too_long, &error), &error) == 0)
        answer(&job);
    pp_job_release(&job);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int shape = 0; shape < PP_SHAPES; shape++) {
        struct pp_error error = {0};
        struct pp_ask ask;
        if (fuzz_check(pp_ask_parse(&ask, (enum pp_ask_shape)shape, (const char *)data,
                                    size, &error),
                       &error) == 0)
            generate(&ask);
        else
            pp_ask_release(&ask);
    }
    return 0;
}
