#include "core/text/label.h"

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "core/text/classes.h"

/* What holds an emoji or a ligature together is left in peace inside it. */
static bool is_shown_as_code(uint32_t code, bool alone) {
    bool joins = code == 0x200c || code == 0x200d || code >= 0xe0020;
    return classes_is_blank(code) || (utf8_is_hidden(code) && (alone || !joins));
}

const char *label(struct arena *arena, const char *bytes, size_t length) {
    struct buf *out = buf_new(arena);
    for (size_t i = 0; i < length;) {
        uint32_t code = 0;
        int n = utf8_decode(bytes + i, length - i, &code);
        if (n < 0) {
            buf_printf(out, "<0x%02X>", (unsigned char)bytes[i]);
        } else if (code == ' ') {
            buf_text(out, "\u2423");
        } else if (code == '\n') {
            buf_text(out, "\u23ce");
        } else if (code < 32 || code == 127) {
            buf_printf(out, "<0x%02X>", code);
        } else if (is_shown_as_code(code, n == (int)length)) {
            buf_printf(out, "<U+%04X>", code);
        } else {
            buf_add(out, bytes + i, (size_t)n);
        }
        i += (size_t)(n > 0 ? n : 1);
    }
    return out->length ? out->data : "<empty>";
}
