#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/buf.h"
#include "core/base/catch.h"
#include "core/base/file.h"
#include "core/base/jsonwrite.h"
#include "core/base/utf8.h"
#include "core/result/result.h"
#include "core/tensor/safetensors_write.h"

/* Elements of a series that belong to one step along axis `i`. */
static int64_t stride(const struct tensor *tensor, int i) {
    int64_t n = 1;
    for (int k = i + 1; k < tensor->rank; k++) {
        n *= tensor->shape[k];
    }
    return n;
}

/* --- npy: NumPy's format, version 1.0 (numpy.lib.format) --- */

/* The magic, the header with this dtype and shape, padded so that the data begins at a multiple
 * of 64 bytes. A text array ("<U7") holds code points of 32 bits. */
static void npy_header(struct buf *out, const char *descr, int rank, const int64_t *shape) {
    size_t start = out->length;
    buf_add(out, "\x93NUMPY\x01\x00\x00\x00", 10);
    buf_printf(out, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int i = 0; i < rank; i++) {
        buf_printf(out,
                   i == 0         ? "%lld,"
                   : i + 1 < rank ? " %lld,"
                                  : " %lld",
                   (long long)shape[i]);
    }
    buf_text(out, "), }");
    while ((out->length - start) % 64 != 63) {
        buf_char(out, ' ');
    }
    buf_char(out, '\n');
    size_t length = out->length - start - 10;
    out->data[start + 8] = (char)(length & 0xff);
    out->data[start + 9] = (char)(length >> 8);
}

enum { STEP = 1 << 21 /* bytes between two looks for an interrupt */ };

/* As buf_add, of bytes that may be many. */
static void add_long(struct buf *out, const void *bytes, size_t length) {
    char *place = buf_more(out, length);
    for (size_t at = 0; at < length; at += STEP) {
        stop_check();
        memcpy(place + at, (const char *)bytes + at, length - at < STEP ? length - at : STEP);
    }
}

static void npy_floats(struct buf *out, const struct tensor *tensor) {
    npy_header(out, "<f4", tensor->rank, tensor->shape);
    add_long(out, tensor->data, (size_t)tensor_bytes(tensor));
}

static void npy_text(struct buf *out, const char *text, int64_t width) {
    size_t length = strlen(text);
    for (int64_t k = 0; k < width; k++) {
        if (k % STOP_EVERY == 0) {
            stop_check();
        }
        uint32_t code = 0;
        int n = utf8_decode(text, length, &code);
        if (n < 0) {
            n = 1;
            code = 0xfffd;
        }
        char bytes[4] = { (char)code, (char)(code >> 8), (char)(code >> 16), 0 };
        buf_add(out, bytes, 4);
        text += n;
        length -= (size_t)n;
    }
}

/* Texts as an array of dtype <U; rank 0 for a single text. */
static void npy_texts(struct buf *out, const char *const *texts, int rank, int64_t count) {
    int64_t width = 1;
    for (int64_t i = 0; i < count; i++) {
        stop_check();
        int64_t n = utf8_count(texts[i], strlen(texts[i]));
        width = n > width ? n : width;
    }
    char descr[24];
    snprintf(descr, sizeof descr, "<U%lld", (long long)width);
    npy_header(out, descr, rank, &count);
    for (int64_t i = 0; i < count; i++) {
        npy_text(out, texts[i], width);
    }
}

static int save_npy(struct arena *arena, const struct result *result, const char *path,
                    struct err *err) {
    struct buf *head = buf_new(arena);
    const struct tensor *values = result->series[0].values;
    npy_header(head, "<f4", values->rank, values->shape);
    const struct file_piece pieces[] = { { head->data, head->length },
                                         { values->data, (size_t)tensor_bytes(values) } };
    return file_write_pieces(path, pieces, 2, err);
}

/* --- npz: a zip of npy files, stored (PKWARE APPNOTE 6.3, without Zip64) --- */

struct zip {
    struct buf *files, *directory;
    int64_t count;
};

static uint32_t crc32_of(const void *bytes, size_t length) {
    static uint32_t table[256];
    if (!table[1]) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int k = 0; k < 8; k++) {
                c = c & 1 ? c >> 1 ^ 0xedb88320U : c >> 1;
            }
            table[i] = c;
        }
    }
    uint32_t crc = 0xffffffffU;
    const unsigned char *b = bytes;
    for (size_t i = 0; i < length; i++) {
        if (i % STEP == 0) {
            stop_check();
        }
        crc = crc >> 8 ^ table[(crc ^ b[i]) & 0xff];
    }
    return ~crc;
}

static void little(struct buf *out, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++, value >>= 8) {
        buf_char(out, (char)(value & 0xff));
    }
}

/* What the local header and the directory say alike about one stored file of 1980-01-01. */
static void zip_entry(struct buf *out, const char *name, const struct buf *content,
                      uint32_t crc) {
    little(out, 20, 2);      /* version needed: 2.0 */
    little(out, 1 << 11, 2); /* names are UTF-8 */
    little(out, 0, 2);       /* stored */
    little(out, 0, 2);       /* midnight */
    little(out, 0x21, 2);    /* 1 January 1980, so that the same result gives the same bytes */
    little(out, crc, 4);
    little(out, content->length, 4);
    little(out, content->length, 4);
    little(out, strlen(name), 2);
    little(out, 0, 2);
}

static void zip_add(struct zip *zip, const char *name, const struct buf *content) {
    uint32_t crc = crc32_of(content->data, content->length);
    size_t offset = zip->files->length;
    buf_add(zip->files, "PK\3\4", 4);
    zip_entry(zip->files, name, content, crc);
    buf_text(zip->files, name);
    add_long(zip->files, content->data, content->length);

    buf_add(zip->directory, "PK\1\2", 4);
    little(zip->directory, 20, 2);
    zip_entry(zip->directory, name, content, crc);
    little(zip->directory, 0, 2 + 2 + 2 + 4); /* no comment, disk 0, no attributes */
    little(zip->directory, offset, 4);
    buf_text(zip->directory, name);
    zip->count++;
}

static void zip_end(struct zip *zip) {
    size_t offset = zip->files->length;
    buf_add(zip->files, zip->directory->data, zip->directory->length);
    buf_add(zip->files, "PK\5\6", 4);
    little(zip->files, 0, 4);
    little(zip->files, (uint64_t)zip->count, 2);
    little(zip->files, (uint64_t)zip->count, 2);
    little(zip->files, zip->directory->length, 4);
    little(zip->files, offset, 4);
    little(zip->files, 0, 2);
}

static void npz_series(struct arena *arena, struct zip *zip, const struct series *series) {
    struct buf *content = buf_new(arena);
    npy_floats(content, series->values);
    zip_add(zip, arena_printf(arena, "%s.npy", series->name), content);
    for (int i = 0; i < series->values->rank; i++) {
        const struct axis *axis = &series->axes[i];
        if (axis->labels) {
            buf_clear(content);
            npy_texts(content, axis->labels, 1, axis->count);
            zip_add(zip, arena_printf(arena, "%s.%s.npy", series->name, axis->name), content);
        }
    }
}

static void npz_names(struct arena *arena, struct zip *zip, const struct series *series) {
    struct buf *content = buf_new(arena);
    npy_texts(content, series->names, 1, tensor_count(series->values));
    zip_add(zip, arena_printf(arena, "%s.names.npy", series->name), content);
}

static int save_npz(struct arena *arena, const struct result *result, const char *path,
                    struct err *err) {
    struct zip zip = { .files = buf_new(arena), .directory = buf_new(arena) };
    int64_t bytes = 0;
    for (int64_t i = 0; i < result->count; i++) {
        bytes += tensor_bytes(result->series[i].values);
    }
    if (bytes > INT64_C(4000000000)) {
        return err_set(err, ERR_UNSUPPORTED,
                       "%s would have %.1f GB and an .npz holds 4: save it as .safetensors",
                       path, (double)bytes / 1e9);
    }
    for (int64_t i = 0; i < result->count; i++) {
        npz_series(arena, &zip, &result->series[i]);
        if (result->series[i].names) {
            npz_names(arena, &zip, &result->series[i]);
        }
    }
    struct buf *content = buf_new(arena);
    const char *line = result_provenance(arena, result);
    npy_texts(content, &line, 0, 1);
    zip_add(&zip, "provenance.npy", content);
    zip_end(&zip);
    return file_write(path, zip.files->data, zip.files->length, err);
}

/* --- csv: one line a value, with the place on every axis (RFC 4180) --- */

static void csv_field(struct buf *out, const char *text) {
    if (!strpbrk(text, ",\"\r\n")) {
        buf_text(out, text);
        return;
    }
    buf_char(out, '"');
    for (; *text; text++) {
        if (*text == '"') {
            buf_char(out, '"');
        }
        buf_char(out, *text);
    }
    buf_char(out, '"');
}

/* The axes of all series by name; an axis with labels has a second column for them. */
struct columns {
    int64_t count;
    const char **names;
    bool *labelled;
    bool named; /* some series names its values */
};

static int64_t column_of(const struct columns *columns, const char *name) {
    for (int64_t i = 0; i < columns->count; i++) {
        if (strcmp(columns->names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static struct columns columns_of(struct arena *arena, const struct result *result) {
    int64_t most = result->count * TENSOR_RANK;
    struct columns columns = { .names = arena_array(arena, most, sizeof(char *)),
                               .labelled = arena_array(arena, most, sizeof(bool)) };
    for (int64_t i = 0; i < result->count; i++) {
        columns.named |= result->series[i].names != NULL;
        for (int k = 0; k < result->series[i].values->rank; k++) {
            const struct axis *axis = &result->series[i].axes[k];
            int64_t at = column_of(&columns, axis->name);
            if (at < 0) {
                at = columns.count++;
                columns.names[at] = axis->name;
            }
            columns.labelled[at] |= axis->labels != NULL;
        }
    }
    return columns;
}

static int axis_named(const struct series *series, const char *name) {
    for (int k = 0; k < series->values->rank; k++) {
        if (strcmp(series->axes[k].name, name) == 0) {
            return k;
        }
    }
    return -1;
}

static void csv_row(struct buf *out, const struct columns *columns, const struct series *series,
                    int64_t index) {
    csv_field(out, series->name);
    for (int64_t c = 0; c < columns->count; c++) {
        int k = axis_named(series, columns->names[c]);
        int64_t at = k < 0 ? 0 : index / stride(series->values, k) % series->axes[k].count;
        buf_char(out, ',');
        if (k >= 0) {
            buf_printf(out, "%lld", (long long)at);
        }
        if (columns->labelled[c]) {
            buf_char(out, ',');
            csv_field(out, k >= 0 && series->axes[k].labels ? series->axes[k].labels[at] : "");
        }
    }
    if (columns->named) {
        buf_char(out, ',');
        csv_field(out, series->names ? series->names[index] : "");
    }
    buf_printf(out, ",%.9g\r\n", (double)series->values->data[index]);
}

static int save_csv(struct arena *arena, const struct result *result, const char *path,
                    struct err *err) {
    struct buf *out = buf_new(arena);
    struct columns columns = columns_of(arena, result);
    buf_text(out, "series");
    for (int64_t c = 0; c < columns.count; c++) {
        buf_char(out, ',');
        csv_field(out, columns.names[c]);
        if (columns.labelled[c]) {
            buf_char(out, ',');
            csv_field(out, arena_printf(arena, "%s_label", columns.names[c]));
        }
    }
    buf_text(out, columns.named ? ",name,value\r\n" : ",value\r\n");
    for (int64_t i = 0; i < result->count; i++) {
        const struct series *series = &result->series[i];
        int64_t n = tensor_count(series->values);
        for (int64_t k = 0; k < n; k++) {
            stop_check();
            csv_row(out, &columns, series, k);
        }
    }
    return file_write(path, out->data, out->length, err);
}

/* --- json --- */

static void json_axis(struct jsonwrite *w, const struct axis *axis) {
    json_open(w, '{');
    json_key(w, "name");
    json_string(w, axis->name);
    json_key(w, "count");
    json_int(w, axis->count);
    if (axis->labels) {
        json_key(w, "labels");
        json_open(w, '[');
        for (int64_t i = 0; i < axis->count; i++) {
            stop_check();
            json_string(w, axis->labels[i]);
        }
        json_close(w, ']');
    }
    json_close(w, '}');
}

/* Nested lists: a bracket opens and closes wherever a dimension begins and ends. */
static void json_values(struct jsonwrite *w, const struct tensor *tensor) {
    int64_t n = tensor_count(tensor);
    if (n == 0) {
        json_open(w, '[');
        json_close(w, ']');
    }
    for (int64_t i = 0; i < n; i++) {
        if (i % 1024 == 0) {
            stop_check();
        }
        for (int k = 0; k < tensor->rank; k++) {
            if (i % (stride(tensor, k) * tensor->shape[k]) == 0) {
                json_open(w, '[');
            }
        }
        json_float(w, tensor->data[i]);
        for (int k = tensor->rank - 1; k >= 0; k--) {
            if ((i + 1) % (stride(tensor, k) * tensor->shape[k]) == 0) {
                json_close(w, ']');
            }
        }
    }
}

/* In one list, row by row. */
static void json_names(struct jsonwrite *w, const struct series *series) {
    json_open(w, '[');
    for (int64_t i = 0; i < tensor_count(series->values); i++) {
        stop_check();
        json_string(w, series->names[i]);
    }
    json_close(w, ']');
}

static void json_series(struct jsonwrite *w, const struct series *series) {
    json_open(w, '{');
    json_key(w, "name");
    json_string(w, series->name);
    json_key(w, "unit");
    json_string(w, series->unit ? series->unit : "");
    json_key(w, "axes");
    json_open(w, '[');
    for (int i = 0; i < series->values->rank; i++) {
        json_axis(w, &series->axes[i]);
    }
    json_close(w, ']');
    json_key(w, "values");
    json_values(w, series->values);
    if (series->names) {
        json_key(w, "names");
        json_names(w, series);
    }
    json_close(w, '}');
}

/* What every series shares. */
static void json_about(struct arena *arena, struct jsonwrite *w, const struct result *result) {
    json_pair(w, "schema", "cutaway.result.v1");
    json_pair(w, "kind", result->kind);
    json_pair(w, "title", result->title);
    json_pair(w, "finding", result->finding);
    json_pair(w, "text", result->text);
    json_pair(w, "model", result->model);
    json_pair(w, "fingerprint", result->fingerprint);
    json_pair(w, "method", result->method);
    json_pair(w, "provenance", result_provenance(arena, result));
    json_key(w, "notes");
    json_open(w, '{');
    for (int64_t i = 0; i < result->note_count; i++) {
        json_pair(w, result->notes[i].key, result->notes[i].value);
    }
    json_close(w, '}');
}

static int save_json(struct arena *arena, const struct result *result, const char *path,
                     struct err *err) {
    struct buf *out = buf_new(arena);
    struct jsonwrite w = { .out = out };
    json_open(&w, '{');
    json_about(arena, &w, result);
    json_key(&w, "series");
    json_open(&w, '[');
    for (int64_t i = 0; i < result->count; i++) {
        json_series(&w, &result->series[i]);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    buf_char(out, '\n');
    return file_write(path, out->data, out->length, err);
}

/* --- safetensors: the series by name; axes with their labels as JSON in the metadata --- */

static const char *axes_json(struct arena *arena, const struct series *series) {
    struct buf *out = buf_new(arena);
    struct jsonwrite w = { .out = out };
    json_open(&w, '[');
    for (int i = 0; i < series->values->rank; i++) {
        json_axis(&w, &series->axes[i]);
    }
    json_close(&w, ']');
    return out->data;
}

static const char *names_json(struct arena *arena, const struct series *series) {
    struct jsonwrite w = { .out = buf_new(arena) };
    json_names(&w, series);
    return w.out->data;
}

static int save_safetensors(struct arena *arena, const struct result *result, const char *path,
                            struct err *err) {
    int64_t n = result->count;
    const struct tensor **tensors = arena_array(arena, n, sizeof *tensors);
    struct safetensors_text *texts = arena_array(arena, 2 * n + 3, sizeof *texts);
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        struct tensor *named = arena_alloc(arena, sizeof *named);
        *named = *result->series[i].values;
        named->name = result->series[i].name;
        tensors[i] = named;
        texts[count].key = arena_printf(arena, "%s.axes", named->name);
        texts[count++].value = axes_json(arena, &result->series[i]);
        if (result->series[i].names) {
            texts[count].key = arena_printf(arena, "%s.names", named->name);
            texts[count++].value = names_json(arena, &result->series[i]);
        }
    }
    texts[count++] = (struct safetensors_text){ "title", result->title };
    texts[count++] = (struct safetensors_text){ "finding", result->finding };
    texts[count++] =
        (struct safetensors_text){ "provenance", result_provenance(arena, result) };
    return safetensors_write_with(path, tensors, n, texts, count, err);
}

typedef int save(struct arena *arena, const struct result *result, const char *path,
                 struct err *err);

static save *save_for(const char *path) {
    static const struct {
        const char *ending;
        save *save;
    } forms[] = {
        { ".npy", save_npy },
        { ".npz", save_npz },
        { ".csv", save_csv },
        { ".json", save_json },
        { ".safetensors", save_safetensors },
    };
    const char *ending = strrchr(file_name(path), '.');
    for (size_t i = 0; ending && i < sizeof forms / sizeof *forms; i++) {
        if (strcasecmp(ending, forms[i].ending) == 0) {
            return forms[i].save;
        }
    }
    return NULL;
}

int result_save(const struct result *result, const char *path, struct err *err) {
    save *write = save_for(path);
    if (!write) {
        char shown[120];
        return err_set(err, ERR_OPTION,
                       "cannot tell from the name %s what to write: numbers go to .npy, .npz, "
                       ".csv, .json or .safetensors",
                       err_quote(shown, sizeof shown, path, strlen(path)));
    }
    if (result->count == 0) {
        return err_set(err, ERR_SHAPE, "this result has no numbers to save");
    }
    struct arena *arena = arena_new();
    struct catch here;
    volatile int done = -1;
    if (setjmp(catch_set(&here)->place) == 0) {
        done = write(arena, result, path, err);
        here.err.kind = ERR_NONE;
    }
    catch_end(&here);
    arena_free(arena); /* also after an interrupt: it may hold all of the result once more */
    if (here.err.kind != ERR_NONE) {
        catch_throw(here.err.kind, "%s", here.err.text);
    }
    return done;
}
