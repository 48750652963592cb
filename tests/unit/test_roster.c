/* The roster, played with by a last rank that draws the token 100 + position, and
 * returns batches late. */
#include "generate/roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "unit.h"

enum { CONTEXT = 20, MOST = 64 };

struct bed {
    struct pp_roster roster;
    struct pp_parcel *parcel;
    int32_t tokens[MOST];
    char told[4096]; /* what was composed */
};

static void bed_init(struct bed *bed, int groups, int slots, int chunk)
{
    struct pp_error error = {0};
    *bed = (struct bed){.parcel = calloc(1, 1 << 16)};
    const struct pp_roster_config config = {
        .groups = groups,
        .slots = slots,
        .blocks = 2 * slots,
        .chunk = chunk,
        .context = CONTEXT,
        .end_token = 7,
    };
    ck_assert_ptr_nonnull(bed->parcel);
    ck_assert_int_eq(pp_roster_init(&bed->roster, &config, &error), 0);
}

static void bed_release(struct bed *bed)
{
    pp_roster_release(&bed->roster);
    free(bed->parcel);
}

static bool join(struct bed *bed, int id, int count, int max_tokens)
{
    int32_t prompt[CONTEXT];
    for (int i = 0; i < count; i++)
        prompt[i] = i;
    return pp_roster_join(&bed->roster, &(struct pp_request){
                                            .id = (uint64_t)id,
                                            .prompt = prompt,
                                            .prompt_count = count,
                                            .max_tokens = max_tokens,
                                        });
}

/* "D0: 1@5 2@3 " a decode batch of group 0, of sequence 1 at position 5 and so on;
 * "P1: 3@0x4* " a prefill of four rows, the last of which draws. */
static void tell(struct bed *bed, const struct pp_batch *batch)
{
    const struct pp_batch_head *head = batch->head;
    pp_append(bed->told, sizeof bed->told, "%c%d:", head->prefill ? 'P' : 'D',
              head->group);
    for (int i = 0; i < head->part_count; i++) {
        const struct pp_batch_part *part = &batch->parts[i];
        pp_append(bed->told, sizeof bed->told, " %d@%d", (int)part->id,
                  part->piece.position);
        if (head->prefill)
            pp_append(bed->told, sizeof bed->told, "x%d%s", part->piece.count,
                      part->draws ? "*" : "");
    }
    if (head->after >= 0)
        pp_append(bed->told, sizeof bed->told, " <%d", (int)head->after);
    pp_append(bed->told, sizeof bed->told, "\n");
}

/* The batch comes back. */
static void come_back(struct bed *bed, const struct pp_batch *batch)
{
    for (int i = 0; i < batch->head->part_count; i++) {
        const struct pp_batch_part *part = &batch->parts[i];
        const char *finish;
        int next = part->piece.position + part->piece.count;
        if (part->draws && pp_roster_draw(&bed->roster, part, 100 + next, &finish) &&
            finish)
            pp_append(bed->told, sizeof bed->told, "%d ends: %s\n", (int)part->id,
                      finish);
    }
    pp_roster_return(&bed->roster, batch);
}

/* A turn of each group, whose batches come back before the next; false: there was
 * nothing to do. */
static bool turns(struct bed *bed)
{
    bool worked = false;
    for (int g = 0; g < bed->roster.config.groups; g++) {
        pp_roster_turn(&bed->roster, g);
        for (int prefill = 0; prefill < 2; prefill++) {
            if (!pp_roster_compose(&bed->roster, g, prefill, bed->parcel, bed->tokens))
                continue;
            struct pp_batch batch = pp_batch_in(bed->parcel, 1);
            tell(bed, &batch);
            come_back(bed, &batch);
            worked = true;
        }
    }
    return worked;
}

START_TEST(turns_of_two_groups)
{
    struct bed bed;
    bed_init(&bed, 2, 3, 4);
    ck_assert(join(&bed, 1, 5, 2));
    ck_assert(join(&bed, 2, 3, 3));
    ck_assert(join(&bed, 3, 2, 1));
    ck_assert(!pp_roster_room(&bed.roster) && !join(&bed, 4, 1, 1));
    while (turns(&bed))
        ;
    ck_assert_str_eq(bed.told, "P0: 1@0x4\n"
                               "P1: 2@0x3*\n"
                               "P0: 1@4x1* 3@0x2*\n"
                               "3 ends: length\n"
                               "D1: 2@3 <1\n"
                               "D0: 1@5 <2\n"
                               "1 ends: length\n"
                               "D1: 2@4 <3\n"
                               "2 ends: length\n");
    ck_assert_int_eq(bed.roster.count, 0);
    ck_assert_int_eq(bed.roster.blocks, 0);
    ck_assert_int_eq(bed.roster.freed_count, 2); /* the third went out with a batch */
    bed_release(&bed);
}
END_TEST

/* A prompt of the whole context has one token more; the cache's blocks are kept for
 * what a sequence may come to, and no more of them given than there are. */
START_TEST(room)
{
    struct bed bed;
    bed_init(&bed, 1, 3, 64);
    ck_assert(join(&bed, 1, CONTEXT, 50)); /* two blocks */
    ck_assert(join(&bed, 2, 1, 50));       /* two */
    ck_assert_int_eq(bed.roster.blocks, 4);
    ck_assert(join(&bed, 3, 16, 1)); /* its one token is never fed: one */
    ck_assert_int_eq(bed.roster.blocks, 5);
    while (turns(&bed))
        ;
    ck_assert_ptr_nonnull(strstr(bed.told, "1 ends: length\n3 ends: length\n"));
    ck_assert_ptr_nonnull(strstr(bed.told, "D0: 2@19"));
    ck_assert_ptr_null(strstr(bed.told, "D0: 2@20"));
    bed.roster.config.blocks = 2;
    ck_assert(join(&bed, 4, 16, 1));
    ck_assert(!join(&bed, 5, 17, 1));
    ck_assert(join(&bed, 6, 15, 2));
    bed_release(&bed);
}
END_TEST

/* The end token ends; a sequence that is told to end gets no batch more, and leaves
 * when what is under way has come back; what it drew is not told. */
START_TEST(ends)
{
    struct bed bed;
    const char *finish;
    bed_init(&bed, 1, 2, 64);
    ck_assert(join(&bed, 1, 3, 50));
    ck_assert(join(&bed, 2, 3, 50));
    pp_roster_turn(&bed.roster, 0);
    ck_assert(pp_roster_compose(&bed.roster, 0, true, bed.parcel, bed.tokens));
    struct pp_batch batch = pp_batch_in(bed.parcel, 1);
    pp_roster_end(&bed.roster, batch.parts[1].piece.slot);
    pp_roster_turn(&bed.roster, 0);
    ck_assert_int_eq(bed.roster.count, 2);
    ck_assert(pp_roster_draw(&bed.roster, &batch.parts[0], 7, &finish));
    ck_assert_str_eq(finish, "end");
    ck_assert(!pp_roster_draw(&bed.roster, &batch.parts[1], 8, &finish));
    pp_roster_return(&bed.roster, &batch);
    ck_assert(!turns(&bed));
    ck_assert_int_eq(bed.roster.count, 0);
    /* The next batch tells the ranks which slots are free again. */
    ck_assert(join(&bed, 3, 1, 1));
    pp_roster_turn(&bed.roster, 0);
    ck_assert(pp_roster_compose(&bed.roster, 0, true, bed.parcel, bed.tokens));
    ck_assert_int_eq(pp_batch_in(bed.parcel, 1).head->freed_count, 2);
    ck_assert_int_eq(bed.roster.freed_count, 0);
    /* Sequences that leave before they have a batch leave nothing behind. */
    for (int i = 0; i < 10; i++) {
        ck_assert(join(&bed, 10 + i, 1, 1));
        pp_roster_end(&bed.roster, bed.roster.order[bed.roster.count - 1]);
        pp_roster_turn(&bed.roster, 0);
    }
    ck_assert_int_eq(bed.roster.freed_count, 0);
    bed_release(&bed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("roster");
    TCase *tests = tcase_create("roster");
    tcase_add_test(tests, turns_of_two_groups);
    tcase_add_test(tests, room);
    tcase_add_test(tests, ends);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
