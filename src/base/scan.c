#include "base/scan.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/words.h"

/* Of a text or word, a message shows no more bytes than this. */
enum { SHOWN = 80 };

static const char blanks[] = " \t";
static const char separators[] = " \t,:;=<>[]"; /* a number or a unit ends before */

/* Counts characters: UTF-8's continuation bytes are none. */
static int column(const struct pp_scanner *scanner, const char *at)
{
    int count = 1;
    for (const char *c = scanner->text; c < at; c++)
        count += ((unsigned char)*c & 0xc0) != 0x80;
    return count;
}

/* The length bytes at text, cut where they are many. */
static const char *shown(const char *text, size_t length, char buffer[SHOWN + 4])
{
    bool whole = length <= SHOWN;
    size_t kept = whole ? length : pp_whole_characters(text, SHOWN);
    pp_assign(buffer, SHOWN + 4, "%.*s%s", (int)kept, text, whole ? "" : "...");
    pp_make_printable(buffer);
    return buffer;
}

int pp_scan_fail(const struct pp_scanner *scanner, const char *at, const char *format,
                 ...)
{
    char problem[1024], text[SHOWN + 4];
    va_list arguments;
    va_start(arguments, format);
    pp_assign_list(problem, sizeof problem, format, arguments);
    va_end(arguments);
    pp_make_printable(problem);
    return pp_fail(scanner->error, PP_BAD_INPUT, "'--%s' '%s', column %d%s%s%s: %s",
                   scanner->option, shown(scanner->text, strlen(scanner->text), text),
                   column(scanner, at), scanner->key ? ", key '" : "",
                   scanner->key ? scanner->key : "", scanner->key ? "'" : "", problem);
}

/* Fails with what is said of the word at, which may be missing. */
static int fail_word(const struct pp_scanner *scanner, const char *at,
                     const char *problem)
{
    char word[SHOWN + 4];
    size_t length = strcspn(at, separators);
    if (length == 0)
        return pp_scan_fail(scanner, at, "a number is missing");
    return pp_scan_fail(scanner, at, "'%s' %s", shown(at, length, word), problem);
}

bool pp_scan_at_end(const struct pp_scanner *scanner)
{
    return *scanner->at == '\0';
}

int pp_scan_end(const struct pp_scanner *scanner)
{
    char word[SHOWN + 4];
    if (pp_scan_at_end(scanner))
        return 0;
    return pp_scan_fail(scanner, scanner->at, "want the end, not '%s'",
                        shown(scanner->at, strlen(scanner->at), word));
}

void pp_scan_blanks(struct pp_scanner *scanner)
{
    scanner->at += strspn(scanner->at, blanks);
}

bool pp_scan_sign(struct pp_scanner *scanner, const char *sign)
{
    size_t length = strlen(sign);
    if (strncmp(scanner->at, sign, length) != 0)
        return false;
    scanner->at += length;
    return true;
}

size_t pp_scan_until(struct pp_scanner *scanner, const char *stops)
{
    size_t length = strcspn(scanner->at, stops);
    scanner->at += length;
    return length;
}

int pp_scan_whole(struct pp_scanner *scanner, const char *what, long least, long most,
                  long *value)
{
    char *end;
    errno = 0;
    *value = strtol(scanner->at, &end, 10);
    if (!isdigit((unsigned char)*scanner->at) || errno != 0 || *value < least ||
        *value > most)
        return pp_scan_fail(scanner, scanner->at, "want a %s from %ld to %ld", what,
                            least, most);
    scanner->at = end;
    return 0;
}

int pp_scan_number(struct pp_scanner *scanner, double *value)
{
    const char *at = scanner->at, *digits = at + (*at == '-');
    /* What strtod takes beside numbers as people write them: nan, inf, hexadecimal. */
    if (!isdigit((unsigned char)digits[0]) &&
        !(digits[0] == '.' && isdigit((unsigned char)digits[1])))
        return fail_word(scanner, at, "is not a number");
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
        return fail_word(scanner, at, "is not a decimal number");
    if (*at == '-')
        return fail_word(scanner, at, "is negative");
    char *end;
    *value = strtod(at, &end);
    if (!isfinite(*value))
        return fail_word(scanner, at, "is too large");
    scanner->at = end;
    return 0;
}

static int fail_unit(const struct pp_scanner *scanner, size_t length,
                     const struct pp_units *units)
{
    char word[SHOWN + 4], valid[256];
    shown(scanner->at, length, word);
    if (!units->list->name)
        return pp_scan_fail(scanner, scanner->at,
                            "want the end of the number, which has no unit, not '%s'",
                            word);
    pp_units_list(units, valid, sizeof valid);
    return pp_scan_fail(scanner, scanner->at, "no unit named '%s': use %s", word,
                        valid);
}

int pp_scan_unit(struct pp_scanner *scanner, const struct pp_units *units,
                 double *value, bool *given)
{
    pp_scan_blanks(scanner);
    size_t length = strcspn(scanner->at, separators);
    const struct pp_unit *unit = pp_unit_find(units, scanner->at, length);
    if (!unit)
        return fail_unit(scanner, length, units);
    *value = *value * unit->times / unit->over;
    if (!isfinite(*value))
        return pp_scan_fail(scanner, scanner->at, "the number is too large");
    if (given)
        *given = length > 0;
    scanner->at += length;
    pp_scan_blanks(scanner);
    return 0;
}

int pp_scan_quantity(struct pp_scanner *scanner, const struct pp_units *units,
                     double *value)
{
    if (pp_scan_number(scanner, value) != 0)
        return -1;
    return pp_scan_unit(scanner, units, value, NULL);
}

int pp_scan_positive(struct pp_scanner *scanner, const struct pp_units *units,
                     double *value)
{
    const char *at = scanner->at;
    if (pp_scan_quantity(scanner, units, value) != 0)
        return -1;
    return *value > 0 ? 0 : fail_word(scanner, at, "must be greater than 0");
}

int pp_scan_key(struct pp_scanner *scanner, const char *const *keys, int *key,
                bool *valued)
{
    char list[256], word[SHOWN + 4];
    bool first = scanner->at == scanner->text;
    if (!first && pp_scan_at_end(scanner))
        return 0;
    if (!first && !pp_scan_sign(scanner, ","))
        return pp_scan_fail(scanner, scanner->at, "want ',' or the end");
    scanner->key = NULL;
    const char *at = scanner->at;
    size_t length = pp_scan_until(scanner, ",=");
    for (*key = 0; keys[*key]; ++*key) {
        if (strlen(keys[*key]) == length && strncmp(keys[*key], at, length) == 0)
            break;
    }
    if (!keys[*key]) {
        pp_names_list(keys, list, sizeof list);
        return pp_scan_fail(scanner, at, "no key named '%s': the keys are %s",
                            shown(at, length, word), list);
    }
    if (scanner->given & 1u << *key)
        return pp_scan_fail(scanner, at, "key '%s' is given twice", keys[*key]);
    scanner->given |= 1u << *key;
    scanner->key = keys[*key];
    bool has_value = pp_scan_sign(scanner, "=");
    if (valued)
        *valued = has_value;
    return 1;
}
