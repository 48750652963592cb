#include "text/alphabet.h"

enum { MOVED = 0x100, BYTES = 256 };

static bool is_itself(int byte)
{
    return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) ||
           (byte >= 0xae && byte <= 0xff);
}

unsigned char pp_alphabet_byte(int n)
{
    for (int round = 0; round < 2; round++) {
        for (int byte = 0; byte < BYTES; byte++) {
            if (is_itself(byte) == (round == 0) && n-- == 0)
                return (unsigned char)byte;
        }
    }
    return 0;
}

/* The byte that a character stands for; -1: none. */
static int byte_of(int character)
{
    int moved = 0;
    if (character < BYTES)
        return is_itself(character) ? character : -1;
    for (int byte = 0; byte < BYTES; byte++) {
        if (!is_itself(byte) && character == MOVED + moved++)
            return byte;
    }
    return -1;
}

static int character_of(int byte)
{
    int moved = 0;
    for (int other = 0; other < byte; other++)
        moved += !is_itself(other);
    return is_itself(byte) ? byte : MOVED + moved;
}

/* All symbols have one byte or two in UTF-8. */
bool pp_alphabet_read(const char *name, size_t length, char *bytes, size_t *count)
{
    *count = 0;
    for (size_t at = 0; at < length; at++) {
        int character = (unsigned char)name[at];
        if (character >= 0x80) {
            if (character < 0xc2 || character > 0xdf || at + 1 == length ||
                ((unsigned char)name[at + 1] & 0xc0) != 0x80)
                return false;
            character = (character & 0x1f) << 6 | ((unsigned char)name[++at] & 0x3f);
        }
        int byte = byte_of(character);
        if (byte < 0)
            return false;
        bytes[(*count)++] = (char)byte;
    }
    return true;
}

void pp_alphabet_write(const char *bytes, size_t count, char *name)
{
    for (size_t i = 0; i < count; i++) {
        int character = character_of((unsigned char)bytes[i]);
        if (character >= 0x80)
            *name++ = (char)(0xc0 | character >> 6);
        *name++ = (char)(character < 0x80 ? character : 0x80 | (character & 0x3f));
    }
    *name = '\0';
}
