/* What the files of ppsim optimize share: what is asked for, the shapes that are tried,
 * and the lines of the result. */
#ifndef PP_CLI_OPTIMIZE_H
#define PP_CLI_OPTIMIZE_H

#include "cli/options.h"
#include "cli/plan.h"
#include "search/search.h"
#include "simulate/costs.h"
#include "timeline/metrics.h"

/* The memory: what a microbatch holds on a whole rank, and how much a rank may hold. */
struct pp_memory_asked {
    struct pp_hold rank; /* bytes, or plain numbers */
    double limit;        /* likewise */
    bool bytes;
    bool of_model; /* the bytes that a run of the model holds; rank says nothing */
};

/* Reads --memory and --memory-limit; the limit is INFINITY where it is not given. */
int pp_memory_asked_init(struct pp_memory_asked *memory,
                         const struct pp_options *options, struct pp_error *error);

/* An amount for people, in the unit that was asked in: "8", "1.5 GB". */
enum { PP_AMOUNT_TEXT = 32 };
const char *pp_amount_text(const struct pp_memory_asked *memory, double amount,
                           char text[PP_AMOUNT_TEXT]);

/* A shape that is tried: stages per rank, placement, and split of the layers. */
struct pp_tried {
    struct pp_plan plan; /* its schedule has no ops */
    struct pp_costs costs;
    struct pp_hold *hold; /* [stages]; owned */
    struct pp_searched searched;
};

/* What to try: a shape, and its layer split as --layer-split takes it, NULL for what
 * the options say. */
struct pp_try {
    int chunks;
    enum pp_placement placement;
    const char *split;
};

/* Sets up the shape's costs and what it holds. PP_BAD_INPUT where the options' costs,
 * or the layers, do not fit it. May be released after a failure. */
int pp_tried_init(struct pp_tried *tried, const struct pp_try *what,
                  const struct pp_options *asked, const struct pp_memory_asked *memory,
                  struct pp_error *error);
/* Sets up its search, without any order to start from. */
int pp_tried_search(struct pp_tried *tried, const struct pp_memory_asked *memory,
                    enum pp_objective objective, struct pp_error *error);
void pp_tried_release(struct pp_tried *tried);

/* The layer split of its plan as --layer-split takes it; empty where it has none. */
void pp_tried_split(const struct pp_tried *tried, char *text, size_t size);

/* A line of the result: a schedule, simulated. */
struct pp_entry {
    char name[64];
    int chunks, copies; /* copies: of the weights */
    enum pp_placement placement;
    int tried; /* the shape, an index */
    struct pp_bubble bubble;
    int64_t makespan, span; /* ns; span: the longest of a rank */
    int64_t busy, most_busy;
    double memory;     /* the most that a rank holds */
    int64_t objective; /* makespan or span */
};

struct pp_entries {
    struct pp_entry *items; /* [count] the best first; owned */
    int count;
    double least; /* memory, of those that do not fit; INFINITY where all do */
};

/* Simulates the schedule. */
int pp_entry_measure(struct pp_entry *entry, const struct pp_schedule *schedule,
                     const struct pp_tried *tried, enum pp_objective objective,
                     struct pp_error *error);

/* Every row of the catalogue with one copy of the weights on each shape that it takes:
 * those that fit into the limit are starts of the search, and the best of each row
 * becomes an entry. */
int pp_entries_of_rows(struct pp_entries *entries, struct pp_tried *const *tried,
                       int count, const struct pp_memory_asked *memory,
                       enum pp_objective objective, struct pp_error *error);
void pp_entries_release(struct pp_entries *entries);

/* Prints the entries as a table. */
int pp_entries_print(const struct pp_entries *entries,
                     const struct pp_memory_asked *memory, FILE *stream, int width,
                     struct pp_error *error);

/* What stands above it: "optimize: 4 ranks, ..". */
void pp_memory_headline(const char *command, const struct pp_memory_asked *memory,
                        const struct pp_options *options, FILE *stream);

/* The keys of an entry in JSON, but for its layer split: a new object. */
json_t *pp_entry_json(const struct pp_entry *entry);
/* What was asked of memory: likewise. */
json_t *pp_memory_json(const struct pp_memory_asked *memory);

/* Writes the JSON, which it takes over, to the path. */
int pp_result_write(json_t *root, const char *path, struct pp_error *error);

/* All that optimize found. */
struct pp_optimized {
    struct pp_memory_asked memory;
    enum pp_objective objective;
    struct pp_tried **tried; /* [count]; owned */
    int count;
    struct pp_entries rows;
    struct pp_entry found;
    struct pp_schedule schedule; /* found; owned */
    int64_t bound;               /* the least of all that were tried */
    int64_t iterations;
    double seconds;
};

/* Draws the rows, and what optimize found and its bound unless NULL: memory against
 * bubble. */
int pp_entries_plot(const struct pp_entries *rows, const struct pp_memory_asked *memory,
                    enum pp_objective objective, const struct pp_optimized *optimized,
                    const struct pp_options *options, struct pp_error *error);

/* Do joined pairs have a cost of their own? The bound is of orders without them. */
bool pp_pairs_overlap(const struct pp_optimized *optimized);

/* The bubble if found took that long. */
double pp_bubble_at(const struct pp_optimized *optimized, int64_t objective);
/* The smallest objective's bubble if found were that fast: the fraction that it is
 * counted by, span_fraction or fraction. */
double pp_bound_bubble(const struct pp_optimized *optimized);
/* By how much found is above the bound, as a share of it. */
double pp_bound_gap(const struct pp_optimized *optimized);

int pp_optimized_print(const struct pp_optimized *optimized,
                       const struct pp_options *options, FILE *stream, int width,
                       struct pp_error *error);
int pp_optimized_write_json(const struct pp_optimized *optimized,
                            const struct pp_options *options, struct pp_error *error);

#endif
