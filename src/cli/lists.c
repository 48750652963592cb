#include "cli/lists.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    const char *option, *text, *at;
    int least, most;
    struct pp_error *error;
};

static int bad(const struct reader *reader, const char *valid)
{
    return pp_fail(reader->error, PP_BAD_INPUT, "'--%s' '%s', column %d: %s",
                   reader->option, reader->text, (int)(reader->at - reader->text) + 1,
                   valid);
}

static int number(struct reader *reader, long least, long most, long *value)
{
    char *end, valid[96];
    errno = 0;
    *value = strtol(reader->at, &end, 10);
    if (!isdigit((unsigned char)*reader->at) || errno != 0 || *value < least ||
        *value > most) {
        snprintf(valid, sizeof valid, "want a whole number from %ld to %ld", least,
                 most);
        return bad(reader, valid);
    }
    reader->at = end;
    return 0;
}

static bool listed(const struct pp_list *list, int value)
{
    for (int i = 0; i < list->count; i++) {
        if (list->items[i] == value)
            return true;
    }
    return false;
}

/* FROM, FROM:TO, FROM:TO:xFACTOR or FROM:TO:+STEP. */
static int item(struct reader *reader, struct pp_list *list)
{
    long from, to, by = 1;
    char how = '+';
    if (number(reader, reader->least, reader->most, &from) != 0)
        return -1;
    to = from;
    if (*reader->at == ':') {
        reader->at++;
        if (number(reader, from, reader->most, &to) != 0)
            return -1;
        if (*reader->at == ':') {
            how = *++reader->at;
            if (how != 'x' && how != '+')
                return bad(reader, "want xFACTOR or +STEP");
            reader->at++;
            if (number(reader, how == 'x' ? 2 : 1, INT_MAX, &by) != 0)
                return -1;
        }
    }
    for (long value = from; value <= to; value = how == 'x' ? value * by : value + by) {
        if (listed(list, (int)value))
            continue;
        if (list->count == PP_MOST_LISTED)
            return bad(reader, "too many numbers");
        list->items[list->count++] = (int)value;
    }
    return 0;
}

int pp_list_parse(struct pp_list *list, const char *option, const char *text, int least,
                  int most, struct pp_error *error)
{
    struct reader reader = {option, text, text, least, most, error};
    list->count = 0;
    for (;;) {
        if (item(&reader, list) != 0)
            return -1;
        if (*reader.at == '\0')
            return 0;
        if (*reader.at != ',')
            return bad(&reader, "want ',', ':' or the end");
        reader.at++;
    }
}
