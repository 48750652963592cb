/* What a client is told, in the shape in which it asked (ask.h): as OpenAI's API has
 * it, or as POST /chat does. All text is valid UTF-8, all JSON valid. */
#ifndef PP_SERVE_ANSWER_H
#define PP_SERVE_ANSWER_H

#include "serve/job.h"

/* Of a stream, as events on the job's outlet: text that a sequence has got (none where
 * length is 0); and, its finish being set, that it has ended, with the figures of all
 * behind the last. */
void pp_answer_text(struct pp_job *job, struct pp_sequence *sequence, const char *text,
                    size_t length);
void pp_answer_finish(struct pp_job *job, struct pp_sequence *sequence);
/* The job has failed: no more comes. */
void pp_answer_failure(struct pp_job *job);

/* The whole answer of a job that has ended and is no stream; to be freed. NULL when out
 * of memory. */
char *pp_answer_whole(const struct pp_job *job);

/* The body of a refusal, to be freed; NULL when out of memory. param, code: NULL where
 * there is nothing to say. */
char *pp_answer_error(const char *message, const char *type, const char *param,
                      const char *code);

#endif
