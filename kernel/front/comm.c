#include "kernel/front/comm.h"

#include "core/base/jsonwrite.h"

void comm_info(struct front *front, struct message *request) {
    struct buf *out = buf_new(request->arena);
    buf_text(out, "{\"status\":\"ok\",\"comms\":{}}");
    front_reply(front, request, "comm_info_reply", out);
}

void comm_open(struct front *front, struct message *request) {
    struct buf *out = buf_new(request->arena);
    struct jsonwrite w = { .out = out };
    size_t length;
    const char *id = frames_text(request, "comm_id", &length);
    json_open(&w, '{');
    json_key(&w, "comm_id");
    json_bytes(&w, id, length);
    json_key(&w, "data");
    json_raw(&w, "{}", 2);
    json_close(&w, '}');
    front_publish(front, request, "comm_close", out);
}

void comm_other(struct front *front, struct message *request) {
    (void)front, (void)request; /* no comm is open */
}
