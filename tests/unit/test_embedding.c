#include "core/explain/embedding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/catch.h"
#include "core/base/file.h"
#include "core/explain/alike.h"
#include "core/explain/atlas.h"
#include "tests/check.h"

static struct arena *arena;
static struct err err;

static struct model *model_of(const char *name) {
    arena = check_arena();
    err = (struct err){ 0 };
    struct model *model = model_open(
        arena, check_fixture(arena, arena_printf(arena, "golden/data/models/%s", name)), &err);
    check(model != NULL);
    return model;
}

enum { TEXTS = 4 };
static const char *const names[TEXTS] = { "en", "zh", "one", "repeat" };
static const char *const lines[TEXTS] = { "The model reads one token.", "猫坐在垫子上。", "a",
                                          "one two one two one two" };

static struct embedding_text *texts_of(const char *const *from, int64_t n) {
    struct embedding_text *texts = arena_array(arena, n, sizeof *texts);
    for (int64_t i = 0; i < n; i++) {
        texts[i] = (struct embedding_text){ from[i], strlen(from[i]) };
    }
    return texts;
}

/* The fixture's state of a case, [T, C]. */
static struct tensor truth_of(const char *name, int64_t layer) {
    struct weights *truth = weights_open(
        arena, check_fixture(arena, "golden/data/models/gpt2/expected.safetensors"), &err);
    const struct tensor *all = weights_at(
        truth, arena_printf(arena, "%s.%s", name,
                            layer == EMBEDDING_LAST ? "last_hidden_state" : "hidden_states"));
    struct tensor one = *all;
    if (layer != EMBEDDING_LAST) {
        one.rank = 2;
        one.shape[0] = all->shape[1];
        one.shape[1] = all->shape[2];
        one.data = all->data + layer * one.shape[0] * one.shape[1];
    }
    return one;
}

/* By the definition, from PyTorch's states. */
static void check_pooled(const float *seen, const struct tensor *states,
                         enum embedding_pool pool) {
    int64_t tokens = states->shape[0], width = states->shape[1];
    double *wanted = arena_array(arena, width, sizeof *wanted), square = 0;
    for (int64_t k = 0; k < width; k++) {
        double sum = 0, most = -INFINITY;
        for (int64_t t = 0; t < tokens; t++) {
            sum += (double)states->data[t * width + k];
            most = fmax(most, (double)states->data[t * width + k]);
        }
        wanted[k] = pool == EMBEDDING_MEAN    ? sum / (double)tokens
                    : pool == EMBEDDING_FIRST ? (double)states->data[k]
                    : pool == EMBEDDING_END   ? (double)states->data[(tokens - 1) * width + k]
                                              : most;
        square += wanted[k] * wanted[k];
    }
    for (int64_t k = 0; k < width; k++) {
        check_near(seen[k], wanted[k] / sqrt(square), 2e-5);
    }
}

TEST(embedding_texts_are_pooled_from_the_golden_states) {
    const struct model *model = model_of("gpt2");
    static const int64_t layers[] = { 0, 1, EMBEDDING_LAST };
    for (int pool = EMBEDDING_MEAN; pool <= EMBEDDING_MOST; pool++) {
        for (int l = 0; l < 3; l++) {
            struct embedding_reading how = { .layer = layers[l],
                                             .pool = (enum embedding_pool)pool };
            const struct embedding *made =
                embedding_texts(arena, model, texts_of(lines, TEXTS), TEXTS, &how, &err);
            check_int(made->n, TEXTS);
            for (int i = 0; i < TEXTS; i++) {
                struct tensor states = truth_of(names[i], layers[l]);
                check_pooled(made->vectors->data + i * made->vectors->shape[1], &states,
                             how.pool);
                check_same(made->labels[i], lines[i]);
            }
        }
    }
}

TEST(embedding_states_are_the_golden_ones) {
    const struct model *model = model_of("gpt2");
    const struct embedding_reading how = { .layer = 2 };
    const struct embedding *made =
        embedding_states(arena, model, texts_of(lines, TEXTS), TEXTS, &how, &err);
    int64_t row = 0, width = made->vectors->shape[1];
    for (int i = 0; i < TEXTS; i++) {
        struct tensor states = truth_of(names[i], 2);
        for (int64_t k = 0; k < states.shape[0] * width; k++) {
            check_near(made->vectors->data[row * width + k], states.data[k], 1e-4);
        }
        check_int(made->of[row], i);
        row += states.shape[0];
    }
    check_int(made->n, row);
    check_same(made->labels[0], "The");
}

/* Neither the other texts nor their order changes a byte. */
TEST(embedding_of_a_text_does_not_depend_on_the_others) {
    const struct model *model = model_of("bert_mlm");
    const struct embedding_reading how = { .layer = EMBEDDING_LAST };
    const struct embedding_text *texts = texts_of(lines, TEXTS);
    const struct embedding *all = embedding_texts(arena, model, texts, TEXTS, &how, &err);
    int64_t width = all->vectors->shape[1];
    for (int i = 0; i < TEXTS; i++) {
        const struct embedding *one = embedding_texts(arena, model, texts + i, 1, &how, &err);
        check(memcmp(one->vectors->data, all->vectors->data + i * width,
                     (size_t)width * sizeof(float)) == 0);
    }
}

/* bert_mlm's folder with that file beside it, which its sentences' length stands in; NULL:
 * none.
 */
static const struct model *with_length(const char *says) {
    static const char *const parts[] = { "config.json", "model.safetensors", "tokenizer.json" };
    arena = check_arena();
    err = (struct err){ 0 };
    const char *folder = check_folder(arena);
    for (int i = 0; i < 3; i++) {
        const char *path = arena_printf(arena, "golden/data/models/bert_mlm/%s", parts[i]);
        char *full = realpath(check_fixture(arena, path), NULL);
        check(full && symlink(full, file_join(arena, folder, parts[i])) == 0);
        free(full);
    }
    const char *path = file_join(arena, folder, "sentence_bert_config.json");
    check(!says || file_write(path, says, strlen(says), &err) == 0);
    return model_open(arena, folder, &err);
}

/* How many tokens are read of a text with 10, its first and last included: those that are read
 * are the first ones and [SEP], as where the shorter text is read. */
TEST(embedding_reads_as_much_as_sentences_have) {
    static const char *const texts[] = { "a a a a a a a a", "a a a a", "a" };
    const struct model *model =
        with_length("{\"max_seq_length\": 6, \"do_lower_case\": false}");
    struct embedding_reading how = { .layer = EMBEDDING_LAST };
    check(embedding_recipe(arena, model, &how, &err) == 0);
    check_int(how.most, 6);
    const struct embedding *made =
        embedding_texts(arena, model, texts_of(texts, 3), 3, &how, &err);
    int64_t width = made->vectors->shape[1];
    check_int(made->cut, 1);
    check(memcmp(made->vectors->data, made->vectors->data + width,
                 (size_t)width * sizeof(float)) == 0);
    check_same(embedding_cut_told(arena, made, "Found.", false),
               "Found. 1 text has more than the 6 tokens that are read of one: its end was not "
               "read.");
    check_same(embedding_cut_told(arena, made, "好。", true),
               "好。有 1 段文本超过 6 个词元，只读了开头。");
    made = embedding_texts(arena, model, texts_of(texts + 1, 2), 2, &how, &err);
    check_int(made->cut, 0);
    check_same(embedding_cut_told(arena, made, "Found.", false), "Found.");
    how.most = 1;
    made = embedding_states(arena, model, texts_of(texts, 3), 3, &how, &err);
    check(!made);
    check_text(err.text, "no tokens but special ones");
}

TEST(embedding_length_of_sentences_is_the_files) {
    static const struct {
        const char *says;
        int64_t most; /* -1: refused */
        const char *seen;
    } cases[] = { { NULL, 0, NULL },
                  { "{}", 0, NULL },
                  { "{\"max_seq_length\": null}", 0, NULL },
                  { "{\"max_seq_length\": 32}", 32, NULL },
                  { "{\"max_seq_length\": 33}", 0, NULL }, /* of a context of 32 */
                  { "{\"max_seq_length\": 0}", -1, "max_seq_length is 0; a" },
                  { "{\"max_seq_length\": 1.5}", -1, "max_seq_length is 1.5; a" },
                  { "{\"max_seq_length\": \"256\"}", -1, "max_seq_length is no number" },
                  { "{\"max_seq_length\": [1]}", -1, "max_seq_length is no number" },
                  { "{", -1, NULL } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct model *model = with_length(cases[i].says);
        struct embedding_reading how = { .most = 5 };
        int read = embedding_recipe(arena, model, &how, &err);
        check_int(read < 0 ? -1 : how.most, cases[i].most);
        check(read == 0 || strstr(err.text, "sentence_bert_config.json"));
        check(!cases[i].seen || strstr(err.text, cases[i].seen));
    }
}

TEST(embedding_of_words_is_the_mean_of_their_rows) {
    const struct model *model = model_of("bert_mlm");
    static const char *const words[] = { "one", "one model" };
    const struct embedding *made = embedding_words(arena, model, texts_of(words, 2), 2, &err);
    const struct tensor *table = model_words(model);
    const struct encoding *ids = tokenizer_encode(arena, model->tokenizer, words[1],
                                                  strlen(words[1]), NULL, 0, false, &err);
    int64_t width = table->shape[1];
    check_int(made->n, 2);
    for (int64_t k = 0; k < width; k++) {
        double sum = 0;
        for (int64_t t = 0; t < ids->count; t++) {
            sum += (double)table->data[ids->tokens[t].id * width + k];
        }
        check_near(made->vectors->data[width + k], sum / (double)ids->count, 1e-6);
    }
}

TEST(embedding_vocabulary_has_whole_words) {
    const struct model *model = model_of("bert_mlm");
    const struct embedding *all = embedding_vocabulary(arena, model, 0, &err);
    const struct embedding *few = embedding_vocabulary(arena, model, 5, &err);
    const struct tensor *table = model_words(model);
    check_int(few->n, 5);
    check(all->n > 20 && all->n < table->shape[0]);
    for (int64_t i = 0; i < all->n; i++) {
        check(strncmp(all->labels[i], "##", 2) != 0 && all->labels[i][0] != '[');
        check(memcmp(all->vectors->data + i * table->shape[1],
                     table->data + all->ids[i] * table->shape[1],
                     (size_t)table->shape[1] * sizeof(float)) == 0);
    }
}

TEST(embedding_refuses_what_is_not_there) {
    const struct model *model = model_of("gpt2");
    static const char *const empty[] = { "" };
    struct embedding_reading how = { .layer = 99 };
    check(!embedding_texts(arena, model, texts_of(lines, 1), 1, &how, &err));
    check(err.kind == ERR_OPTION);
    check_text(err.text, "there is no layer 99");
    how.layer = 0;
    check(!embedding_texts(arena, model, texts_of(empty, 1), 1, &how, &err));
    check_text(err.text, "text 1 has no tokens");
    check(!embedding_words(arena, model, texts_of(empty, 1), 1, &err));
    check_text(err.text, "has no token in this vocabulary");
    const struct model *recurrent = model_of("lstm_lm");
    how.layer = EMBEDDING_LAST;
    check(!embedding_texts(arena, recurrent, texts_of(lines, 1), 1, &how, &err));
    check(err.kind == ERR_UNSUPPORTED);
}

TEST(embedding_cosine_of_known_angles) {
    static const float a[] = { 3, 0 }, b[] = { 0, 2 }, c[] = { 1, 1 }, zero[] = { 0, 0 };
    check_near(embedding_cosine(a, b, 2), 0, 0);
    check_near(embedding_cosine(a, c, 2), sqrt(0.5), 1e-15);
    check_near(embedding_cosine(a, a, 2), 1, 0);
    check_near(embedding_cosine(a, zero, 2), 0, 0);
}

/* ---- alike ---- */

static struct embedding *plane(void) {
    static const char *labels[] = { "east", "North", "north east", "west" };
    static float points[] = { 1, 0, 0, 2, 1, 1, -3, 0 };
    struct embedding *made = arena_alloc(arena, sizeof *made);
    *made = (struct embedding){ .n = 4,
                                .vectors = tensor_new(arena, 2, (int64_t[]){ 4, 2 }),
                                .labels = labels };
    memcpy(made->vectors->data, points, sizeof points);
    return made;
}

TEST(alike_sorts_by_the_angle) {
    arena = check_arena();
    static const float up[] = { 0, 5 };
    static const char *const inputs[] = { "NORTH" };
    struct alike_query queries[] = {
        { .title = "up", .vector = up, .self = -1 },
        { .title = "up again", .vector = up, .inputs = inputs, .input_count = 1, .self = -1 },
        { .title = "without the second last", .vector = up, .self = 2 }
    };
    const struct alike_request request = { .top = 4, .what = "words" };
    const struct result *result = alike(arena, queries, 3, plane(), &request, &err);
    const struct series *series = &result->series[0];
    int64_t top = series->values->shape[1];
    check_int(top, 3);
    check_same(series->names[0], "North");
    check_near(series->values->data[0], 1, 0);
    check_same(series->names[1], "north east");
    check_near(series->values->data[1], sqrt(0.5), 1e-7);
    check_same(series->names[2], "east"); /* as far as west, and stands before it */
    check_same(series->names[top], "north east");
    check_same(series->names[2 * top], "North");
    check_same(series->names[2 * top + 1], "east");
    check_text(result->finding, "Nearest to ‘up’: ‘North’ (cosine 1.0000); to ‘up again’");
}

/* A text of any length leaves room for what else is found. */
TEST(alike_quotes_the_beginning_of_a_long_text) {
    arena = check_arena();
    static const float up[] = { 0, 5 };
    char *long_text = arena_alloc(arena, 1001);
    memset(long_text, 'a', 1000);
    struct alike_query query = { .title = long_text, .vector = up, .self = -1 };
    const struct alike_request request = { .top = 1, .what = "words" };
    const struct result *result = alike(arena, &query, 1, plane(), &request, &err);
    check_text(result->finding, "aaa…’: ‘North’ (cosine 1.0000)");
    check(strlen(result->finding) < 200);
}

TEST(alike_reads_sums_of_words) {
    arena = check_arena();
    static const char text[] = "New York - well-known + Paris ";
    int64_t count;
    const struct alike_term *terms = alike_terms(arena, text, strlen(text), &count, &err);
    check_int(count, 3);
    check(terms[0].length == 8 && memcmp(terms[0].bytes, "New York", 8) == 0);
    check(terms[1].length == 10 && terms[1].sign == -1);
    check(terms[2].length == 5 && terms[2].sign == 1);
    check(!alike_terms(arena, "a - ", 4, &count, &err));
    check_text(err.text, "behind a sign");
    check(!alike_terms(arena, " + b", 4, &count, &err));
    check_text(err.text, "a word is missing before the first sign");
    check(!alike_terms(arena, "a - + b", 7, &count, &err));
    check_text(err.text, "behind a sign");

    const struct embedding *points = plane();
    const float *sum = alike_sum(
        arena, points,
        (struct alike_term[]){ { .sign = 1 }, { .sign = 1 }, { .sign = -1 }, { .sign = 1 } },
        &err);
    check_near(sum[0], 1 - sqrt(0.5) - 1, 1e-6);
    check_near(sum[1], 1 - sqrt(0.5), 1e-6);
}

/* Zeros, or what rounding leaves of them, are near to nothing. */
TEST(alike_refuses_sums_that_cancel) {
    arena = check_arena();
    err = (struct err){ 0 };
    const struct alike_term signs[] = { { .sign = 1 }, { .sign = 1 }, { .sign = -1 } };
    float rows[] = { 0.3F, 0.7F, 0.1F, 0.9F, 1, 1 };
    double one = sqrt(0.58), other = sqrt(0.82);
    struct tensor vectors = { .rank = 2, .shape = { 3, 2 }, .data = rows };
    struct embedding terms = { .n = 3, .vectors = &vectors };
    rows[4] = (float)(0.3 / one + 0.1 / other);
    rows[5] = (float)(0.7 / one + 0.9 / other);
    check(alike_sum(arena, &terms, signs, &err) != NULL); /* of length 2 less 1 */
    memcpy(&rows[2], rows, 2 * sizeof *rows);
    rows[4] = 2 * rows[0];
    rows[5] = 2 * rows[1];
    check(alike_sum(arena, &terms, signs, &err) != NULL);
    terms.n = 2;
    check(!alike_sum(arena, &terms, &signs[1], &err) && err.kind == ERR_TEXT);
    check_text(err.text, "the vectors of these words cancel each other");
    rows[0] = rows[1] = 0;
    terms.n = 1;
    check(!alike_sum(arena, &terms, signs, &err));
    check_text(err.text, "this word's vector is all zeros");
}

/* ---- atlas ---- */

static void stop_at_end(void *arg, int64_t step, int64_t of, const float *layout, int64_t n,
                        int dims, double cost) {
    (void)arg, (void)layout, (void)n, (void)dims, (void)cost;
    if (step == of) {
        stop_request();
    }
}

/* An interrupt while it is measured what the finished map keeps leaves the map. */
TEST(atlas_interrupted_late_keeps_its_map) {
    struct embedding *points = arena_alloc(check_arena(), sizeof *points);
    *points = (struct embedding){ .n = 60 };
    points->vectors = tensor_new(check_arena(), 2, (int64_t[]){ 60, 3 });
    points->labels = arena_array(check_arena(), 60, sizeof *points->labels);
    for (int64_t i = 0; i < 180; i++) {
        points->vectors->data[i] = (float)(i * i % 47);
        points->labels[i / 3] = "point";
    }
    const struct atlas_request request = { .method = ATLAS_UMAP,
                                           .dims = 2,
                                           .min_dist = -1,
                                           .steps = 4,
                                           .what = "words",
                                           .progress = { stop_at_end, NULL, 2 } };
    const struct result *result = atlas(check_arena(), points, &request, &err);
    stop_clear();
    check(result != NULL);
    check_same(result->finding, "UMAP of 60 words. Interrupted before it was measured what the "
                                "map keeps.");
}

TEST(atlas_tells_what_a_map_keeps) {
    arena = check_arena();
    struct embedding *points = plane();
    static const int32_t groups[] = { 0, 1, 1, 0 };
    static const char *const group_names[] = { "level", "up" };
    struct atlas_request request = { .dims = 2,
                                     .what = "words",
                                     .what_zh = "词",
                                     .groups = groups,
                                     .group_names = group_names };
    const struct result *result = atlas(arena, points, &request, &err);
    check_same(result->kind, "scatter");
    check_same(result->title, "PCA of 4 words");
    check_text(result->finding, "100 % of the variance");
    check_text(result->finding, "Most alike are ‘east’ and ‘north east’ (cosine 0.71).");
    const struct series *group = result_at(result, "group");
    check_same(group->names[2], "up");
    check_near(group->values->data[3], 0, 0);
    check(memcmp(result_at(result, "vectors")->values->data, points->vectors->data,
                 8 * sizeof(float)) == 0);
    request.language = "zh";
    check_text(atlas(arena, points, &request, &err)->title, "4 个词的 PCA 图");
    request.method = ATLAS_TSNE;
    request.perplexity = 3;
    check(!atlas(arena, points, &request, &err));
    points->vectors->data[5] = NAN;
    check(!atlas(arena, points, &request, &err));
    check_text(err.text, "the vector of \"north east\" has NaN in dimension 1");
}

/* The two that are most alike may be texts of any length. */
TEST(atlas_quotes_the_beginning_of_a_long_text) {
    arena = check_arena();
    struct embedding *points = plane();
    char *long_text = arena_alloc(arena, 1001);
    memset(long_text, 'a', 1000);
    points->labels = (const char *[]){ long_text, long_text, long_text, "west" };
    const struct atlas_request request = { .dims = 2, .what = "sentences" };
    const struct result *result = atlas(arena, points, &request, &err);
    check_text(result->finding, "aaa…’");
    check(strlen(result->finding) < 500);
}
