#include "cli/quantity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

static bool is_digit(char c)
{
    return isdigit((unsigned char)c);
}

static bool is_letter(char c)
{
    return isalpha((unsigned char)c);
}

static size_t digits(const char *text)
{
    return strspn(text, "0123456789");
}

/* How long the decimal number at the text is. The points of "1..2" are of no number. */
static size_t number_length(const char *text)
{
    size_t length = digits(text);
    if (text[length] == '.' && is_digit(text[length + 1]))
        length += 1 + digits(text + length + 1);
    if (length == 0 || (text[length] != 'e' && text[length] != 'E'))
        return length;
    size_t sign = length + 1;
    sign += text[sign] == '-' || text[sign] == '+';
    return is_digit(text[sign]) ? sign + digits(text + sign) : length;
}

bool pp_quantity_read(struct pp_quantity *quantity, const char *text)
{
    size_t length = number_length(text);
    if (length == 0)
        return false;
    quantity->number = strtod(text, NULL);
    quantity->unit = text + length;
    while (is_letter(text[length]) || (text[length] && strchr("/%", text[length])))
        length++;
    quantity->length = length;
    quantity->unit_length = (int)(text + length - quantity->unit);
    return true;
}

const char *pp_quantity_next(struct pp_quantity *quantity, const char *text,
                             const char *at)
{
    for (; *at; at++) {
        bool within = at > text && (is_letter(at[-1]) || is_digit(at[-1]));
        if (!within && pp_quantity_read(quantity, at))
            return at;
    }
    return NULL;
}

bool pp_quantity_in(const struct pp_quantity *quantity, const struct pp_quantity *other,
                    double *number)
{
    static const struct pp_units *const kinds[] = {&pp_milliseconds, &pp_bandwidths,
                                                   &pp_flop_rates, &pp_bytes};
    *number = quantity->number;
    if (quantity->unit_length == other->unit_length &&
        strncmp(quantity->unit, other->unit, (size_t)other->unit_length) == 0)
        return true;
    if (quantity->unit_length == 0 || other->unit_length == 0)
        return false; /* a bare number is of a unit that only its option knows */
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct pp_unit *from =
            pp_unit_find(kinds[i], quantity->unit, (size_t)quantity->unit_length);
        const struct pp_unit *to =
            pp_unit_find(kinds[i], other->unit, (size_t)other->unit_length);
        if (from && to) {
            *number =
                quantity->number * from->times * to->over / from->over / to->times;
            return true;
        }
    }
    return false;
}

double pp_quantity_ns(const struct pp_quantity *quantity)
{
    const struct pp_unit *unit = quantity->unit_length == 0
                                     ? NULL
                                     : pp_unit_find(&pp_milliseconds, quantity->unit,
                                                    (size_t)quantity->unit_length);
    return unit ? unit->times / unit->over : 0;
}
