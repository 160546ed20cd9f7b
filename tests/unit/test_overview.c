/* overview: a session as JSON, and the places of every kind of model. */
#include "kernel/session/overview.h"

#include <string.h>

#include "core/base/jsontree.h"
#include "core/explain/site_info.h"
#include "tests/check.h"
#include "tests/fixture.h"

static void close_session(void *what) {
    session_free(what);
}

static struct session *session_here(void) {
    struct session *session = session_new();
    arena_defer(check_arena(), close_session, session);
    return session;
}

static const struct json *read(const char *text) {
    struct err err = { 0 };
    const struct json *tree = json_parse(check_arena(), text, strlen(text), "overview", &err);
    check_same(err.text, "");
    return tree;
}

static void load(struct session *session, const char *name, const char *handle) {
    struct err err;
    const char *path = check_fixture(
        check_arena(), arena_printf(check_arena(), "golden/data/models/%s", name));
    session_begin(session);
    check(session_load(session, path, handle, &err) != NULL);
    session_end(session);
}

TEST(overview_tells_models_results_and_settings) {
    struct session *session = session_here();
    const struct json *tree = read(overview_state(session, check_arena()));
    check_int(json_at(tree, "models")->count, 0);
    load(session, "bert_mlm", "b\"");
    load(session, "lstm_lm", "l");
    struct result *result = result_new(check_arena(), "table", 0);
    char *title = arena_alloc(check_arena(), 1000);
    for (int i = 0; i < 999; i += 3) {
        memcpy(title + i, "猫", 3);
    }
    result->title = title;
    session_begin(session);
    session_keep(session, "r", result);
    session_end(session);
    tree = read(overview_state(session, check_arena()));
    const struct json *models = json_at(tree, "models"), *first = models->first;
    check_int(models->count, 2);
    check_same(json_text_at(first, "handle", ""), "b\"");
    check_same(json_text_at(first, "name", ""), "bert_mlm");
    check_same(json_text_at(first, "arch", ""), "bert");
    check_same(json_text_at(first, "dtype", ""), "F32");
    check(json_int_at(first, "mapped", 0) > json_int_at(first, "parameters", 0));
    check(!json_bool_at(first, "inUse", true) && json_bool_at(first->next, "inUse", false));
    const struct json *kept = json_at(tree, "results")->first;
    check_same(json_text_at(kept, "name", ""), "r");
    check(strlen(json_text_at(kept, "title", "")) == 300);
    check(json_int_at(kept, "bytes", 0) > 0);
    check_same(json_text_at(json_at(tree, "settings"), "theme", ""), "light");
    const struct json *sites = read(overview_sites(session, check_arena()));
    check(json_at(sites, "b\"")->count > 30 && json_at(sites, "l")->count > 3);
}

TEST(overview_tells_the_last_results_alone) {
    struct session *session = session_here();
    const struct result *result = result_new(check_arena(), "table", 0);
    session_begin(session);
    for (int i = 0; i < OVERVIEW_RESULTS + 10; i++) {
        session_keep(session, arena_printf(check_arena(), "r%d", i), result);
    }
    session_end(session);
    const struct json *results =
        json_at(read(overview_state(session, check_arena())), "results");
    check_int(results->count, OVERVIEW_RESULTS);
    check_same(json_text_at(results->first, "name", ""), "r10");
}

/* Each place once, in the order of a run, and each one that %info knows. */
TEST(site_places_are_those_that_info_knows) {
    static const char *const names[] = { "bert_mlm", "bert_cls", "gpt2",  "llama_smollm2",
                                         "t5",       "lstm_lm",  "rnn_lm" };
    for (size_t m = 0; m < sizeof names / sizeof *names; m++) {
        const struct model *model = fixture_model(names[m]);
        int64_t count;
        const struct site_place *places = site_places(check_arena(), model, &count);
        check(count > 3);
        for (int64_t i = 0; i < count; i++) {
            struct err err = { 0 };
            site_info(check_arena(), model, "m", places[i].name, "en", &err);
            check(err.kind == ERR_NONE || strstr(err.text, "holds no head"));
            check(places[i].site[0] && places[i].shape[0]);
            for (int64_t k = 0; k < i; k++) {
                check(strcmp(places[i].name, places[k].name) != 0);
            }
        }
    }
}

TEST(site_places_say_shapes_in_words) {
    const struct model *model = fixture_model("bert_mlm");
    int64_t count, heads = model->config->heads;
    const struct site_place *places = site_places(check_arena(), model, &count);
    check_same(places[0].name, "hook_embed");
    check_int(places[0].layer, -1);
    check_same(places[count - 1].name, "logits");
    for (int64_t i = 0; i < count; i++) {
        if (strcmp(places[i].name, "blocks.1.attn.hook_pattern") == 0) {
            check_same(places[i].site, "attention");
            check_int(places[i].layer, 1);
            check_same(places[i].shape, arena_printf(check_arena(), "%lld heads × query × key",
                                                     (long long)heads));
        }
    }
}
