#include "model/safetensors.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

/* A file of that header, behind its true length, and data_size bytes 0, 1, 2, … */
static const char *make_file(const char *name, const char *header, size_t data_size)
{
    static unsigned char bytes[1 << 16];
    uint64_t length = strlen(header);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < data_size; i++)
        bytes[8 + length + i] = (unsigned char)i;
    return unit_file(name, bytes, 8 + length + data_size);
}

static struct pp_st_file open_file(const char *path)
{
    struct pp_st_file file;
    struct pp_error error = {0};
    ck_assert_msg(pp_st_open(&file, path, &error) == 0, "%s", error.text);
    return file;
}

static void expect_refusal(const char *path, const char *fragment)
{
    struct pp_st_file file;
    struct pp_error error = {0};
    ck_assert_int_eq(pp_st_open(&file, path, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, path, fragment, NULL);
    pp_st_close(&file);
}

/* ---- good files ---- */

#define T(name, dtype, shape, begin, end)                                              \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape                           \
    ",\"data_offsets\":[" #begin "," #end "]}"

START_TEST(tensors_come_in_order_of_offset)
{
    struct pp_st_file file = open_file(make_file(
        "good",
        "{" T("b", "I32", "[2]", 16, 24) ",\"__metadata__\":{\"format\":\"pt\"}," T(
            "a", "F32", "[2,2]", 0,
            16) "," T("c", "BF16", "[]", 24,
                      26) "," T("d", "F16", "[0,5]", 26,
                                26) "," T("e", "F16", "[1,1,1,1]", 26, 28) "}   ",
        28));
    const char *names[] = {"a", "b", "c", "d", "e"};
    const size_t bytes[] = {16, 8, 2, 0, 2};
    const int ranks[] = {2, 1, 0, 2, 4};
    ck_assert_int_eq(file.count, 5);
    size_t offset = file.input.size - 28;
    for (int i = 0; i < 5; i++) {
        ck_assert_str_eq(file.tensors[i].name, names[i]);
        ck_assert_uint_eq(file.tensors[i].bytes, bytes[i]);
        ck_assert_uint_eq(file.tensors[i].offset, offset);
        ck_assert_int_eq(file.tensors[i].rank, ranks[i]);
        offset += bytes[i];
    }
    ck_assert_int_eq(file.tensors[0].shape[1], 2);
    ck_assert_int_eq(file.tensors[0].shape[2], 1);
    ck_assert_int_eq(file.tensors[1].dtype, PP_I32);
    pp_st_close(&file);
}
END_TEST

START_TEST(what_the_program_cannot_hold_is_left_out)
{
    char header[1024], name[201];
    memset(name, 'n', 200);
    name[200] = '\0';
    snprintf(header, sizeof header,
             "{" T("i64", "I64", "[1]", 0, 8) "," T("bool", "BOOL", "[4]", 8, 12) "," T(
                 "deep", "F32", "[1,1,1,1,1]", 12,
                 16) "," T("kept", "F32", "[1]", 16, 20) "," T("%s", "F32", "[1]", 20,
                                                               24) "}",
             name);
    struct pp_st_file file = open_file(make_file("left_out", header, 24));
    ck_assert_int_eq(file.count, 1);
    ck_assert_str_eq(file.tensors[0].name, "kept");
    pp_st_close(&file);
}
END_TEST

START_TEST(a_file_without_tensors_is_a_file)
{
    struct pp_st_file file = open_file(make_file("none", "{}", 0));
    ck_assert_int_eq(file.count, 0);
    ck_assert_ptr_null(pp_st_find(&file, "a"));
    pp_st_close(&file);
}
END_TEST

START_TEST(names_are_found_with_and_without_prefix)
{
    struct pp_st_file file = open_file(make_file(
        "names",
        "{" T("transformer.a", "F32", "[1]", 0, 4) "," T("b", "F32", "[1]", 4, 8) "," T(
            "transformer.", "F32", "[1]", 8, 12) "}",
        12));
    ck_assert_ptr_eq(pp_st_find(&file, "a"), &file.tensors[0]);
    ck_assert_ptr_eq(pp_st_find(&file, "transformer.a"), &file.tensors[0]);
    ck_assert_ptr_eq(pp_st_find(&file, "b"), &file.tensors[1]);
    ck_assert_ptr_null(pp_st_find(&file, "transformer.b"));
    ck_assert_ptr_null(pp_st_find(&file, "c"));
    pp_st_close(&file);
}
END_TEST

/* ---- hostile files ---- */

static const struct {
    const char *header;
    size_t data_size;
    const char *fragment;
} hostile[] = {
    {"", 8, "does not start with '{'"},
    {"[]", 0, "does not start with '{'"},
    {"  {}", 0, "does not start with '{'"},
    {"{", 0, "the header is not valid JSON"},
    {"{}x", 0, "the header is not valid JSON"},
    {"{\"a\":\x1b\n}", 0, "the header is not valid JSON"},
    {"{" T("a", "F32", "[1]", 0, 4) "," T("a", "F32", "[1]", 4, 8) "}", 8, "duplicate"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F16\"}}", 0, "duplicate"},
    {"{\"a\":7}", 0, "tensor 'a' is not a JSON object"},
    {"{\"__metadata__\":[]}", 0, "'__metadata__' is not a JSON object of strings"},
    {"{\"__metadata__\":{\"a\":1}}", 0,
     "'__metadata__' is not a JSON object of strings"},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "tensor 'a' has no 'dtype'"},
    {"{\"a\":{\"dtype\":5,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no 'dtype'"},
    {"{" T("a", "F33", "[1]", 0, 4) "}", 4, "tensor 'a' has the unknown dtype 'F33'"},
    {"{" T("a", "f32", "[1]", 0, 4) "}", 4, "unknown dtype 'f32'"},
    {"{" T("a", "", "[1]", 0, 4) "}", 4, "unknown dtype ''"},
    {"{" T("a", "F32", "4", 0, 4) "}", 4, "has no 'shape'"},
    {"{" T("a", "F32", "{}", 0, 4) "}", 4, "has no 'shape'"},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "has no 'shape'"},
    {"{" T("a", "F32", "[1,-1]", 0, 4) "}", 4, "dimension 1 is not an integer >= 0"},
    {"{" T("a", "F32", "[1.0]", 0, 4) "}", 4, "dimension 0 is not an integer >= 0"},
    {"{" T("a", "F32", "[\"1\"]", 0, 4) "}", 4, "dimension 0 is not an integer >= 0"},
    {"{" T("a", "F32", "[4294967296,4294967296]", 0, 0) "}", 0, "does not fit 64 bits"},
    /* 2^62 elements of 4 bytes are 0 bytes modulo 2^64. */
    {"{" T("a", "F32", "[4611686018427387904]", 0, 0) "}", 0, "has 0 bytes of data"},
    {"{" T("a", "F32", "[99999999999999999999]", 0, 4) "}", 4, "not valid JSON"},
    {"{" T("a", "F32", "[2]", 0, 4) "}", 4,
     "has 4 bytes of data, its shape and dtype F32 need 2 times 4"},
    {"{" T("a", "F16", "[1]", 0, 4) "}", 4, "need 1 times 2"},
    {"{" T("a", "F32", "[1]", 0, 4.5) "}", 4, "need two integers >= 0"},
    {"{" T("a", "F32", "[1]", -4, 0) "}", 4, "need two integers >= 0"},
    {"{" T("a", "F32", "[1]", "0", 4) "}", 4, "need two integers >= 0"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "need two integers >= 0"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4,
     "need two integers >= 0"},
    {"{" T("a", "F32", "[1]", 4, 0) "}", 4, "it begins at 4, after its end at 0"},
    {"{" T("a", "F32", "[2]", 0, 8) "}", 7,
     "ends at byte 8 of the data, but the file has 7: it is truncated or mislabelled"},
    {"{" T("a", "F32", "[1]", 9223372036854775803, 9223372036854775807) "}", 4,
     "ends at byte 9223372036854775807"},
    {"{" T("a", "F32", "[2]", 0, 8) "," T("b", "F32", "[1]", 4, 8) "}", 8,
     "tensor 'b' overlaps the tensor before it: it begins at byte 4 of the data, "
     "should "
     "at 8"},
    {"{" T("a", "F32", "[1]", 0, 4) "," T("b", "F32", "[1]", 0, 4) "}", 4, "overlaps"},
    {"{" T("a", "F32", "[1]", 0, 4) "," T("b", "F32", "[1]", 8, 12) "}", 12,
     "tensor 'b' leaves a hole before it"},
    {"{" T("a", "F32", "[1]", 4, 8) "}", 8, "tensor 'a' leaves a hole before it"},
    {"{" T("a", "F32", "[1]", 0, 4) "}", 5,
     "end at byte 4 of the data, but the file has 5"},
    {"{}", 1, "end at byte 0 of the data, but the file has 1"},
    /* Left-out dtypes are held to the structure all the same. */
    {"{" T("a", "I64", "[1]", 0, 4) "}", 4, "dtype I64 need 1 times 8"},
    /* A name may not bring control characters into a message. */
    {"{\"a\\n\\u001b[31m\":7}", 0, "tensor 'a??[31m' is not a JSON object"},
};

START_TEST(a_hostile_header_is_refused)
{
    char name[32];
    snprintf(name, sizeof name, "hostile-%d", _i);
    expect_refusal(make_file(name, hostile[_i].header, hostile[_i].data_size),
                   hostile[_i].fragment);
}
END_TEST

START_TEST(a_wrong_header_length_is_refused)
{
    unsigned char bytes[16] = {0};
    memcpy(bytes + 8, "{}      ", 8);
    for (size_t size = 1; size < 8; size++)
        expect_refusal(unit_file("length", bytes, size), "is not a safetensors file");
    expect_refusal(unit_file("length", bytes, 8), "does not start with '{'");
    bytes[0] = 9;
    expect_refusal(
        unit_file("length", bytes, 16),
        "is truncated, or not a safetensors file: its header has 9 bytes, but the "
        "file ends after 8 of them");
    memset(bytes, 0xff, 8);
    expect_refusal(unit_file("length", bytes, 16),
                   "its header would have 18446744073709551615 bytes, but at most "
                   "100000000");
    expect_refusal(unit_file("text", "To be, or not to be: that is", 28),
                   "is not a safetensors file");
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
    expect_refusal(unit_path("missing"), "No such file or directory");
    expect_refusal(unit_path("."), "is a directory");
    expect_refusal(unit_file("empty", "", 0), "is empty");
    expect_refusal("/dev/null", "is a device or a pipe");
}
END_TEST

/* Whatever a file says, what open accepts lies within it, in order. */
static void expect_harmless(const unsigned char *bytes, size_t size)
{
    struct pp_st_file file;
    struct pp_error error = {0};
    if (pp_st_open(&file, unit_file("mutant", bytes, size), &error) != 0) {
        unit_expect_error(&error, PP_BAD_INPUT, "mutant", NULL);
        return;
    }
    size_t end = 8;
    for (int i = 0; i < file.count; i++) {
        ck_assert_uint_ge(file.tensors[i].offset, end);
        end = file.tensors[i].offset + file.tensors[i].bytes;
        ck_assert_uint_le(end, size);
    }
    pp_st_close(&file);
}

START_TEST(no_mutant_does_harm)
{
    const char *header = "{" T("a", "F32", "[2,1]", 0, 8) "," T(
        "b", "I64", "[1]", 8,
        16) ",\"__metadata__\":{\"c\":\"d\"}," T("e", "BF16", "[3]", 16, 22) "}";
    make_file("original", header, 22);
    unsigned char bytes[512];
    FILE *stream = fopen(unit_path("original"), "r");
    size_t size = fread(bytes, 1, sizeof bytes, stream);
    fclose(stream);
    ck_assert_uint_eq(size, 8 + strlen(header) + 22);
    for (size_t cut = 1; cut < size; cut++)
        expect_harmless(bytes, cut);
    const unsigned char replacements[] = {0,   1,   0xff, '"', '{',
                                          '}', '[', ',',  '-', '9'};
    for (size_t at = 0; at < size - 22; at++) {
        unsigned char original = bytes[at];
        for (size_t k = 0; k < sizeof replacements; k++) {
            bytes[at] = replacements[k];
            expect_harmless(bytes, size);
        }
        bytes[at] = original;
    }
}
END_TEST

/* ---- values ---- */

/* A number of one sign bit, exponent_bits and mantissa_bits, by the definition. */
static double decode(unsigned bits, int exponent_bits, int mantissa_bits)
{
    int bias = (1 << (exponent_bits - 1)) - 1, top = (1 << exponent_bits) - 1;
    int exponent = (int)(bits >> mantissa_bits) & top;
    double fraction =
        ldexp(bits & ((1u << mantissa_bits) - 1), -mantissa_bits); /* 0 .. 1 */
    double sign = bits >> (exponent_bits + mantissa_bits) ? -1 : 1;
    if (exponent == top)
        return fraction == 0 ? sign * INFINITY : NAN;
    if (exponent == 0)
        return sign * ldexp(fraction, 1 - bias);
    return sign * ldexp(1 + fraction, exponent - bias);
}

START_TEST(every_half_is_converted)
{
    enum { ALL = 1 << 16 };
    static uint16_t halves[ALL];
    static float values[ALL];
    const enum pp_dtype dtypes[] = {PP_F16, PP_BF16};
    const int exponent_bits[] = {5, 8}, mantissa_bits[] = {10, 7}, shape[] = {ALL};
    struct pp_st_tensor tensor = {
        .name = "all", .dtype = dtypes[_i], .rank = 1, .shape = {ALL}};
    const char *path = unit_path(_i == 0 ? "f16" : "bf16");
    struct pp_error error = {0};
    for (int i = 0; i < ALL; i++)
        halves[i] = (uint16_t)i;
    struct pp_st_writer *writer = pp_st_create(path, &tensor, 1, NULL, &error);
    ck_assert_int_eq(pp_st_append(writer, halves, sizeof halves, &error), 0);
    ck_assert_int_eq(pp_st_finish(writer, &error), 0);

    struct pp_st_file file = open_file(path);
    ck_assert_int_eq(pp_st_read(&file, "all", 1, shape, values, &error), 0);
    for (int i = 0; i < ALL; i++) {
        double expected = decode((unsigned)i, exponent_bits[_i], mantissa_bits[_i]);
        bool same = isnan(expected) ? isnan(values[i])
                                    : values[i] == expected &&
                                          !signbit(values[i]) == !signbit(expected);
        if (!same)
            ck_abort_msg("0x%04x becomes %a, should %a", i, values[i], expected);
    }
    pp_st_close(&file);
}
END_TEST

START_TEST(a_wrong_shape_or_dtype_is_refused)
{
    struct pp_st_file file = open_file(make_file(
        "shapes",
        "{" T("a", "F32", "[2,3]", 0, 24) "," T("b", "I32", "[2]", 24, 32) "}", 32));
    const int square[] = {3, 2}, two[] = {2}, six[] = {6};
    float data[6];
    struct pp_error error = {0};
    ck_assert_int_eq(pp_st_read(&file, "a", 2, square, data, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, file.input.path,
                      "tensor 'a' has the shape (2, 3), the model needs (3, 2)", NULL);
    ck_assert_int_eq(pp_st_read(&file, "a", 1, six, data, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "(2, 3), the model needs (6)", NULL);
    ck_assert_int_eq(pp_st_read(&file, "b", 1, two, data, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "tensor 'b' has the dtype I32", NULL);
    ck_assert_int_eq(pp_st_read(&file, "c", 1, two, data, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, file.input.path, "tensor 'c'", NULL);
    pp_st_close(&file);
}
END_TEST

/* ---- writing ---- */

static const struct pp_st_tensor written[] = {
    {.name = "wte.weight", .dtype = PP_F32, .rank = 2, .shape = {2, 3}},
    {.name = "tokens", .dtype = PP_I32, .rank = 3, .shape = {1, 2, 2}},
    {.name = "one", .dtype = PP_F32, .rank = 0},
};

START_TEST(what_is_written_is_read)
{
    const float weight[6] = {0.5f, -1, 2, 1e-40f, 3.25f, -0.0f}, one = 42;
    const int32_t tokens[4] = {1, -2, 3, INT32_MAX};
    const char *path = unit_path("written");
    struct pp_error error = {0};
    struct pp_st_writer *writer = pp_st_create(path, written, 3, NULL, &error);
    ck_assert_ptr_nonnull(writer);
    ck_assert_int_eq(pp_st_append(writer, weight, 4, &error), 0);
    ck_assert_int_eq(pp_st_append(writer, weight + 1, sizeof weight - 4, &error), 0);
    ck_assert_int_eq(pp_st_append(writer, tokens, sizeof tokens, &error), 0);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(pp_st_append(writer, &one, sizeof one, &error), 0);
    ck_assert_int_eq(pp_st_finish(writer, &error), 0);

    struct pp_st_file file = open_file(path);
    ck_assert_int_eq(file.count, 3);
    const int shape[2] = {2, 3};
    float read[6];
    ck_assert_int_eq(pp_st_read(&file, "wte.weight", 2, shape, read, &error), 0);
    ck_assert(memcmp(read, weight, sizeof weight) == 0);
    ck_assert_int_eq(pp_st_read(&file, "one", 0, shape, read, &error), 0);
    ck_assert_float_eq(read[0], 42);
    const struct pp_st_tensor *found = pp_st_find(&file, "tokens");
    ck_assert_int_eq(found->rank, 3);
    ck_assert_int_eq(found->dtype, PP_I32);
    char bytes[sizeof tokens];
    ck_assert_int_eq(
        pp_input_read(&file.input, found->offset, bytes, sizeof bytes, &error), 0);
    ck_assert(memcmp(bytes, tokens, sizeof tokens) == 0);
    ck_assert_uint_eq(file.tensors[0].offset % 8, 0);
    pp_st_close(&file);
}
END_TEST

START_TEST(the_header_is_that_of_the_reference)
{
    const char *expected =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"wte.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
        "\"tokens\":{\"dtype\":\"I32\",\"shape\":[1,2,2],\"data_offsets\":[24,40]},"
        "\"one\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[40,44]}}";
    const char zeros[44] = {0};
    char bytes[512];
    const char *path = unit_path("header");
    struct pp_error error = {0};
    struct pp_st_writer *writer = pp_st_create(path, written, 3, NULL, &error);
    ck_assert_int_eq(pp_st_append(writer, zeros, sizeof zeros, &error), 0);
    ck_assert_int_eq(pp_st_finish(writer, &error), 0);

    FILE *stream = fopen(path, "r");
    size_t size = fread(bytes, 1, sizeof bytes, stream), length = strlen(expected);
    fclose(stream);
    uint64_t padded;
    memcpy(&padded, bytes, sizeof padded);
    ck_assert_uint_eq(padded, (length + 7) / 8 * 8);
    ck_assert_uint_eq(size, 8 + padded + sizeof zeros);
    ck_assert(memcmp(bytes + 8, expected, length) == 0);
    for (size_t i = length; i < padded; i++)
        ck_assert_int_eq(bytes[8 + i], ' ');
}
END_TEST

/* More or less data than declared, a full disk, a change of mind: the old file stays.
 */
START_TEST(a_failure_leaves_the_old_file)
{
    const char *path = unit_file("kept", "before", 6);
    const char zeros[48] = {0};
    const size_t sizes[] = {43, 45, 0};
    for (int i = 0; i < 3; i++) {
        struct pp_error error = {0};
        struct pp_st_writer *writer = pp_st_create(path, written, 3, NULL, &error);
        ck_assert_int_eq(pp_st_append(writer, zeros, sizes[i], &error), 0);
        ck_assert_int_eq(pp_st_finish(writer, &error), -1);
        unit_expect_error(&error, PP_ENVIRONMENT, path, "declares 44", NULL);
    }
    struct pp_error error = {0};
    struct pp_st_writer *writer = pp_st_create(path, written, 3, NULL, &error);
    pp_st_abandon(writer);
    pp_st_abandon(NULL);

    char text[8] = "";
    FILE *stream = fopen(path, "r");
    ck_assert_uint_eq(fread(text, 1, sizeof text - 1, stream), 6);
    fclose(stream);
    ck_assert_str_eq(text, "before");
}
END_TEST

START_TEST(a_path_that_cannot_be_written_is_refused)
{
    struct pp_error error = {0};
    ck_assert_ptr_null(
        pp_st_create(unit_path("nowhere/out"), written, 3, NULL, &error));
    unit_expect_error(&error, PP_BAD_INPUT, "nowhere/out", "No such file or directory",
                      NULL);
}
END_TEST

START_TEST(a_full_disk_is_reported)
{
    static const char zeros[1 << 20];
    struct pp_st_tensor large = {
        .name = "large", .dtype = PP_F32, .rank = 1, .shape = {sizeof zeros / 4}};
    struct pp_error error = {0};
    struct pp_st_writer *writer = pp_st_create("/dev/full", &large, 1, NULL, &error);
    ck_assert_ptr_nonnull(writer);
    ck_assert_int_eq(pp_st_append(writer, zeros, sizeof zeros, &error), -1);
    unit_expect_error(&error, PP_ENVIRONMENT, "'/dev/full': No space left on device",
                      NULL);
    pp_st_abandon(writer);

    /* Small enough to wait in the stream until the end. */
    writer = pp_st_create("/dev/full", written, 3, NULL, &error);
    ck_assert_int_eq(pp_st_append(writer, zeros, 44, &error), 0);
    ck_assert_int_eq(pp_st_finish(writer, &error), -1);
    unit_expect_error(&error, PP_ENVIRONMENT, "'/dev/full': No space left on device",
                      NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("safetensors");
    TCase *tests = tcase_create("safetensors");
    tcase_add_test(tests, tensors_come_in_order_of_offset);
    tcase_add_test(tests, what_the_program_cannot_hold_is_left_out);
    tcase_add_test(tests, a_file_without_tensors_is_a_file);
    tcase_add_test(tests, names_are_found_with_and_without_prefix);
    tcase_add_loop_test(tests, a_hostile_header_is_refused, 0,
                        sizeof hostile / sizeof *hostile);
    tcase_add_test(tests, a_wrong_header_length_is_refused);
    tcase_add_test(tests, what_is_no_file_is_refused);
    tcase_add_test(tests, no_mutant_does_harm);
    tcase_add_loop_test(tests, every_half_is_converted, 0, 2);
    tcase_add_test(tests, a_wrong_shape_or_dtype_is_refused);
    tcase_add_test(tests, what_is_written_is_read);
    tcase_add_test(tests, the_header_is_that_of_the_reference);
    tcase_add_test(tests, a_failure_leaves_the_old_file);
    tcase_add_test(tests, a_path_that_cannot_be_written_is_refused);
    tcase_add_test(tests, a_full_disk_is_reported);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
