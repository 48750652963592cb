/* What one layer costs, from what stages cost: for predicting another split of the same
 * model. */
#ifndef PP_PREDICT_LAYERS_H
#define PP_PREDICT_LAYERS_H

#include "model/partition.h"
#include "report/report.h"
#include "simulate/costs.h"

/* Measured with some split over stages. A layer costs on each stage what it costs there
 * now, since ranks differ; on other stages than these, the median. What the last stage
 * takes beyond its layers is the head's, where a layer there costs what it does on the
 * rank's other stages; a rank without others is taken for one like the rest, times its
 * factor of --slow. What the first takes beyond is the embedding's, where its rank has
 * other stages to tell it by; else it counts as the layers'. */
struct pp_layer_costs {
    bool known; /* false: the report does not say its split, or is of several classes of
                 * microbatches: one number is not what an op of a stage takes then */
    int stages;
    int *layers_of;            /* [stages] as measured; owned */
    double (*layer)[PP_KINDS]; /* [stages] ns of one layer; owned */
    double (*extra)[PP_KINDS]; /* [stages] ns of embedding and head; owned */
    double median[PP_KINDS];   /* ns of one layer on a rank like most */
    double first[PP_KINDS], last[PP_KINDS]; /* ns of embedding and head there */
    struct pp_costs measured;               /* as measured; owned */
};

/* From the report's costs, and the layer_split and slow of its config. PP_BAD_INPUT
 * where costs are missing. May be released after a failure. */
int pp_layer_costs_init(struct pp_layer_costs *costs, const struct pp_report *report,
                        double message_bytes, struct pp_error *error);
void pp_layer_costs_release(struct pp_layer_costs *costs);

/* Sets what ops and hops take with these layers on each of costs->stages stages, which
 * pp_costs_init has set up: with the measured split, what was measured. */
void pp_layer_costs_spread(const struct pp_layer_costs *layer, const int *layers_of,
                           struct pp_costs *costs);

/* Each stage's work, F and B, times slow [ranks] (NULL: 1), for pp_partition. */
void pp_layer_costs_work(const struct pp_layer_costs *layer, int stages,
                         const int *rank_of, const double *slow,
                         struct pp_stage_work *work);

#endif
