#include "text/utf8.h"

/* Characters of several bytes by their first: how many there are, and what the second
 * may be; all others may be 80 to BF. */
static const struct lead {
    unsigned char first, last; /* the range of first bytes */
    unsigned char bytes, least, most;
} leads[] = {
    {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f},
    {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static const struct lead *find_lead(unsigned char byte)
{
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++) {
        if (byte >= leads[i].first && byte <= leads[i].last)
            return &leads[i];
    }
    return NULL;
}

enum pp_utf8 pp_utf8_next(const char *text, size_t length, size_t *bytes)
{
    const unsigned char *at = (const unsigned char *)text;
    *bytes = 1;
    if (at[0] < 0x80)
        return PP_UTF8_WHOLE;
    const struct lead *lead = find_lead(at[0]);
    if (!lead)
        return PP_UTF8_INVALID;
    for (; *bytes < lead->bytes; ++*bytes) {
        if (*bytes == length)
            return PP_UTF8_CUT;
        unsigned char byte = at[*bytes], least = *bytes == 1 ? lead->least : 0x80,
                      most = *bytes == 1 ? lead->most : 0xbf;
        if (byte < least || byte > most)
            return PP_UTF8_INVALID;
    }
    return PP_UTF8_WHOLE;
}
