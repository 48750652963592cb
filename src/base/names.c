#include "base/names.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/words.h"

enum { LONGEST = 63, SHORTEST = 3 };

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Levenshtein distance of names no longer than LONGEST, in upper or lower case. */
static size_t distance(const char *a, const char *b)
{
    size_t length = strlen(b);
    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t best = diagonal + !same(a[i - 1], b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[length];
}

const char *pp_names_nearest(const char *const *names, const char *name)
{
    const char *nearest = NULL;
    size_t length = strlen(name);
    size_t least = length / 3 + 1; /* with a third of it wrong it is another word */
    if (length > LONGEST)
        return NULL;
    for (; *names; names++) {
        if (length >= SHORTEST && strncasecmp(*names, name, length) == 0)
            return *names;
        size_t edits = strlen(*names) > LONGEST ? least : distance(name, *names);
        if (edits < least) {
            least = edits;
            nearest = *names;
        }
    }
    return nearest;
}

bool pp_names_in(const char *const *names, const char *name)
{
    for (; *names; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

void pp_names_list(const char *const *names, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; names[i]; i++) {
        const char *separator = i == 0 ? "" : names[i + 1] ? ", " : " and ";
        pp_append(text, size, "%s%s", separator, names[i]);
    }
}
