#include "text/pieces.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "text/utf8.h"

/* The 25 characters with the property White_Space: PCRE2's \s is another set. */
#define SPACES                                                                         \
    "\\t-\\r \\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}"    \
    "\\x{205F}\\x{3000}"

/* Repeats that are not followed by anything give nothing back (++): they need neither
 * memory nor limits, however long the text is. */
static const char pattern[] = "'(?:s|t|re|ve|m|ll|d)"
                              "| ?\\p{L}++"
                              "| ?\\p{N}++"
                              "| ?[^" SPACES "\\p{L}\\p{N}]++"
                              "|[" SPACES "]+(?![^" SPACES "])"
                              "|[" SPACES "]++";

/* In place of an invalid byte: of the same length, valid, of the same class, and in no
 * other place of the pattern. */
enum { MARK = '\x01' };

static int fail(int code, const char *what, struct pp_error *error)
{
    PCRE2_UCHAR message[128];
    pcre2_get_error_message(code, message, sizeof message);
    return pp_fail(error, PP_ENVIRONMENT, "cannot %s with PCRE2: %s", what,
                   (const char *)message);
}

int pp_pieces_init(struct pp_pieces *pieces, bool jit, struct pp_error *error)
{
    int code;
    size_t at;
    pieces->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                 PCRE2_UTF | PCRE2_ANCHORED, &code, &at, NULL);
    if (!pieces->code)
        return fail(code, "make a tokenizer", error);
    if (jit)
        pcre2_jit_compile(pieces->code, PCRE2_JIT_COMPLETE);
    return 0;
}

void pp_pieces_release(struct pp_pieces *pieces)
{
    pcre2_code_free(pieces->code);
    pieces->code = NULL;
}

static void copy_valid(char *into, const char *text, size_t length)
{
    for (size_t at = 0, step; at < length; at += step) {
        if (pp_utf8_next(text + at, length - at, &step) == PP_UTF8_WHOLE)
            memcpy(into + at, text + at, step);
        else
            memset(into + at, MARK, step);
    }
}

int pp_cut_init(struct pp_cut *cut, const struct pp_pieces *pieces, const char *text,
                size_t length, struct pp_error *error)
{
    *cut = (struct pp_cut){.pieces = pieces, .length = length};
    cut->text = malloc(length + 1);
    cut->match = pcre2_match_data_create(1, NULL);
    if (!cut->text || !cut->match) {
        pp_cut_release(cut);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a text of %zu bytes",
                       length);
    }
    copy_valid(cut->text, text, length);
    return 0;
}

void pp_cut_release(struct pp_cut *cut)
{
    free(cut->text);
    pcre2_match_data_free(cut->match);
    *cut = (struct pp_cut){0};
}

int pp_cut_next(struct pp_cut *cut, size_t *begin, size_t *end, struct pp_error *error)
{
    if (cut->at == cut->length)
        return 0;
    /* Checked already, and else checked as a whole for each piece. */
    uint32_t options = PCRE2_NO_UTF_CHECK;
    PCRE2_SPTR text = (PCRE2_SPTR)cut->text;
    int found = pcre2_match(cut->pieces->code, text, cut->length, cut->at, options,
                            cut->match, NULL);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT)
        found = pcre2_match(cut->pieces->code, text, cut->length, cut->at,
                            options | PCRE2_NO_JIT, cut->match, NULL);
    if (found < 0)
        return fail(found, "cut a text into pieces", error);
    *begin = cut->at;
    *end = cut->at = pcre2_get_ovector_pointer(cut->match)[1];
    return 1;
}
