#include "core/tensor/safetensors_write.h"

#include <string.h>

#include "core/base/file.h"
#include "core/base/jsonwrite.h"

static void write_texts(struct jsonwrite *w, const struct safetensors_text *texts,
                        int64_t count) {
    json_key(w, "__metadata__");
    json_open(w, '{');
    for (int64_t i = 0; i < count; i++) {
        json_key(w, texts[i].key);
        json_string(w, texts[i].value);
    }
    json_close(w, '}');
}

static void write_entry(struct jsonwrite *w, const struct tensor *tensor, int64_t begin) {
    json_key(w, tensor->name);
    json_open(w, '{');
    json_key(w, "dtype");
    json_string(w, dtype_name(tensor->dtype));
    json_key(w, "shape");
    json_open(w, '[');
    for (int i = 0; i < tensor->rank; i++) {
        json_int(w, tensor->shape[i]);
    }
    json_close(w, ']');
    json_key(w, "data_offsets");
    json_open(w, '[');
    json_int(w, begin);
    json_int(w, begin + tensor_bytes(tensor));
    json_close(w, ']');
    json_close(w, '}');
}

/* The length and the header, padded. */
static void write_header(struct buf *out, const struct tensor *const *tensors, int64_t count,
                         const struct safetensors_text *texts, int64_t text_count) {
    struct jsonwrite w = { .out = out };
    memset(buf_more(out, 8), 0, 8);
    json_open(&w, '{');
    if (text_count > 0) {
        write_texts(&w, texts, text_count);
    }
    int64_t begin = 0;
    for (int64_t i = 0; i < count; i++) {
        write_entry(&w, tensors[i], begin);
        begin += tensor_bytes(tensors[i]);
    }
    json_close(&w, '}');
    while (out->length % 8 != 0) {
        buf_char(out, ' ');
    }
    uint64_t length = out->length - 8;
    for (int i = 0; i < 8; i++) {
        out->data[i] = (char)(length >> 8 * i & 0xff);
    }
}

int safetensors_write_with(const char *path, const struct tensor *const *tensors, int64_t count,
                           const struct safetensors_text *texts, int64_t text_count,
                           struct err *err) {
    for (int64_t i = 0; i < count; i++) {
        if (!tensors[i]->name || dtype_block(tensors[i]->dtype) != 1) {
            return err_set(err, ERR_BUG, "tensor %lld of %s has %s, so it cannot be written",
                           (long long)i, path,
                           tensors[i]->name ? "a block-quantised type" : "no name");
        }
    }
    struct arena *arena = arena_new();
    struct buf *header = buf_new(arena);
    write_header(header, tensors, count, texts, text_count);
    struct file_piece *pieces = arena_array(arena, count + 1, sizeof *pieces);
    pieces[0] = (struct file_piece){ header->data, header->length };
    for (int64_t i = 0; i < count; i++) {
        pieces[i + 1] =
            (struct file_piece){ tensors[i]->bytes, (size_t)tensor_bytes(tensors[i]) };
    }
    int done = file_write_pieces(path, pieces, count + 1, err);
    arena_free(arena);
    return done;
}

int safetensors_write(const char *path, const struct tensor *const *tensors, int64_t count,
                      struct err *err) {
    return safetensors_write_with(path, tensors, count, NULL, 0, err);
}
