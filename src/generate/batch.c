#include "generate/batch.h"

static size_t up_to(size_t bytes, size_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

static size_t spans_at(int parts, int freed)
{
    size_t bytes = sizeof(struct pp_batch_head) +
                   (size_t)parts * sizeof(struct pp_batch_part) +
                   (size_t)freed * sizeof(int32_t);
    return up_to(bytes, _Alignof(struct pp_span));
}

size_t pp_batch_bytes(int parts, int freed, int ranks)
{
    return up_to(spans_at(parts, freed) + (size_t)ranks * sizeof(struct pp_span),
                 PP_ALIGN);
}

struct pp_batch pp_batch_in(struct pp_parcel *parcel, int ranks)
{
    char *data = parcel->data;
    struct pp_batch_head *head = (struct pp_batch_head *)data;
    struct pp_batch batch = {.parcel = parcel, .head = head};
    int parts = head->part_count, freed = head->freed_count;
    batch.parts = (struct pp_batch_part *)(head + 1);
    batch.freed = (int32_t *)(batch.parts + parts);
    batch.spans = (struct pp_span *)(data + spans_at(parts, freed));
    batch.x = (float *)(data + pp_batch_bytes(parts, freed, ranks));
    return batch;
}

void pp_batch_close(struct pp_batch *batch, int ranks, size_t payload)
{
    const struct pp_batch_head *head = batch->head;
    batch->parcel->bytes =
        (int64_t)(pp_batch_bytes(head->part_count, head->freed_count, ranks) + payload);
}
