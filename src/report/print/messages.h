/* Every message of a step, in the order in which they leave. */
#ifndef PP_REPORT_PRINT_MESSAGES_H
#define PP_REPORT_PRINT_MESSAGES_H

#include "report/report.h"

/* A line per message of the representative step: when it left and arrived, in ms since
 * the step's first op began; between which ranks; whose activations or gradients it
 * holds, and its bytes; above them the shape. What two stages of one rank hand
 * over is no message. PP_BAD_INPUT where the report holds no timeline, PP_ENVIRONMENT
 * when out of memory; nothing is printed then. */
int pp_report_print_messages(const struct pp_report *report, FILE *stream,
                             struct pp_error *error);

#endif
