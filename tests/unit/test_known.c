/* known: what a worker that has been broken into may tell, and what front ends hear of it. */
#include "kernel/front/known.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/jsontree.h"
#include "core/base/jsonwrite.h"
#include "kernel/front/minder.h"
#include "kernel/relay/relay.h"
#include "tests/check.h"

static void free_known(void *what) {
    known_free(what);
}

static struct known *known_here(void) {
    struct known *known = known_new(check_arena());
    arena_defer(check_arena(), free_known, known);
    return known;
}

static bool status(struct known *known, const char *text) {
    size_t length = strlen(text);
    return known_status(known, check_guarded(check_arena(), text, length), length);
}

/* What a front end is told at that time. */
static const char *said(const struct known *known, int64_t now) {
    struct jsonwrite w = { .out = buf_new(check_arena()) };
    struct err err = { 0 };
    json_open(&w, '{');
    known_write(known, check_arena(), &w, now);
    json_close(&w, '}');
    check(json_parse(check_arena(), w.out->data, w.out->length, "state", &err));
    check_same(err.text, "");
    return w.out->data;
}

static const char good[] =
    "{\"models\":[{\"handle\":\"a\"}],\"results\":[],\"settings\":{\"theme\":\"light\"}}";

TEST(known_is_empty_before_anything_was_told) {
    check_same(said(known_here(), 5),
               "{\"models\":[],\"results\":[],\"settings\":{},\"running\":null}");
}

TEST(known_says_what_it_was_told_and_whether_it_is_new) {
    struct known *known = known_here();
    check(status(known, good));
    check(!status(known, good));
    check_text(said(known, 5), "\"models\":[{\"handle\":\"a\"}]");
    check_text(said(known, 5), "\"settings\":{\"theme\":\"light\"},\"running\":null");
}

TEST(known_keeps_the_last_that_could_be_read) {
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"models\":{},\"results\":[],\"settings\":{}}",
        "{\"models\":[],\"results\":[]}",
        "{\"models\":[],\"results\":[],\"settings\":[]}",
        "{\"models\":[],\"models\":[],\"results\":[],\"settings\":{}}",
        "\xff\xfe",
        "{\"models\":[99999999999999999999],\"results\":[],\"settings\":{}}",
    };
    struct known *known = known_here();
    status(known, good);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        check(!status(known, bad[i]));
        known_sites(known, bad[i], strlen(bad[i]));
    }
    char *deep = arena_alloc(check_arena(), 300001);
    memset(deep, '[', 300000);
    check(!status(known, deep));
    check_text(said(known, 5), "\"handle\":\"a\"");
    /* Settings that are none of ours, or no texts, are left out. */
    status(known, "{\"models\":[],\"results\":[],\"settings\":{\"theme\":7,\"x\":\"y\","
                  "\"time\":\"on\"}}");
    check_text(said(known, 5), "\"settings\":{\"time\":\"on\"}");
}

TEST(known_sites_are_those_of_the_handle) {
    static const char told[] = "{\"mini\":[{\"name\":\"logits\"}],\"odd\":7}";
    struct known *known = known_here();
    struct err err = { 0 };
    struct jsonwrite w = { .out = buf_new(check_arena()) };
    check_int(known_write_sites(known, check_arena(), &w, "mini", &err), -1);
    check_same(err.text, "no model is loaded");
    known_sites(known, told, sizeof told - 1);
    json_open(&w, '{');
    check_int(known_write_sites(known, check_arena(), &w, "mini", &err), 0);
    check_same(w.out->data, "{\"sites\":[{\"name\":\"logits\"}]");
    check_int(known_write_sites(known, check_arena(), &w, "mimi", &err), -1);
    check_same(err.text, "no model is loaded as mimi: did you mean mini?");
    check_int(known_write_sites(known, check_arena(), &w, "odd", &err), -1);
    check_int(known_write_sites(known, check_arena(), &w, "\x1b", &err), -1);
    check_text(err.text, "\\x1b");
}

TEST(known_cell_is_its_first_line) {
    struct known *known = known_here();
    static const char code[] = " \r\n\t\n%%attention --layer 3\r\nThe cat";
    known_cell(known, code, sizeof code - 1, 1000);
    check_text(
        said(known, 2500),
        "\"running\":{\"code\":\"%%attention --layer 3\",\"seconds\":1.5,\"progress\":null}");
    char *wide = arena_alloc(check_arena(), 3001); /* 1,000 times 3 bytes */
    for (int i = 0; i < 3000; i += 3) {
        strcpy(wide + i, "猫");
    }
    known_cell(known, wide + 1, 2999, 1000); /* begins within a character */
    check(strlen(said(known, 1000)) < 500);
    known_cell(known, "", 0, 1000);
    check_text(said(known, 1000), "\"running\":{\"code\":\"\",\"seconds\":0");
    known_cell(known, NULL, 0, 0);
    check_text(said(known, 5), "\"running\":null");
}

static bool progress(struct known *known, int64_t done, double left, const char *what,
                     int64_t now) {
    char frame[600];
    const struct relay_progress head = { done, 10, left };
    memcpy(frame, &head, sizeof head);
    size_t length = sizeof head + (size_t)snprintf(frame + sizeof head, 500, "%s", what);
    return known_progress(known, check_guarded(check_arena(), frame, length), length, now);
}

TEST(known_progress_passes_five_a_second) {
    struct known *known = known_here();
    int passed = 0;
    known_cell(known, "%x", 2, 1000);
    for (int64_t now = 1000; now < 3000; now += 7) {
        passed += progress(known, now, 3.25, "reading", now);
    }
    check_int(passed, 10);
    check_text(said(known, 3000),
               "\"progress\":{\"what\":\"reading\",\"done\":2995,\"total\":10,\"eta\":3.25}");
    check(progress(known, 1, -1, "late", 9000));
    check_text(said(known, 9000), "\"eta\":null");
    check(!progress(known, 1, -1, "", 20000)); /* it is done */
    check_text(said(known, 20000), "\"progress\":null");
}

TEST(known_progress_trusts_no_length) {
    struct known *known = known_here();
    known_cell(known, "%x", 2, 1000);
    char bytes[sizeof(struct relay_progress)] = { 0 };
    for (size_t n = 0; n < sizeof bytes; n++) {
        check(!known_progress(known, check_guarded(check_arena(), bytes, n), n, 1000));
        known_settled(known, check_guarded(check_arena(), bytes, n), n);
    }
    char *long_one = arena_alloc(check_arena(), 500);
    memset(long_one, 'x', 499);
    check(progress(known, 1, (double)NAN, long_one, 1000));
    check(strlen(said(known, 1000)) < 600);
    check_text(said(known, 1000), "\"eta\":null");
}

/* What is sent to it goes nowhere: no worker lives. */
static struct minder *minder_here(void) {
    return minder_new(check_arena(), &(struct minder_listener){ 0 }, NULL);
}

TEST(known_says_a_setting_once_until_it_is_answered) {
    struct known *known = known_here();
    struct minder *minder = minder_here();
    char value[20];
    uint64_t ticket;
    known_set(known, "theme", "dark");
    check_int(known_say(known, minder, KNOWN_SAY_NEXT), 1);
    for (int i = 0; i < 1000; i++) { /* tickets 2 to 1001 */
        snprintf(value, sizeof value, "%d", i);
        known_set(known, "seed", value);
        check_int(known_say(known, minder, KNOWN_SAY_NEXT), i == 0);
    }
    check_int(known_say(known, minder, KNOWN_SAY_LAST), 1); /* a cell would begin */
    check_int(known_say(known, minder, KNOWN_SAY_LAST), 0);
    known_set(known, "seed", "7");
    for (ticket = 1; ticket <= 1000; ticket++) { /* the last one said is not answered */
        known_settled(known, (char *)&ticket, sizeof ticket);
        check_int(known_say(known, minder, KNOWN_SAY_NEXT), 0);
    }
    known_settled(known, (char *)&ticket, sizeof ticket);
    check_int(known_say(known, minder, KNOWN_SAY_NEXT), 1);
    check_text(said(known, 5), "\"seed\":\"7\"");
    check_int(known_say(known, minder, KNOWN_SAY_ALL), 1); /* theme was answered */
    ticket++;
    known_settled(known, (char *)&ticket, sizeof ticket);
    check_int(known_say(known, minder, KNOWN_SAY_ALL), 0);
}

TEST(known_setting_counts_until_the_worker_has_it) {
    struct known *known = known_here();
    struct minder *minder = minder_here();
    status(known, good);
    known_set(known, "theme", "dark");
    known_set(known, "seed", "7");
    known_say(known, minder, KNOWN_SAY_NEXT);
    known_set(known, "seed", "8");
    check_text(said(known, 5), "\"theme\":\"dark\",\"seed\":\"8\"");
    uint64_t ticket = 2; /* the seed that was overtaken */
    known_settled(known, (char *)&ticket, sizeof ticket);
    check_text(said(known, 5), "\"seed\":\"8\"");
    known_say(known, minder, KNOWN_SAY_NEXT);
    for (ticket = 1; ticket <= 3; ticket++) {
        known_settled(known, (char *)&ticket, sizeof ticket);
    }
    check_text(said(known, 5),
               "\"settings\":{\"theme\":\"light\"}"); /* as the worker tells it */
}
