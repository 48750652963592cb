#include "model/safetensors.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/words.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the data are little-endian and copied as they are");

enum {
    LENGTH_BYTES = 8,
    MAX_HEADER = 100 * 1000 * 1000, /* as the reference implementation */
    MAX_RANK = sizeof((struct pp_st_tensor *)0)->shape / sizeof(int64_t),
};

/* Every dtype of the format; those that this program has no use for are only checked
 * against their sizes. */
enum { NOT_USED = -1 };
static const struct dtype {
    const char *name;
    int bits;
    int dtype; /* enum pp_dtype, or NOT_USED */
} dtypes[] = {
    {"F32", 32, PP_F32},      {"I32", 32, PP_I32},      {"F16", 16, PP_F16},
    {"BF16", 16, PP_BF16},    {"F64", 64, NOT_USED},    {"I64", 64, NOT_USED},
    {"U64", 64, NOT_USED},    {"U32", 32, NOT_USED},    {"I16", 16, NOT_USED},
    {"U16", 16, NOT_USED},    {"I8", 8, NOT_USED},      {"U8", 8, NOT_USED},
    {"BOOL", 8, NOT_USED},    {"F8_E5M2", 8, NOT_USED}, {"F8_E4M3", 8, NOT_USED},
    {"F8_E8M0", 8, NOT_USED}, {"C64", 64, NOT_USED},    {NULL, 0, NOT_USED},
};

static const struct dtype *find_dtype(const char *name)
{
    for (const struct dtype *row = dtypes; row->name != NULL; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

const char *pp_st_shown(const char *text, char buffer[PP_ST_SHOWN])
{
    pp_assign(buffer, PP_ST_SHOWN, "%s", text);
    pp_make_printable(buffer);
    return buffer;
}

/* A tensor as the header gives it, while the structure is checked. */
struct entry {
    const char *name; /* of the header */
    uint64_t begin, end;
    bool used; /* its dtype, rank and name fit struct pp_st_tensor */
    struct pp_st_tensor tensor;
};

__attribute__((format(printf, 4, 5))) static int refuse_tensor(const char *path,
                                                               const char *name,
                                                               struct pp_error *error,
                                                               const char *format, ...)
{
    char what[512], buffer[PP_ST_SHOWN];
    va_list arguments;
    va_start(arguments, format);
    pp_assign_list(what, sizeof what, format, arguments);
    va_end(arguments);
    return pp_fail(error, PP_BAD_INPUT, "'%s': tensor '%s' %s", path,
                   pp_st_shown(name, buffer), what);
}

/* A JSON integer >= 0. */
static bool get_size(const json_t *value, uint64_t *size)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *size = (uint64_t)json_integer_value(value);
    return true;
}

static int parse_shape(struct entry *entry, const json_t *shape, uint64_t *elements,
                       const char *path, struct pp_error *error)
{
    if (!json_is_array(shape))
        return refuse_tensor(path, entry->name, error,
                             "has no 'shape': need an array of integers >= 0");
    size_t rank = json_array_size(shape);
    *elements = 1;
    for (int d = 0; d < MAX_RANK; d++)
        entry->tensor.shape[d] = 1;
    for (size_t d = 0; d < rank; d++) {
        uint64_t extent;
        if (!get_size(json_array_get(shape, d), &extent))
            return refuse_tensor(path, entry->name, error,
                                 "has a bad 'shape': dimension %zu is not an integer "
                                 ">= 0",
                                 d);
        if (__builtin_mul_overflow(*elements, extent, elements))
            return refuse_tensor(path, entry->name, error,
                                 "has a bad 'shape': its size does not fit 64 bits");
        if (d < MAX_RANK)
            entry->tensor.shape[d] = (int64_t)extent;
    }
    entry->tensor.rank = rank <= MAX_RANK ? (int)rank : MAX_RANK + 1;
    return 0;
}

static int parse_offsets(struct entry *entry, const json_t *offsets, uint64_t data_size,
                         const char *path, struct pp_error *error)
{
    if (!json_is_array(offsets) || json_array_size(offsets) != 2 ||
        !get_size(json_array_get(offsets, 0), &entry->begin) ||
        !get_size(json_array_get(offsets, 1), &entry->end))
        return refuse_tensor(path, entry->name, error,
                             "has bad 'data_offsets': need two integers >= 0");
    if (entry->begin > entry->end)
        return refuse_tensor(path, entry->name, error,
                             "has bad 'data_offsets': it begins at %" PRIu64
                             ", after its end at %" PRIu64,
                             entry->begin, entry->end);
    if (entry->end > data_size)
        return refuse_tensor(path, entry->name, error,
                             "ends at byte %" PRIu64
                             " of the data, but the file has %" PRIu64
                             ": it is truncated or mislabelled",
                             entry->end, data_size);
    return 0;
}

static int parse_tensor(struct entry *entry, const char *name, const json_t *value,
                        uint64_t data_size, const char *path, struct pp_error *error)
{
    entry->name = name;
    if (!json_is_object(value))
        return refuse_tensor(
            path, name, error,
            "is not a JSON object of 'dtype', 'shape', 'data_offsets'");
    const char *dtype_name = json_string_value(json_object_get(value, "dtype"));
    if (dtype_name == NULL)
        return refuse_tensor(path, name, error,
                             "has no 'dtype': need a string such as 'F32'");
    const struct dtype *dtype = find_dtype(dtype_name);
    char buffer[PP_ST_SHOWN];
    if (dtype == NULL)
        return refuse_tensor(path, name, error,
                             "has the unknown dtype '%s': need F32, F16 or BF16",
                             pp_st_shown(dtype_name, buffer));
    uint64_t elements = 0, bits;
    if (parse_shape(entry, json_object_get(value, "shape"), &elements, path, error) !=
            0 ||
        parse_offsets(entry, json_object_get(value, "data_offsets"), data_size, path,
                      error) != 0)
        return -1;
    if (__builtin_mul_overflow(elements, (uint64_t)dtype->bits, &bits) ||
        bits / 8 != entry->end - entry->begin)
        return refuse_tensor(path, name, error,
                             "has %" PRIu64 " bytes of data, its shape and dtype %s "
                             "need %" PRIu64 " times %d",
                             entry->end - entry->begin, dtype->name, elements,
                             dtype->bits / 8);
    entry->used = dtype->dtype != NOT_USED && entry->tensor.rank <= MAX_RANK &&
                  strlen(name) < sizeof entry->tensor.name;
    if (entry->used) {
        strcpy(entry->tensor.name, name);
        entry->tensor.dtype = (enum pp_dtype)dtype->dtype;
    }
    return 0;
}

static int check_metadata(const json_t *metadata, const char *path,
                          struct pp_error *error)
{
    const char *key;
    json_t *value;
    bool strings = json_is_object(metadata);
    json_object_foreach((json_t *)metadata, key, value) strings =
        strings && json_is_string(value);
    if (!strings)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s': '__metadata__' is not a JSON object of strings", path);
    return 0;
}

static int by_offset(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* The data must be covered exactly once: whoever reads every tensor has read every
 * byte. entries are in order of offset. */
static int check_coverage(const struct entry *entries, int count, uint64_t data_size,
                          const char *path, struct pp_error *error)
{
    uint64_t covered = 0;
    for (int i = 0; i < count; i++) {
        const char *fault = entries[i].begin < covered ? "overlaps the tensor before it"
                                                       : "leaves a hole before it";
        if (entries[i].begin != covered)
            return refuse_tensor(path, entries[i].name, error,
                                 "%s: it begins at byte %" PRIu64
                                 " of the data, should at %" PRIu64,
                                 fault, entries[i].begin, covered);
        covered = entries[i].end;
    }
    if (covered != data_size)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s': the tensors end at byte %" PRIu64
                       " of the data, but the file has %" PRIu64,
                       path, covered, data_size);
    return 0;
}

static json_t *parse_header(const char *text, size_t length, const char *path,
                            struct pp_error *error)
{
    if (length == 0 || text[0] != '{') {
        pp_fail(
            error, PP_BAD_INPUT,
            "'%s' is not a safetensors file: its header is not a JSON object: it does "
            "not start with '{'",
            path);
        return NULL;
    }
    json_error_t fault;
    bool room = pp_json_has_room(length);
    errno = 0;
    json_t *header =
        room ? json_loadb(text, length, JSON_REJECT_DUPLICATES, &fault) : NULL;
    char buffer[PP_ST_SHOWN];
    if (!room || (header == NULL && pp_json_starved(&fault)))
        pp_fail(error, PP_ENVIRONMENT, "out of memory for the header of '%s'", path);
    else if (header == NULL)
        pp_fail(error, PP_BAD_INPUT,
                "'%s': the header is not valid JSON: %s, at byte %d of the file", path,
                pp_st_shown(fault.text, buffer), fault.position + LENGTH_BYTES);
    return header;
}

/* Reads the header, and where the data begin. Returns NULL on error. */
static json_t *load_header(const struct pp_st_file *file, size_t *data_start,
                           struct pp_error *error)
{
    const char *path = file->input.path;
    if (file->input.size < LENGTH_BYTES) {
        pp_fail(error, PP_BAD_INPUT,
                "'%s' is not a safetensors file: %zu bytes, less than the %d that hold "
                "the header's length",
                path, file->input.size, LENGTH_BYTES);
        return NULL;
    }
    uint64_t length;
    if (pp_input_read(&file->input, 0, &length, LENGTH_BYTES, error) != 0)
        return NULL;
    if (length > MAX_HEADER) {
        pp_fail(error, PP_BAD_INPUT,
                "'%s' is not a safetensors file: its header would have %" PRIu64
                " bytes, but at most %d are allowed",
                path, length, MAX_HEADER);
        return NULL;
    }
    if (length > file->input.size - LENGTH_BYTES) {
        pp_fail(error, PP_BAD_INPUT,
                "'%s' is truncated, or not a safetensors file: its header has %" PRIu64
                " bytes, but the file ends after %zu of them",
                path, length, file->input.size - LENGTH_BYTES);
        return NULL;
    }
    *data_start = LENGTH_BYTES + (size_t)length;
    char *text = malloc((size_t)length + 1);
    json_t *header = NULL;
    if (text == NULL)
        pp_fail(error, PP_ENVIRONMENT, "'%s': out of memory for its header", path);
    else if (pp_input_read(&file->input, LENGTH_BYTES, text, length, error) == 0)
        header = parse_header(text, length, path, error);
    free(text);
    return header;
}

/* Fills file->tensors from the header, checking everything. */
static int load_tensors(struct pp_st_file *file, json_t *header, size_t data_start,
                        struct pp_error *error)
{
    const uint64_t data_size = file->input.size - data_start;
    int count = 0, result = -1;
    /* One spare: an empty file needs no case of its own. */
    struct entry *entries = calloc(json_object_size(header) + 1, sizeof *entries);
    file->tensors = calloc(json_object_size(header) + 1, sizeof *file->tensors);
    if (entries == NULL || file->tensors == NULL) {
        pp_fail(error, PP_ENVIRONMENT, "'%s': out of memory", file->input.path);
        goto done;
    }
    const char *name;
    json_t *value;
    json_object_foreach(header, name, value)
    {
        if (strcmp(name, "__metadata__") == 0) {
            if (check_metadata(value, file->input.path, error) != 0)
                goto done;
            file->metadata = json_incref(value);
        } else if (parse_tensor(&entries[count++], name, value, data_size,
                                file->input.path, error) != 0) {
            goto done;
        }
    }
    qsort(entries, (size_t)count, sizeof *entries, by_offset);
    if (check_coverage(entries, count, data_size, file->input.path, error) != 0)
        goto done;
    for (int i = 0; i < count; i++) {
        if (!entries[i].used)
            continue;
        entries[i].tensor.offset = data_start + entries[i].begin;
        entries[i].tensor.bytes = entries[i].end - entries[i].begin;
        file->tensors[file->count++] = entries[i].tensor;
    }
    result = 0;

done:
    free(entries);
    return result;
}

int pp_st_open(struct pp_st_file *file, const char *path, struct pp_error *error)
{
    *file = (struct pp_st_file){0};
    json_t *header = NULL;
    size_t data_start;
    int result = -1;

    if (pp_input_open(&file->input, path, error) != 0)
        return -1;
    header = load_header(file, &data_start, error);
    if (header == NULL)
        goto done;
    result = load_tensors(file, header, data_start, error);

done:
    json_decref(header);
    if (result != 0)
        pp_st_close(file);
    return result;
}

void pp_st_close(struct pp_st_file *file)
{
    pp_input_close(&file->input);
    free(file->tensors);
    json_decref(file->metadata);
    *file = (struct pp_st_file){0};
}

const char *pp_st_note(const struct pp_st_file *file, const char *key)
{
    return json_string_value(json_object_get(file->metadata, key));
}

const struct pp_st_tensor *pp_st_find(const struct pp_st_file *file, const char *name)
{
    static const char prefix[] = "transformer.";
    size_t skip = sizeof prefix - 1;
    const struct pp_st_tensor *prefixed = NULL;
    for (int i = 0; i < file->count; i++) {
        const char *candidate = file->tensors[i].name;
        if (strcmp(candidate, name) == 0)
            return &file->tensors[i];
        if (strncmp(candidate, prefix, skip) == 0 &&
            strcmp(candidate + skip, name) == 0)
            prefixed = &file->tensors[i];
    }
    return prefixed;
}

/* "(256, 128)"; returns buffer. */
static const char *shape_text(int rank, const int64_t *shape, char buffer[PP_ST_SHOWN])
{
    pp_assign(buffer, PP_ST_SHOWN, "(");
    for (int d = 0; d < rank; d++)
        pp_append(buffer, PP_ST_SHOWN, "%s%" PRId64, d > 0 ? ", " : "", shape[d]);
    pp_append(buffer, PP_ST_SHOWN, ")");
    return buffer;
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16: 1 sign, 5 exponent, 10 mantissa bits. Exact in binary32. */
static float from_f16(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = (half >> 10) & 0x1f;
    uint32_t mantissa = half & 0x3ff;
    if (exponent == 0) /* zero or subnormal: units of 2^-24 */
        return copysignf((float)mantissa * 0x1p-24f, sign ? -1.0f : 1.0f);
    if (exponent == 0x1f) /* infinity or NaN */
        return from_bits(sign | 0x7f800000 | mantissa << 13);
    return from_bits(sign | (exponent + 127 - 15) << 23 | mantissa << 13);
}

/* bfloat16: the upper half of a binary32. */
static float from_bf16(uint16_t half)
{
    return from_bits((uint32_t)half << 16);
}

enum { PIECE = 1 << 12 };

static int read_halves(const struct pp_st_file *file, const struct pp_st_tensor *tensor,
                       float (*convert)(uint16_t half), float *data,
                       struct pp_error *error)
{
    uint16_t halves[PIECE];
    size_t count = tensor->bytes / sizeof *halves;
    for (size_t at = 0; at < count; at += PIECE) {
        size_t some = count - at < PIECE ? count - at : PIECE;
        if (pp_input_read(&file->input, tensor->offset + at * sizeof *halves, halves,
                          some * sizeof *halves, error) != 0)
            return -1;
        for (size_t i = 0; i < some; i++)
            data[at + i] = convert(halves[i]);
    }
    return 0;
}

int pp_st_same(const struct pp_st_file *file, const struct pp_st_tensor *tensor,
               const struct pp_st_file *other_file, const struct pp_st_tensor *other,
               bool *same, struct pp_error *error)
{
    unsigned char here[PIECE], there[PIECE];
    *same = tensor->dtype == other->dtype && tensor->bytes == other->bytes;
    for (size_t at = 0; at < tensor->bytes && *same; at += PIECE) {
        size_t some = tensor->bytes - at < PIECE ? tensor->bytes - at : PIECE;
        if (pp_input_read(&file->input, tensor->offset + at, here, some, error) != 0 ||
            pp_input_read(&other_file->input, other->offset + at, there, some, error) !=
                0)
            return -1;
        *same = memcmp(here, there, some) == 0;
    }
    return 0;
}

int pp_st_expect(const struct pp_st_file *file, const struct pp_st_tensor *tensor,
                 int rank, const int *shape, struct pp_error *error)
{
    assert(rank <= MAX_RANK);
    int64_t wanted[MAX_RANK];
    bool same = rank == tensor->rank;
    for (int d = 0; d < rank; d++) {
        wanted[d] = shape[d];
        same = same && wanted[d] == tensor->shape[d];
    }
    char has[PP_ST_SHOWN], needs[PP_ST_SHOWN];
    if (!same)
        return refuse_tensor(file->input.path, tensor->name, error,
                             "has the shape %s, the model needs %s",
                             shape_text(tensor->rank, tensor->shape, has),
                             shape_text(rank, wanted, needs));
    if (tensor->dtype == PP_I32)
        return refuse_tensor(file->input.path, tensor->name, error,
                             "has the dtype I32, the model needs F32, F16 or BF16");
    return 0;
}

int pp_st_read(const struct pp_st_file *file, const char *name, int rank,
               const int *shape, float *data, struct pp_error *error)
{
    const struct pp_st_tensor *tensor = pp_st_find(file, name);
    if (tensor == NULL)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' has no F32, F16 or BF16 tensor '%s' (nor "
                       "'transformer.%s'), which the model needs",
                       file->input.path, name, name);
    if (pp_st_expect(file, tensor, rank, shape, error) != 0)
        return -1;
    if (tensor->dtype == PP_F32)
        return pp_input_read(&file->input, tensor->offset, data, tensor->bytes, error);
    return read_halves(file, tensor, tensor->dtype == PP_F16 ? from_f16 : from_bf16,
                       data, error);
}
