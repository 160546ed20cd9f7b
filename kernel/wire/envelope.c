#include "kernel/wire/envelope.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "core/base/catch.h"
#include "core/base/jsonwrite.h"

void envelope_init(struct envelope *envelope) {
    unsigned char b[16];
    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b) {
        catch_throw(ERR_BUG, "the system gives no random bytes for the session's name");
    }
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    char *out = envelope->session;
    for (int i = 0; i < 16; i++) {
        out += sprintf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
    }
    envelope->sent = 0;
}

const char *envelope_date(char out[ENVELOPE_DATE]) {
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    size_t used = strftime(out, ENVELOPE_DATE, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out + used, ENVELOPE_DATE - used, ".%06ldZ", now.tv_nsec / 1000);
    return out;
}

const char *envelope_id(const struct envelope *envelope, char out[ENVELOPE_ID]) {
    snprintf(out, ENVELOPE_ID, "%s_%llu", envelope->session,
             (unsigned long long)envelope->sent);
    return out;
}

void envelope_header(struct envelope *envelope, struct buf *out, const char *type) {
    char date[ENVELOPE_DATE];
    buf_printf(
        out,
        "{\"msg_id\":\"%s_%llu\",\"session\":\"%s\",\"username\":\"cutaway\",\"date\":\"%s\",",
        envelope->session, (unsigned long long)++envelope->sent, envelope->session,
        envelope_date(date));
    buf_printf(out, "\"msg_type\":\"%s\",\"version\":\"" ENVELOPE_VERSION "\"}", type);
}
