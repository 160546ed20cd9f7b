#include <math.h>
#include <string.h>

#include "core/base/file.h"
#include "core/explain/activity.h"
#include "tests/check.h"
#include "tests/fixture.h"
#include "tests/remake.h"

/* Activations made by hand: 3 tokens, 2 layers, of a fixture's tokens "one two three". */
static struct activations *by_hand(const struct model *model) {
    static float norms[] = { 400, 8, 1, 2, 2, 2 }, largest[] = { 300, -2, .5F, 1, 1, 1 };
    static int64_t dimension[] = { 7, 1, 0, 0, 0, 0 };
    static float medians[] = { .25F, .5F };
    struct err err = { 0 };
    struct activations *of = activations_of(check_arena(), model, "one two three", 13, &err);
    of->tokens = 3;
    of->columns = 2;
    of->width = 8;
    of->norms = norms;
    of->largest = largest;
    of->dimension = dimension;
    of->medians = medians;
    of->neuron_site = SITE_COUNT;
    return of;
}

static struct activity_view view_of(enum activity_norm norm) {
    static const int64_t all[] = { 0, 1, 2 };
    return (struct activity_view){ .norm = norm,
                                   .columns = all,
                                   .column_count = 2,
                                   .positions = all,
                                   .position_count = 3,
                                   .site = "resid",
                                   .handle = "m",
                                   .language = "en" };
}

/* Layer 0 has norms 400, 1, 2 (median 2), layer 1 has 8, 2, 2 (median 2). */
TEST(activity_map_measures_each_layer_by_its_median) {
    const struct activations *of = by_hand(fixture_model("gpt2"));
    const struct activity_view view = view_of(ACTIVITY_LAYER);
    const struct result *result = activity_map(check_arena(), of, &view);
    const struct series *shown = &result->series[0];
    const float *data = shown->values->data;
    check_near(data[0], log2(200), 1e-5);
    check_near(data[1], 2, 1e-6);
    check_near(data[2], -1, 1e-6);
    check_near(data[4], 0, 0);
    check(shown->is_signed && shown->low == -2 && shown->high == 2);
    check_near(result_at(result, "norm")->values->data[0], 400, 0);
    check_near(result_at(result, "dimension")->values->data[0], 7, 0);
    check_text(result->finding, "Massive activations (above 100 and 1000 times their layer's "
                                "median) stand at ");
    check_text(result->finding, "in layers 0 to 0; the most outstanding, in layer 0 at ");
    check_text(result->finding, "dimension 7, is 300, 1200 times the median.");
    check_text(result->finding, "The median norm is, in layer 0, 2 and, in layer 1, 2.");
    check_text(result->caption, " 1 cell lies beyond");
}

TEST(activity_map_says_which_side_of_a_translator_it_shows) {
    const struct activity_view view = view_of(ACTIVITY_LAYER);
    const char *caption =
        activity_map(check_arena(), by_hand(fixture_model("t5")), &view)->caption;
    check_text(caption, "The layers are the encoder's; its decoder was not run.");
}

TEST(activity_map_shows_norms_as_asked) {
    const struct activations *of = by_hand(fixture_model("gpt2"));
    struct activity_view view = view_of(ACTIVITY_LOG);
    const struct result *result = activity_map(check_arena(), of, &view);
    check_near(result->series[0].values->data[0], log10(400), 1e-6);
    check_text(result->caption, "log10 of the L2 norm of the vector");
    view = view_of(ACTIVITY_NONE);
    static const int64_t one[] = { 1 }, two[] = { 2 };
    view.columns = one;
    view.column_count = 1;
    view.positions = two;
    view.position_count = 1;
    view.language = "zh";
    result = activity_map(check_arena(), of, &view);
    check_int(tensor_count(result->series[0].values), 1);
    check_near(result->series[0].values->data[0], 2, 0);
    check_same(result->series[0].axes[1].labels[0], "1");
    check_text(result->finding, "巨大激活");
}

/* --layer: those of the layers asked for; behind the last block stands the last one. */
TEST(activity_neurons_are_of_the_layers_asked_for) {
    const struct model *model = fixture_model("gpt2");
    int64_t blocks = model->config->layers;
    const int64_t asked[] = { 0, 1, blocks }, wanted[] = { 0, 1, blocks - 1 };
    for (int i = 0; i < 3; i++) {
        struct err err = { 0 };
        struct activations *of =
            activations_of(check_arena(), model, "one two three", 13, &err);
        struct activations_request request = { .ranked = &asked[i], .ranked_count = 1 };
        int64_t layer;
        const struct activity_view view = view_of(ACTIVITY_LAYER);
        if (check(of && activations_site(model, NULL, &request, &layer, &err) == 0 &&
                  activations_run(check_arena(), of, &request, &err) == 0)) {
            const struct result *bars = activity_neurons(check_arena(), of, true, 5, &view);
            for (int64_t k = 0; k < 5; k++) {
                check_near(bars->series[2].values->data[k], (double)wanted[i], 0);
            }
        }
    }
}

TEST(activity_neurons_stand_out_with_their_tokens) {
    struct err err = { 0 };
    const struct model *model = fixture_model("gpt2");
    struct activations *of = activations_of(check_arena(), model, "one two three", 13, &err);
    struct activations_request request = { .neurons = &(struct activations_neuron){ 1, 4 },
                                           .neuron_count = 1 };
    int64_t layer;
    if (!check(of && activations_site(model, NULL, &request, &layer, &err) == 0 &&
               activations_run(check_arena(), of, &request, &err) == 0)) {
        return;
    }
    const struct activity_view view = view_of(ACTIVITY_LAYER);
    const struct result *bars = activity_neurons(check_arena(), of, true, 5, &view);
    check_same(bars->kind, "bars");
    check_int(bars->series[0].axes[0].count, 5);
    check_same(bars->series[0].name, "z-score");
    int64_t at = (int64_t)bars->series[4].values->data[0];
    check(of->looked[at]);
    check_text(bars->finding, "stands out most: its activation at ");
    check_text(bars->caption, " Not looked at: ");
    const struct result *other = activity_neurons(check_arena(), of, false, 1, &view);
    check_same(other->series[0].name, "activation");

    const struct result *strip = activity_strip(check_arena(), of, request.neurons, 0, &view);
    check_same(strip->kind, "tokens");
    check_same(strip->title, "Neuron 1.4 of m");
    check_int(strip->series[0].axes[0].count, of->tokens);
    check(strip->series[0].values->data[1] == of->strips[1]);
    check_near(strip->series[1].values->data[3], of->encoding->tokens[1].end, 0);
}

TEST(activity_map_names_the_tensor_that_is_broken) {
    struct err err = { 0 };
    struct remake *remake = remake_new(check_arena(), "gpt2");
    remake_own(remake, "h.1.ln_2.weight")->data[3] = NAN;
    const struct file *config =
        file_map(check_arena(),
                 check_fixture(check_arena(), "golden/data/models/gpt2/config.json"), &err);
    const char *text =
        arena_text(check_arena(), (const char *)config->bytes, (size_t)config->size);
    const struct model *broken = remake_open(remake, text, &err),
                       *model = fixture_model("gpt2");
    struct model whole = *broken;
    whole.tokenizer = model->tokenizer;
    struct activations_request request = { 0 };
    int64_t layer;
    struct activations *of = activations_of(check_arena(), &whole, "one two three", 13, &err);
    if (!check(of && activations_site(&whole, NULL, &request, &layer, &err) == 0 &&
               activations_run(check_arena(), of, &request, &err) == 0)) {
        return;
    }
    const struct activity_view view = view_of(ACTIVITY_LAYER);
    const struct result *result = activity_map(check_arena(), of, &view);
    check_text(result->finding, "Values are no finite numbers from layer 2 on, first at ");
    check_text(result->finding, "h.1.ln_2.weight has NaN, first at place 3 of [");
}
