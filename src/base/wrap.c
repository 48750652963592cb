#include "base/wrap.h"

#include <string.h>

int pp_columns(const char *text, size_t bytes)
{
    int columns = 0;
    for (size_t i = 0; i < bytes; i++)
        columns += (text[i] & 0xc0) != 0x80;
    return columns;
}

/* How much of the text stays on one line: a word, or an item of a list. */
static size_t unbroken(const char *text, bool list)
{
    size_t length = strcspn(text, " ");
    while (list && text[length] && !strchr(",\xb7", text[length - 1]))
        length += 1 + strcspn(text + length + 1, " ");
    return length;
}

void pp_print_wrapped(FILE *stream, const char *text, int column, int indent, bool list)
{
    enum { WIDTH = 80 };
    bool empty = column <= indent;
    if (empty)
        column += fprintf(stream, "%*s", indent - column, "");
    while (*text) {
        size_t length = unbroken(text, list);
        int wide = pp_columns(text, length);
        if (!empty && column + 1 + wide > WIDTH)
            column = fprintf(stream, "\n%*s", indent, "") - 1;
        else if (!empty)
            column += fprintf(stream, " ");
        column += wide;
        fwrite(text, 1, length, stream);
        text += length + (text[length] == ' ');
        empty = false;
    }
    fputc('\n', stream);
}
