/* A message as it lies on the wire; its frames end with 0x1e. */
#include <string.h>

#include <jansson.h>

#include "core/base/jsoncheck.h"
#include "kernel/wire/frames.h"
#include "kernel/wire/sign.h"
#include "tests/fuzz/targets.h"

enum { PIECES_MOST = FRAMES_MOST + 20 };

/* What is written of JSON that was read is read as the same. */
static void check_object(struct arena *arena, struct frame frame) {
    struct err err = { 0 };
    must(!jsoncheck_object(frame.bytes, frame.length) || targets_json(frame));
    json_t *first = frames_object(arena, frame, &err);
    if (!first) {
        must(err.kind == ERR_FORMAT && err.text[0]);
        return;
    }
    must(frames_depth(frame) <= FRAMES_DEPTH_MOST);
    must(jsoncheck_object(frame.bytes, frame.length));
    char *text = json_dumps(first, 0);
    must(text);
    json_t *second = frames_object(arena, (struct frame){ text, strlen(text) }, &err);
    must(second && json_equal(first, second));
    arena_defer(arena, free, text);
    json_decref(first);
    json_decref(second);
}

static void check_members(const struct message *message) {
    static const char *const keys[] = { "code", "cursor_pos", "silent", "" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        size_t length;
        const char *text = frames_text(message, keys[i], &length);
        must(text && !text[length]);
        long long number = frames_number(message, keys[i], 7);
        must(frames_number(message, keys[i], 8) == number || number == 7);
        frames_flag(message, keys[i], false);
    }
}

static void check_read(struct message *message) {
    struct err err = { 0 };
    if (frames_read(message, &err) < 0) {
        must(err.kind == ERR_FORMAT && err.text[0]);
        return;
    }
    must(message->type && (message->bad || (message->content && message->parent)));
    must(message->parts[0].length <= FRAMES_HEADER_MOST);
    must(!message->bad || message->bad[0]);
    json_t *header =
        frames_object(message->arena, message->parts[0], &err); /* every answer's parent */
    must(header &&
         strcmp(json_string_value(json_object_get(header, "msg_type")), message->type) == 0);
    json_decref(header);
    check_members(message);
}

/* Our signature holds, and holds for no other bytes. */
static void check_signature(const struct sign *sign, const struct message *message) {
    enum { SIGN_LENGTH = 64 };
    unsigned char digest[SIGN_DIGEST];
    char hex[SIGN_MOST + 1];
    must(sign_make(sign, message->parts, 4, hex) == SIGN_LENGTH);
    const struct frame ours = { hex, SIGN_LENGTH };
    must(sign_holds(sign, ours, message->parts, 4, digest));
    must(!sign_holds(sign, message->signature, message->parts, 4, digest) ||
         (message->signature.length == SIGN_LENGTH &&
          memcmp(message->signature.bytes, hex, SIGN_LENGTH) == 0));
    struct frame other[4];
    memcpy(other, message->parts, sizeof other);
    other[3] = (struct frame){ "other", 5 };
    must(!sign_holds(sign, ours, other, 4, digest) ||
         (message->parts[3].length == 5 && memcmp(message->parts[3].bytes, "other", 5) == 0));
}

static void check_split(struct message *message, const struct frame *frames, int count) {
    struct err err = { 0 };
    if (frames_split(message, frames, count, &err) < 0) {
        must(err.kind == ERR_FORMAT && err.text[0]);
        return;
    }
    must(message->ids == frames && message->id_count + 6 + message->buffer_count == count);
    must(message->buffers == frames + count - message->buffer_count);
    must(message->signature.bytes == frames[message->id_count + 1].bytes);
    struct sign *sign = sign_new(message->arena, "hmac-sha256", "a key", 5, &err);
    must(sign);
    check_signature(sign, message);
    for (int i = 0; i < 4; i++) {
        check_object(message->arena, message->parts[i]);
    }
    check_read(message);
}

void target_frames(const uint8_t *bytes, size_t length) {
    struct frame rest = { (const char *)bytes, length }, piece;
    struct arena *arena = arena_new();
    struct message *message = arena_alloc(arena, sizeof *message);
    struct frame *frames = arena_array(arena, PIECES_MOST, sizeof *frames);
    int count = 0;
    while (count < PIECES_MOST && targets_piece(&rest, 0x1e, &piece)) {
        frames[count].bytes = targets_copy(arena, piece.bytes, piece.length);
        frames[count++].length = piece.length;
    }
    message->arena = arena;
    check_split(message, frames, count);
    frames_free(message);
}
