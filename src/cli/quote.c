#include "cli/quote.h"

#include <stdbool.h>
#include <string.h>

static bool is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

/* As $'caf\xc3\xa9', which bash, zsh and ksh read. */
static void quote_bytes(const char *word, FILE *stream)
{
    fputs("$'", stream);
    for (; *word; word++) {
        bool plain = is_printable(*word) && *word != '\'' && *word != '\\';
        fprintf(stream, plain ? "%c" : "\\x%02x", (unsigned char)*word);
    }
    fputc('\'', stream);
}

/* As 'it'\''s': between single quotes only another kind of quoting can quote one. */
static void quote_text(const char *word, FILE *stream)
{
    fputc('\'', stream);
    for (; *word; word++) {
        if (*word == '\'')
            fputs("'\\''", stream);
        else
            fputc(*word, stream);
    }
    fputc('\'', stream);
}

static void quote_word(const char *word, FILE *stream)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_=./,:%+@";
    const char *at = word;
    while (is_printable(*at))
        at++;
    if (*at != '\0')
        quote_bytes(word, stream);
    else if (*word == '\0' || word[strspn(word, plain)] != '\0')
        quote_text(word, stream);
    else
        fputs(word, stream);
}

void pp_quote_words(char *const *words, FILE *stream)
{
    for (int i = 0; words[i]; i++) {
        if (i > 0)
            fputc(' ', stream);
        quote_word(words[i], stream);
    }
}
