/* envelope: what every message begins with. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/catch.h"
#include "core/base/jsontree.h"
#include "kernel/wire/envelope.h"
#include "tests/check.h"
#include "tests/faults.h"

TEST(envelope_numbers_messages_of_one_session) {
    struct envelope envelope;
    envelope_init(&envelope);
    for (int i = 1; i <= 3; i++) {
        struct buf *out = buf_new(check_arena());
        struct err err;
        char wanted[80];
        envelope_header(&envelope, out, "status");
        const struct json *header =
            json_parse(check_arena(), out->data, out->length, "header", &err);
        snprintf(wanted, sizeof wanted, "\"msg_id\":\"%s_%d\"", envelope.session, i);
        check(header != NULL);
        check_text(out->data, wanted);
        check_text(out->data, "\"msg_type\":\"status\",\"version\":\"5.5\"");
    }
}

TEST(envelope_session_is_a_random_uuid) {
    struct envelope a, b;
    envelope_init(&a);
    envelope_init(&b);
    check(strcmp(a.session, b.session) != 0);
    check_int(strlen(a.session), 36);
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        check(dash ? a.session[i] == '-' : strchr("0123456789abcdef", a.session[i]) != NULL);
    }
    check(a.session[14] == '4' && strchr("89ab", a.session[19]));
}

TEST(envelope_needs_random_bytes) {
    struct envelope envelope;
    struct catch here;
    faults_set("getrandom", 0, 1, ENOSYS);
    if (setjmp(catch_set(&here)->place) == 0) {
        envelope_init(&envelope);
        check(false);
    }
    catch_end(&here);
    faults_end();
    check_text(here.err.text, "no random bytes");
}

TEST(envelope_date_is_utc_with_microseconds) {
    char date[ENVELOPE_DATE];
    int year, rest[5], micro, end = 0;
    int got = sscanf(envelope_date(date), "%4d-%2d-%2dT%2d:%2d:%2d.%6dZ%n", &year, &rest[0],
                     &rest[1], &rest[2], &rest[3], &rest[4], &micro, &end);
    check_int(got, 7);
    check_int(end, 27);
    check_int(strlen(date), 27);
}
