#include "report/gate/verdict.h"

#include <string.h>

static int failures(const struct pp_verdict *verdicts, int count)
{
    int failed = 0;
    for (int i = 0; i < count; i++)
        failed += !verdicts[i].passed;
    return failed;
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

static const struct escape of_xml[] = {
    {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {0, NULL}};
static const struct escape of_gha[] = {
    {'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}, {0, NULL}};
static const struct escape of_markdown[] = {{'<', "&lt;"}, {0, NULL}};
static const struct escape of_yaml[] = {{'"', "\\\""}, {'\\', "\\\\"}, {0, NULL}};

static void print_text(const struct pp_verdict *verdicts, int count,
                       const char *command, FILE *stream)
{
    for (int i = 0; i < count; i++)
        fprintf(stream, "%s  %s: %s\n", verdicts[i].passed ? "pass" : "FAIL",
                verdicts[i].name, verdicts[i].finding);
    if (failures(verdicts, count) > 0)
        fprintf(stream, "rerun: %s\n", command);
}

static void print_tap(const struct pp_verdict *verdicts, int count, const char *command,
                      FILE *stream)
{
    fprintf(stream, "TAP version 13\n1..%d\n", count);
    for (int i = 0; i < count; i++) {
        fprintf(stream, "%s %d - ", verdicts[i].passed ? "ok" : "not ok", i + 1);
        fputs(verdicts[i].name, stream);
        fputs("\n  ---\n  message: \"", stream);
        print_escaped(verdicts[i].finding, of_yaml, stream);
        if (!verdicts[i].passed) {
            fputs("\"\n  rerun: \"", stream);
            print_escaped(command, of_yaml, stream);
        }
        fputs("\"\n  ...\n", stream);
    }
}

static void print_junit(const struct pp_verdict *verdicts, int count,
                        const char *command, FILE *stream)
{
    fprintf(stream,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites>\n  <testsuite name=\"ppsim\" tests=\"%d\" failures=\"%d\">\n",
            count, failures(verdicts, count));
    for (int i = 0; i < count; i++) {
        fputs("    <testcase classname=\"ppsim\" name=\"", stream);
        print_escaped(verdicts[i].name, of_xml, stream);
        fputs("\">\n      ", stream);
        fputs(verdicts[i].passed ? "<system-out>" : "<failure message=\"", stream);
        print_escaped(verdicts[i].finding, of_xml, stream);
        if (!verdicts[i].passed) {
            fputs("\">rerun: ", stream);
            print_escaped(command, of_xml, stream);
        }
        fputs(verdicts[i].passed ? "</system-out>" : "</failure>", stream);
        fputs("\n    </testcase>\n", stream);
    }
    fputs("  </testsuite>\n</testsuites>\n", stream);
}

static void print_gha(const struct pp_verdict *verdicts, int count, const char *command,
                      FILE *stream)
{
    for (int i = 0; i < count; i++) {
        fputs(verdicts[i].passed ? "::notice title=ppsim::" : "::error title=ppsim::",
              stream);
        print_escaped(verdicts[i].finding, of_gha, stream);
        if (!verdicts[i].passed) {
            fputs("%0Arerun: ", stream);
            print_escaped(command, of_gha, stream);
        }
        fputc('\n', stream);
    }
}

static void print_markdown(const struct pp_verdict *verdicts, int count,
                           const char *command, FILE *stream)
{
    fputs("| ppsim | verdict | finding |\n|---|---|---|\n", stream);
    for (int i = 0; i < count; i++) {
        fputs("| ", stream);
        print_escaped(verdicts[i].name, of_markdown, stream);
        fputs(verdicts[i].passed ? " | pass | " : " | **fail** | ", stream);
        print_escaped(verdicts[i].finding, of_markdown, stream);
        fputs(" |\n", stream);
    }
    if (failures(verdicts, count) > 0)
        fprintf(stream, "\nRerun: `%s`\n", command);
}

const struct pp_verdict_format pp_verdict_formats[] = {
    {"text", "a line each", print_text, .for_people = true},
    /* Version 13, which all readers know: https://testanything.org */
    {"tap", "TAP version 13", print_tap},
    {"junit", "XML, for Jenkins and GitLab", print_junit},
    {"gha", "annotations by GitHub Actions", print_gha},
    {"markdown", "a table, for a job summary", print_markdown},
    {0},
};

const struct pp_verdict_format *pp_verdict_format_find(const char *name)
{
    for (const struct pp_verdict_format *row = pp_verdict_formats; row->name; row++) {
        if (strcmp(row->name, name) == 0)
            return row;
    }
    return NULL;
}
