/* The columns of a sweep's table: in what do the values of an option differ? */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "cli/quantity.h"
#include "cli/sweep_points.h"

enum { MOST_NUMBERS = 32 };

/* The numbers in a text, and where they stand. */
struct numbers {
    const char *at[MOST_NUMBERS];
    struct pp_quantity items[MOST_NUMBERS];
    int count;
};

static void find_numbers(const char *text, struct numbers *numbers)
{
    struct pp_quantity quantity;
    const char *at = text;
    numbers->count = 0;
    while (numbers->count < MOST_NUMBERS &&
           (at = pp_quantity_next(&quantity, text, at))) {
        numbers->at[numbers->count] = at;
        numbers->items[numbers->count++] = quantity;
        at += quantity.length;
    }
}

/* Are the texts the same but for their numbers? */
static bool same_but_numbers(const char *a, const struct numbers *in_a, const char *b,
                             const struct numbers *in_b)
{
    if (in_a->count != in_b->count || in_a->count == MOST_NUMBERS)
        return false;
    for (int n = 0; n < in_a->count; n++) {
        size_t length = (size_t)(in_a->at[n] - a);
        if ((size_t)(in_b->at[n] - b) != length || strncmp(a, b, length) != 0)
            return false;
        a = in_a->at[n] + in_a->items[n].length;
        b = in_b->at[n] + in_b->items[n].length;
    }
    return strcmp(a, b) == 0;
}

/* In which numbers do the values differ? A bit each; 0 if in something else too. */
static unsigned differing(const struct pp_list *list)
{
    struct numbers first, other;
    unsigned differ = 0;
    find_numbers(list->values[0], &first);
    for (int i = 1; i < list->count; i++) {
        find_numbers(list->values[i], &other);
        if (!same_but_numbers(list->values[0], &first, list->values[i], &other))
            return 0;
        for (int n = 0; n < first.count; n++) {
            if (first.items[n].length != other.items[n].length ||
                strncmp(first.at[n], other.at[n], first.items[n].length) != 0)
                differ |= 1U << n;
        }
    }
    return differ;
}

/* The key right before a number, "latency" in "latency=5us"; its length, 0 for none. */
static int key_before(const char *text, const char *at, const char **key)
{
    const char *end = at > text && at[-1] == '=' ? at - 1 : at;
    *key = end;
    while (end<at && * key> text && (*key)[-1] != ',')
        --*key;
    return (int)(end - *key);
}

static struct pp_sweep_column *new_column(struct pp_sweep *sweep, int values,
                                          struct pp_error *error)
{
    if (sweep->column_count == PP_MOST_COLUMNS) {
        pp_fail(error, PP_BAD_INPUT, "a sweep varies in %d ways at most, beside shapes",
                PP_MOST_COLUMNS);
        return NULL;
    }
    struct pp_sweep_column *column = &sweep->columns[sweep->column_count++];
    *column = (struct pp_sweep_column){
        .texts = calloc((size_t)values, sizeof *column->texts),
        .numbers = calloc((size_t)values, sizeof *column->numbers),
    };
    if (column->texts && column->numbers)
        return column;
    pp_fail(error, PP_ENVIRONMENT, "out of memory for a sweep");
    return NULL;
}

/* Finds or adds the text; its index, -1 when out of memory. */
static int add_text(struct pp_sweep_column *column, const char *text, size_t length)
{
    for (int i = 0; i < column->count; i++) {
        if (strlen(column->texts[i]) == length &&
            strncmp(column->texts[i], text, length) == 0)
            return i;
    }
    column->texts[column->count] = strndup(text, length);
    return column->texts[column->count] ? column->count++ : -1;
}

/* A column of the values, of one of their numbers or (n -1) whole. Where they have
 * numbers to be drawn at, those are number `drawn`; -1: they have none. */
static int add_column(struct pp_sweep *sweep, struct pp_dimension *dimension, int n,
                      int drawn, struct pp_error *error)
{
    const struct pp_list *list = dimension->list;
    struct pp_sweep_column *column = new_column(sweep, list->count, error);
    char own[PP_OPTION_KEY];
    const char *key;
    struct numbers first, numbers;
    bool plain = drawn >= 0;
    if (!column)
        return -1;
    find_numbers(list->values[0], &first);
    pp_assign(column->name, sizeof column->name, "%s",
              pp_option_key(dimension->option, own));
    if (n >= 0) {
        int length = key_before(list->values[0], first.at[n], &key);
        pp_append(column->name, sizeof column->name, "_%.*s", length, key);
    }
    pp_assign(column->label, sizeof column->label, "%s", column->name);
    for (char *c = column->label; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    if (plain)
        pp_assign(column->unit, sizeof column->unit, "%.*s",
                  first.items[drawn].unit_length, first.items[drawn].unit);
    for (int i = 0; i < list->count; i++) {
        find_numbers(list->values[i], &numbers);
        const char *text = n < 0 ? list->values[i] : numbers.at[n];
        size_t length = n < 0 ? strlen(text) : numbers.items[n].length;
        int index = add_text(column, text, length);
        if (index < 0)
            return pp_fail(error, PP_ENVIRONMENT, "out of memory for a sweep");
        if (plain)
            plain = pp_quantity_in(&numbers.items[drawn], &first.items[drawn],
                                   &column->numbers[index]);
        dimension->cells[i * PP_MOST_COLUMNS + dimension->column_count] = index;
    }
    dimension->column_count++;
    if (!plain) {
        free(column->numbers);
        column->numbers = NULL;
    }
    return 0;
}

/* The text with stars for some of its numbers, a bit each; all of it where there are
 * none. */
static char *make_pattern(const char *text, const struct numbers *numbers,
                          unsigned differ)
{
    char *pattern = NULL;
    size_t size;
    FILE *stream = open_memstream(&pattern, &size);
    if (!stream)
        return NULL;
    for (int n = 0; n < numbers->count; n++) {
        if (!(differ & 1U << n))
            continue;
        fprintf(stream, "%.*s*", (int)(numbers->at[n] - text), text);
        text = numbers->at[n] + numbers->items[n].length;
    }
    fputs(differ ? text : "*", stream);
    if (fclose(stream) == 0)
        return pattern;
    free(pattern);
    return NULL;
}

int pp_columns_add(struct pp_sweep *sweep, struct pp_dimension *dimension,
                   struct pp_error *error)
{
    const struct pp_list *list = dimension->list;
    unsigned differ = differing(list);
    struct numbers first;
    const char *key;
    int drawn = -1, several = 0;
    bool keyed = differ != 0;
    dimension->first_column = sweep->column_count;
    dimension->cells =
        calloc((size_t)list->count * PP_MOST_COLUMNS, sizeof *dimension->cells);
    if (!dimension->cells)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a sweep");
    find_numbers(list->values[0], &first);
    for (int n = 0; n < first.count; n++) {
        if (!(differ & 1U << n))
            continue;
        keyed &= key_before(list->values[0], first.at[n], &key) > 0;
        drawn = n;
        several++;
    }
    dimension->pattern = make_pattern(list->values[0], &first, keyed ? differ : 0);
    if (!dimension->pattern)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a sweep");
    if (!keyed)
        return add_column(sweep, dimension, -1, several == 1 ? drawn : -1, error);
    for (int n = 0; n < first.count; n++) {
        if ((differ & 1U << n) && add_column(sweep, dimension, n, n, error) != 0)
            return -1;
    }
    return 0;
}
