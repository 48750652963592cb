/* The keys of a report's JSON: each is a row that says where its value stands in the
 * report and how it is written. json.c writes, json_read.c reads and checks, and
 * json_schema.c describes by these rows alone. */
#ifndef PP_REPORT_EXPORT_JSON_KEYS_H
#define PP_REPORT_EXPORT_JSON_KEYS_H

#include "report/report.h"

enum pp_json_type {
    /* Values, with the field's type in C. */
    PP_JSON_INTEGER,   /* int, from least to most */
    PP_JSON_COUNT,     /* int64_t, from 0 */
    PP_JSON_TIME,      /* int64_t ns; in seconds, from 0 */
    PP_JSON_REAL,      /* double; NaN is null */
    PP_JSON_DURATION,  /* double; seconds, from 0 */
    PP_JSON_BANDWIDTH, /* double; above 0, infinity is null */
    PP_JSON_TEXT,      /* char[size] */
    PP_JSON_FLAG,      /* bool */
    PP_JSON_ANSWER,    /* int; 1 is true, 0 false, -1 null */
    PP_JSON_KIND,      /* enum pp_kind; its letter */
    PP_JSON_OBJECT,    /* the same structure; an object of the row's keys */
    PP_JSON_LIST,      /* pointer and count; a list of objects, or without keys of reals
                        * as PP_JSON_REAL */
    PP_JSON_TREE,      /* json_t *, NULL is null; a list of objects, whose keys are for
                        * the schema alone: it is read and written as it is */
    PP_JSON_NUMBERS,   /* int *[microbatches], from least to most */
    /* What is no field: written and read by a function of its own. */
    PP_JSON_SCHEMA,         /* the name of the schema */
    PP_JSON_CONFIG,         /* the options, and among them pp_json_shape */
    PP_JSON_RANKS,          /* a list of struct pp_json_rank */
    PP_JSON_STAGES,         /* the stages that a rank holds */
    PP_JSON_COPIES,         /* the weight copy of each */
    PP_JSON_SHARE,          /* int64_t ns; divided by ranks * makespan. Not read */
    PP_JSON_REPRESENTATIVE, /* int, an index into steps; the number of that step */
    PP_JSON_TIMELINE,       /* null where it is dropped */
    PP_JSON_COLUMNS,        /* the names of what an op's row holds */
    PP_JSON_OPS,            /* per rank a row of values per op */
};

struct pp_json_key {
    const char *name;
    enum pp_json_type type;
    size_t offset; /* of the field in its structure */
    const char *help;
    int least, most;                /* of PP_JSON_INTEGER */
    size_t size;                    /* bytes: of a text, or of a list's element; of a
                                     * tree's text 0: any */
    size_t count_offset;            /* of a list's count, an int */
    const struct pp_json_key *keys; /* of an object, or of a list's elements */
    bool derived;                   /* follows from other keys: written, not read */
    bool nullable; /* of PP_JSON_INTEGER and _TEXT: unknown, 0 or "" here, is null */
    bool optional; /* older files lack it, which reads as null, or of a list as empty;
                    * an object is not written where the int at its offset is 0 */
    bool decoding; /* only where the schedule decodes: optional, left out elsewhere */
};

/* A rank as its object has it. */
struct pp_json_rank {
    int rank;
    const int *places; /* [held], -1 behind the last; where it is written */
    struct pp_rank_metrics metrics;
    struct pp_report_rank known;
};

/* Each ends with a NULL name. */
extern const struct pp_json_key pp_json_report[];   /* of struct pp_report */
extern const struct pp_json_key pp_json_shape[];    /* of struct pp_schedule */
extern const struct pp_json_key pp_json_span[];     /* of struct pp_span, times */
extern const struct pp_json_key pp_json_decoding[]; /* of struct pp_report */

/* Is it left out of this report? */
bool pp_json_left_out(const struct pp_json_key *key, const struct pp_report *report);

extern const char pp_json_schema_name[]; /* "ppsim.report/1" */

/* The row of the field at the offset, which must be in the table or in the objects in
 * it that are of the same structure. */
const struct pp_json_key *pp_json_key_at(const struct pp_json_key *keys, size_t offset);

/* The row of the table that has the object of these keys. */
const struct pp_json_key *pp_json_object_of(const struct pp_json_key *keys,
                                            const struct pp_json_key *members);

#endif
