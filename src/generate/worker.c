#include "generate/worker.h"

#include <assert.h>
#include <stdlib.h>

#include "run/status.h"

static int read_weights(struct pp_worker *worker, const struct pp_weights *weights,
                        struct pp_error *error)
{
    int count = pp_model_tensor_count(&weights->config), status = 0;
    size_t most = 0;
    for (int i = 0; i < count; i++) {
        size_t elements = pp_model_tensor(&weights->config, i).count;
        if (pp_decoder_holds(&worker->decoder, i) && elements > most)
            most = elements;
    }
    float *data = malloc(most * sizeof *data);
    if (!data)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a tensor");
    for (int i = 0; i < count && status == 0; i++) {
        if (!pp_decoder_holds(&worker->decoder, i))
            continue;
        status = pp_weights_read(weights, i, data, error);
        if (status == 0)
            pp_decoder_set(&worker->decoder, i, data);
    }
    free(data);
    return status;
}

static int allocate(struct pp_worker *worker, const struct pp_worker_config *config,
                    struct pp_error *error)
{
    size_t parts = (size_t)config->most_parts;
    int vocab = worker->decoder.config.vocab;
    bool last = worker->decoder.head;
    worker->pieces = calloc(parts, sizeof *worker->pieces);
    worker->rows = calloc(parts, sizeof *worker->rows);
    if (last)
        worker->logits = calloc(parts * (size_t)vocab, sizeof *worker->logits);
    if (!worker->pieces || !worker->rows || (last && !worker->logits))
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d sequences",
                       config->most_parts);
    return last ? pp_sampler_init(&worker->sampler, vocab, error) : 0;
}

double pp_worker_bytes(const struct pp_worker_config *config,
                       const struct pp_model_config *model, int rank, int ranks)
{
    double C = model->d_model, wte = C * model->vocab;
    bool first = rank == 0, last = rank == ranks - 1;
    double floats = config->layers * (12 * C * C + 13 * C);
    floats += first ? C * model->seq_len : 0;
    floats += (first && !(last && !model->untied) ? wte : 0) + (last ? wte : 0);
    floats += first || last ? wte : 4 * C * C; /* a tensor as it is read */
    floats += last ? (double)config->most_parts * model->vocab : 0;
    floats += 10 * C * config->most_rows; /* of a call */
    return 4 * floats + (double)pp_cache_bytes(model, config->layers, config->blocks);
}

int pp_worker_init(struct pp_worker *worker, struct pp_site *site,
                   const struct pp_worker_config *config,
                   const struct pp_weights *weights, struct pp_error *error)
{
    const struct pp_model_config *model = &weights->config;
    bool first = site->world.rank == 0;
    bool last = site->world.rank == site->world.size - 1;
    *worker = (struct pp_worker){.site = site};
    if (pp_decoder_init(&worker->decoder, model, config->first_layer, config->layers,
                        first, last, config->most_rows, error) != 0 ||
        pp_cache_init(&worker->cache, model, config->layers, config->slots,
                      config->blocks, error) != 0 ||
        allocate(worker, config, error) != 0)
        return -1;
    return read_weights(worker, weights, error);
}

void pp_worker_release(struct pp_worker *worker)
{
    pp_sampler_release(&worker->sampler);
    pp_cache_release(&worker->cache);
    pp_decoder_release(&worker->decoder);
    free(worker->logits);
    free(worker->rows);
    free(worker->pieces);
    *worker = (struct pp_worker){0};
}

/* Slots that have been left give their blocks back; those that go on get theirs. The
 * roster has seen to it that there are enough. */
static void keep_cache(struct pp_worker *worker, const struct pp_batch *batch)
{
    for (int i = 0; i < batch->head->freed_count; i++)
        pp_cache_free(&worker->cache, batch->freed[i]);
    for (int i = 0; i < batch->head->part_count; i++) {
        const struct pp_piece *piece = &batch->parts[i].piece;
        worker->pieces[i] = *piece;
        int status = pp_cache_reserve(&worker->cache, piece->slot,
                                      piece->position + piece->count);
        assert(status == 0);
        (void)status;
    }
}

/* Logits of each part's last row that a token follows, and the tokens into the place of
 * x. */
static void draw(struct pp_worker *worker, struct pp_batch *batch)
{
    int vocab = worker->decoder.config.vocab, count = 0, row = 0;
    for (int i = 0; i < batch->head->part_count; i++) {
        row += batch->parts[i].piece.count;
        if (batch->parts[i].draws)
            worker->rows[count++] = row - 1;
    }
    if (count > 0)
        pp_decoder_logits(&worker->decoder, batch->x, worker->rows, count,
                          worker->logits);
    const float *logits = worker->logits;
    for (int i = 0; i < batch->head->part_count; i++) {
        const struct pp_batch_part *part = &batch->parts[i];
        batch->tokens[i] = -1;
        if (!part->draws)
            continue;
        batch->tokens[i] = pp_sample(&worker->sampler, &part->sampling, part->index,
                                     part->piece.position + part->piece.count, logits);
        batch->head->wrong |= batch->tokens[i] < 0;
        logits += vocab;
    }
}

void pp_worker_compute(struct pp_worker *worker, struct pp_batch *batch,
                       const int32_t *tokens, int64_t ready, int64_t arrived)
{
    struct pp_clock *clock = &worker->site->clock;
    struct pp_batch_head *head = batch->head;
    int rank = worker->site->world.rank, ranks = worker->site->world.size;
    struct pp_span *span = &batch->spans[rank];
    size_t payload =
        (size_t)head->rows * (size_t)worker->decoder.config.d_model * sizeof *batch->x;
    keep_cache(worker, batch);
    pp_note_op((struct pp_op){.stage = (uint32_t)rank,
                              .kind = PP_F,
                              .microbatch = (uint32_t)head->number & 0xfffffff});
    span->start = pp_clock_begin(clock, arrived);
    pp_decoder_forward(&worker->decoder, &worker->cache, worker->pieces,
                       head->part_count, tokens, batch->x);
    if (worker->decoder.head) {
        draw(worker, batch);
        payload = (size_t)head->part_count * sizeof *batch->tokens;
    }
    span->end = pp_clock_end(clock, span->start);
    span->ready = ready;
    span->arrived = arrived < span->start ? arrived : span->start;
    batch->parcel->sent = span->end;
    pp_batch_close(batch, ranks, payload);
}
