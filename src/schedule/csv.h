/* Schedules as CSV files, in the format of torch.distributed.pipelining: one row per
 * rank, one action per cell, no header.
 *
 *     action = stage (F|B|I|W) microbatch                 compute
 *            | stage (SEND_F|RECV_F|SEND_B|RECV_B) microbatch
 *            | stage (UNSHARD|RESHARD|REDUCE_GRAD)
 *            | (compute;compute)OVERLAP_F_B               a joined pair
 *
 * The stage of a SEND or RECV is that of its own rank: 0SEND_F0 pairs with 1RECV_F0.
 * A stage in several rows is one with several copies of the weights, each with its own
 * microbatches: every row that holds it then has its REDUCE_GRAD, the sum of the
 * copies' gradients, behind its last weight op. Microbatches that run on the same ranks
 * belong to the same copy.
 *
 * Cells may be blank (idle), padded and quoted; lines end with LF or CRLF. The file
 * says which rank holds which stage: the one in whose row its ops stand. */
#ifndef PP_SCHEDULE_CSV_H
#define PP_SCHEDULE_CSV_H

#include <stdio.h>

#include "schedule/schedule.h"

/* Reads a schedule, which has passed pp_verify on return; its name is the file's base
 * name. Communication cells must be complete and consistent where there are any, and
 * are then dropped: ours follow from the dependencies.
 *
 * PP_BAD_INPUT with one line per problem, up to 20, each naming the path, rank, cell,
 * text and rule. Takes time and memory linear in the size of the file. */
int pp_csv_read(struct pp_schedule *schedule, const char *path, struct pp_error *error);

/* Writes compute actions alone, which pp_csv_read reads back as the same schedule; or
 * with communication, as torch lowers it (lower.h), for torch to load and run: there,
 * an I and the W of the same stage and microbatch right behind it become one B.
 * PP_BAD_INPUT where the schedule decodes, which the format cannot say; PP_ENVIRONMENT
 * when out of memory; whether the stream took it all is the caller's to
 * ask. */
int pp_csv_write(const struct pp_schedule *schedule, FILE *stream, bool communication,
                 struct pp_error *error);

#endif
