#include "kernel/front/status.h"

#include <string.h>

static void say(struct front *front, const struct message *parent, const char *content) {
    sockets_publish(front->sockets, parent, "status",
                    (struct frame){ content, strlen(content) }, NULL);
}

void status_starting(struct front *front) {
    say(front, NULL, "{\"execution_state\":\"starting\"}");
}

void status_busy(struct front *front, const struct message *parent) {
    say(front, parent, "{\"execution_state\":\"busy\"}");
}

void status_idle(struct front *front, const struct message *parent) {
    say(front, parent, "{\"execution_state\":\"idle\"}");
    if (front->running.message && front->running.message != parent) {
        status_busy(front, front->running.message);
    }
}
