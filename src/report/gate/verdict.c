#include "report/gate/verdict.h"

#include <string.h>

#include "base/words.h"

int pp_verdicts_count(const struct pp_verdicts *verdicts, enum pp_outcome outcome)
{
    int count = 0;
    for (int i = 0; i < verdicts->count; i++)
        count += verdicts->items[i].outcome == outcome;
    return count;
}

static bool any_failed(const struct pp_verdicts *verdicts)
{
    return pp_verdicts_count(verdicts, PP_FAIL) > 0;
}

/* Prints text with the characters of a set replaced by their escapes. */
struct escape {
    char character;
    const char *with;
};

static void print_escaped(const char *text, const struct escape *escapes, FILE *stream)
{
    for (; *text; text++) {
        const struct escape *escape = escapes;
        while (escape->character && escape->character != *text)
            escape++;
        if (escape->character)
            fputs(escape->with, stream);
        else
            fputc(*text, stream);
    }
}

static const struct escape of_text[] = {{'\n', "\n      "}, {0, NULL}};
static const struct escape of_xml[] = {{'&', "&amp;"},  {'<', "&lt;"},   {'>', "&gt;"},
                                       {'"', "&quot;"}, {'\n', "&#10;"}, {0, NULL}};
static const struct escape of_gha[] = {
    {'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}, {0, NULL}};
static const struct escape of_gha_property[] = {
    {'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}, {':', "%3A"}, {',', "%2C"}, {0, NULL}};
static const struct escape of_markdown[] = {
    {'<', "&lt;"}, {'|', "\\|"}, {'\n', "<br>"}, {0, NULL}};
static const struct escape of_yaml[] = {
    {'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {0, NULL}};

/* What is said of a failure beside its finding, each behind its title. */
static void print_advice(const struct pp_verdicts *verdicts,
                         const struct pp_verdict *verdict, const char *before,
                         const char *between, const struct escape *escapes,
                         const char *after, FILE *stream)
{
    const struct {
        const char *title, *text;
    } advice[] = {{"where", verdicts->where},
                  {"rerun", verdicts->rerun},
                  {"go on", verdicts->go_on}};
    for (size_t i = 0; i < sizeof advice / sizeof *advice; i++) {
        if (verdict->outcome != PP_FAIL || !advice[i].text)
            continue;
        fprintf(stream, "%s%s%s", before, advice[i].title, between);
        print_escaped(advice[i].text, escapes, stream);
        fputs(after, stream);
    }
}

static void print_text(const struct pp_verdicts *verdicts, FILE *stream)
{
    static const char *const words[] = {
        [PP_PASS] = "pass", [PP_FAIL] = "FAIL", [PP_NOT_JUDGED] = "skip"};
    static const char *const colours[] = {
        [PP_PASS] = "\x1b[32m", [PP_FAIL] = "\x1b[1;31m", [PP_NOT_JUDGED] = "\x1b[33m"};
    for (int i = 0; i < verdicts->count; i++) {
        const struct pp_verdict *verdict = &verdicts->items[i];
        fprintf(
            stream, "%s%s%s  %s: ", verdicts->color ? colours[verdict->outcome] : "",
            words[verdict->outcome], verdicts->color ? "\x1b[0m" : "", verdict->name);
        print_escaped(verdict->finding, of_text, stream);
        fputc('\n', stream);
    }
    if (verdicts->note)
        fprintf(stream, "note: %s\n", verdicts->note);
    if (any_failed(verdicts) && verdicts->where)
        fprintf(stream, "where: %s\n", verdicts->where);
    if (any_failed(verdicts) && verdicts->rerun)
        fprintf(stream, "rerun: %s\n", verdicts->rerun);
    if (any_failed(verdicts) && verdicts->go_on)
        fprintf(stream, "go on: %s\n", verdicts->go_on);
}

static void print_tap(const struct pp_verdicts *verdicts, FILE *stream)
{
    fprintf(stream, "TAP version 13\n1..%d\n", verdicts->count);
    for (int i = 0; i < verdicts->count; i++) {
        const struct pp_verdict *verdict = &verdicts->items[i];
        fprintf(stream, "%s %d - %s%s\n  ---\n  message: \"",
                verdict->outcome == PP_FAIL ? "not ok" : "ok", i + 1, verdict->name,
                verdict->outcome == PP_NOT_JUDGED ? " # SKIP not judged" : "");
        print_escaped(verdict->finding, of_yaml, stream);
        fputs("\"\n", stream);
        print_advice(verdicts, verdict, "  ", ": \"", of_yaml, "\"\n", stream);
        fputs("  ...\n", stream);
    }
    if (verdicts->note)
        fprintf(stream, "# %s\n", verdicts->note);
}

static void print_case(const struct pp_verdicts *verdicts,
                       const struct pp_verdict *verdict, FILE *stream)
{
    static const char *const elements[] = {
        [PP_PASS] = "system-out", [PP_FAIL] = "failure", [PP_NOT_JUDGED] = "skipped"};
    const char *element = elements[verdict->outcome];
    fputs("    <testcase classname=\"ppsim\" name=\"", stream);
    print_escaped(verdict->name, of_xml, stream);
    if (verdicts->file) {
        fputs("\" file=\"", stream);
        print_escaped(verdicts->file, of_xml, stream);
    }
    fprintf(stream, "\">\n      <%s%s", element,
            verdict->outcome == PP_PASS ? ">" : " message=\"");
    print_escaped(verdict->finding, of_xml, stream);
    fputs(verdict->outcome == PP_PASS ? "" : "\">", stream);
    print_advice(verdicts, verdict, "", ": ", of_xml, "\n", stream);
    fprintf(stream, "</%s>\n    </testcase>\n", element);
}

static void print_junit(const struct pp_verdicts *verdicts, FILE *stream)
{
    fprintf(stream,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites>\n  <testsuite name=\"ppsim\" tests=\"%d\" failures=\"%d\" "
            "skipped=\"%d\">\n",
            verdicts->count, pp_verdicts_count(verdicts, PP_FAIL),
            pp_verdicts_count(verdicts, PP_NOT_JUDGED));
    for (int i = 0; i < verdicts->count; i++)
        print_case(verdicts, &verdicts->items[i], stream);
    if (verdicts->note) {
        fputs("    <system-out>", stream);
        print_escaped(verdicts->note, of_xml, stream);
        fputs("</system-out>\n", stream);
    }
    fputs("  </testsuite>\n</testsuites>\n", stream);
}

/* The schedule's row that it is about, of a failure that which was changed rather than
 * that which shows it; the first where none is known. */
static int line_of(const struct pp_verdicts *verdicts, const struct pp_verdict *verdict)
{
    if (verdict->outcome == PP_FAIL && verdicts->changed_row > 0)
        return verdicts->changed_row;
    if (verdict->rank >= 0)
        return verdict->rank + 1;
    return verdict->outcome == PP_FAIL && verdicts->where ? verdicts->where_rank + 1
                                                          : 1;
}

static void print_gha(const struct pp_verdicts *verdicts, FILE *stream)
{
    static const char *const levels[] = {
        [PP_PASS] = "notice", [PP_FAIL] = "error", [PP_NOT_JUDGED] = "warning"};
    bool advised = false; /* once: annotations of a job stand in one list */
    for (int i = 0; i < verdicts->count; i++) {
        const struct pp_verdict *verdict = &verdicts->items[i];
        fprintf(stream, "::%s ", levels[verdict->outcome]);
        if (verdicts->file) {
            fputs("file=", stream);
            print_escaped(verdicts->file, of_gha_property, stream);
            fprintf(stream, ",line=%d,", line_of(verdicts, verdict));
        }
        fputs("title=ppsim%3A ", stream);
        print_escaped(verdict->name, of_gha_property, stream);
        fputs("::", stream);
        print_escaped(verdict->finding, of_gha, stream);
        if (!advised)
            print_advice(verdicts, verdict, "%0A", ": ", of_gha, "", stream);
        advised |= verdict->outcome == PP_FAIL;
        fputc('\n', stream);
    }
    if (verdicts->note) {
        fputs("::notice title=ppsim::", stream);
        print_escaped(verdicts->note, of_gha, stream);
        fputc('\n', stream);
    }
}

static void print_markdown(const struct pp_verdicts *verdicts, FILE *stream)
{
    static const char *const words[] = {
        [PP_PASS] = "pass", [PP_FAIL] = "**fail**", [PP_NOT_JUDGED] = "not judged"};
    fputs("| ppsim | verdict | finding |\n|---|---|---|\n", stream);
    for (int i = 0; i < verdicts->count; i++) {
        const struct pp_verdict *verdict = &verdicts->items[i];
        fputs("| ", stream);
        print_escaped(verdict->name, of_markdown, stream);
        fprintf(stream, " | %s | ", words[verdict->outcome]);
        print_escaped(verdict->finding, of_markdown, stream);
        fputs(" |\n", stream);
    }
    if (verdicts->note) {
        fputs("\nNote: ", stream);
        print_escaped(verdicts->note, of_markdown, stream);
        fputc('\n', stream);
    }
    if (any_failed(verdicts) && verdicts->where) {
        fputs("\nWhere: ", stream);
        print_escaped(verdicts->where, of_markdown, stream);
        fputc('\n', stream);
    }
    if (any_failed(verdicts) && verdicts->rerun)
        fprintf(stream, "\nRerun: `%s`\n", verdicts->rerun);
    if (any_failed(verdicts) && verdicts->go_on)
        fprintf(stream, "\nGo on: `%s`\n", verdicts->go_on);
}

const struct pp_verdict_format pp_verdict_formats[] = {
    {"text", "a line each", print_text, .for_people = true, .of_lines = true},
    /* Version 13, which all readers know: https://testanything.org */
    {"tap", "TAP version 13", print_tap},
    {"junit", "XML, for Jenkins and GitLab", print_junit},
    {"gha", "annotations by GitHub Actions", print_gha, .of_lines = true},
    {"markdown", "a table, for a job summary", print_markdown},
    {0},
};

const struct pp_verdict_format *pp_verdict_format_find(const char *name, size_t length)
{
    for (const struct pp_verdict_format *row = pp_verdict_formats; row->name; row++) {
        if (strlen(row->name) == length && strncmp(row->name, name, length) == 0)
            return row;
    }
    return NULL;
}

void pp_verdict_of_error(struct pp_verdict *verdict, const struct pp_error *error)
{
    const char *line = error->text;
    *verdict = (struct pp_verdict){
        .name = "input", .outcome = PP_FAIL, .rank = error->row - 1};
    while (*line) {
        size_t length = strcspn(line, "\n"), used = strlen(verdict->finding);
        pp_append(verdict->finding, sizeof verdict->finding, "%s%.*s",
                  used > 0 ? "\n" : "", (int)length, line);
        pp_make_printable(verdict->finding + used + (used > 0));
        line += length + (line[length] == '\n');
    }
}
