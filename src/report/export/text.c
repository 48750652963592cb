#include "report/export/text.h"

#include "report/numbers.h"

void pp_text_flush(struct pp_text *text)
{
    fwrite(text->buffer, 1, text->used, text->stream);
    text->used = 0;
}

void pp_text_decimal(struct pp_text *text, int64_t value, int places)
{
    char digits[PP_DECIMAL_TEXT];
    const char *at = pp_decimal_text(value, places, digits);
    pp_text_bytes(text, at, (size_t)(digits + sizeof digits - 1 - at));
}
