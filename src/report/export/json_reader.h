/* Reading JSON with a message for each mistake: values are asked for by key and type;
 * the first that is missing or wrong sets the error, naming file and key. From then on
 * every answer is empty, so that the caller need only look at the end. */
#ifndef PP_REPORT_EXPORT_JSON_READER_H
#define PP_REPORT_EXPORT_JSON_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct pp_reader {
    const char *path;
    struct pp_error *error;
    bool failed;
};

/* A value and where it stands, for messages such as "'ranks[2].stages' is missing".
 * value is NULL after a failure. The parent must outlive it. */
struct pp_node {
    json_t *value;
    const struct pp_node *parent; /* NULL: the file's outermost value */
    const char *key;              /* in the parent; NULL: the index counts */
    size_t index;
};

/* Loads a file. PP_BAD_INPUT where it cannot be read or is not JSON, with line and
 * column. The caller releases root->value. */
int pp_reader_load(struct pp_reader *reader, const char *path, struct pp_node *root,
                   struct pp_error *error);

/* Fails with "'PATH': 'PLACE' " and the text, unless something has failed before. */
__attribute__((format(printf, 3, 4))) void pp_reader_fail(struct pp_reader *reader,
                                                          const struct pp_node *node,
                                                          const char *format, ...);

/* Fails with PP_ENVIRONMENT, naming the value that there is no memory for. */
void pp_reader_out_of_memory(struct pp_reader *reader, const struct pp_node *node);

/* Members and elements. Missing keys and wrong types are failures. */
struct pp_node pp_read_object(struct pp_reader *reader, const struct pp_node *parent,
                              const char *key);
struct pp_node pp_read_array(struct pp_reader *reader, const struct pp_node *parent,
                             const char *key);
/* The element, which must have the type; index must be in the array. */
struct pp_node pp_read_element(struct pp_reader *reader, const struct pp_node *array,
                               size_t index, json_type type);

/* A number; null is NaN. */
double pp_read_real(struct pp_reader *reader, const struct pp_node *parent,
                    const char *key);
/* Seconds from 0 on, as ns. */
int64_t pp_read_ns(struct pp_reader *reader, const struct pp_node *parent,
                   const char *key);
int64_t pp_read_int(struct pp_reader *reader, const struct pp_node *parent,
                    const char *key, int64_t least, int64_t most);
bool pp_read_bool(struct pp_reader *reader, const struct pp_node *parent,
                  const char *key);
/* Copies a string of less than size bytes. */
void pp_read_text(struct pp_reader *reader, const struct pp_node *parent,
                  const char *key, char *text, size_t size);

/* The value itself, by the same rules; ns may be negative. */
double pp_node_real(struct pp_reader *reader, const struct pp_node *node);
int64_t pp_node_ns(struct pp_reader *reader, const struct pp_node *node);
int64_t pp_node_int(struct pp_reader *reader, const struct pp_node *node, int64_t least,
                    int64_t most);

#endif
