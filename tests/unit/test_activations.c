#include <math.h>
#include <string.h>

#include "core/explain/activations.h"
#include "tests/check.h"
#include "tests/fixture.h"

static struct activations *look(const struct model *model, const char *text, const char *site,
                                struct activations_request request, struct err *err) {
    int64_t layer;
    *err = (struct err){ 0 };
    struct activations *of =
        model ? activations_of(check_arena(), model, text, strlen(text), err) : NULL;
    bool good = of && activations_site(model, site, &request, &layer, err) == 0 &&
                activations_run(check_arena(), of, &request, err) == 0;
    return good ? of : NULL;
}

TEST(activations_median_is_of_magnitudes) {
    const float odd[] = { -3, 1, NAN, 2 }, even[] = { 4, -1, 0, 1e-40F }, same[] = { 5, -5 };
    check_near(activations_median(odd, 4), 2, 0);
    check_near(activations_median(even, 4), .5, 1e-7);
    check_near(activations_median(same, 2), 5, 0);
    check(isnan(activations_median(odd + 2, 1)));
    check(isinf(activations_median((float[]){ -INFINITY }, 1)));
}

/* Against PyTorch's hidden states: norms, largest values and where, medians. */
TEST(activations_equal_pytorch) {
    struct err err;
    struct arena *arena = check_arena();
    const struct model *model = fixture_model("llama_smollm2");
    const struct weights *golden = weights_open(
        arena, check_fixture(arena, "golden/data/models/llama_smollm2/expected.safetensors"),
        &err);
    const struct tensor *wanted = golden ? weights_at(golden, "repeat.hidden_states") : NULL;
    const struct activations_request request = { .values = true };
    const struct activations *of = look(model, "one two one two one two", NULL, request, &err);
    if (!check(wanted && of)) {
        return;
    }
    int64_t columns = wanted->shape[0], tokens = wanted->shape[1], width = wanted->shape[2];
    check_int(of->columns, columns);
    check_int(of->tokens, tokens);
    for (int64_t i = 0; i < columns * tokens; i++) {
        const float *vector = wanted->data + i * width;
        double square = 0;
        int64_t best = 0, at = i % tokens * columns + i / tokens;
        for (int64_t k = 0; k < width; k++) {
            square += (double)vector[k] * (double)vector[k];
            best = fabsf(vector[k]) > fabsf(vector[best]) ? k : best;
            check_near(of->values[i * width + k], vector[k], 1e-4);
        }
        check_near(of->norms[at], sqrt(square), 1e-4);
        check_near(of->largest[at], vector[best], 1e-4);
        check_int(of->dimension[at], best);
    }
    for (int64_t c = 0; c < columns; c++) {
        int64_t below = 0, n = tokens * width;
        for (int64_t i = 0; i < n; i++) {
            below += fabsf(of->values[c * n + i]) < of->medians[c];
        }
        check_int(below, n / 2);
    }
}

/* Peaks, mean and deviation by the definition, from the values themselves; the first token of
 * a causal model is not looked at. */
TEST(activations_find_neurons) {
    struct err err;
    const struct model *model = fixture_model("gpt2");
    const struct activations_neuron asked[] = { { 1, 5 }, { 0, 3 } };
    const struct activations_request request = { .values = true,
                                                 .neurons = asked,
                                                 .neuron_count = 2 };
    const struct activations *of = look(model, "one two three four", "post", request, &err);
    if (!check(of != NULL)) {
        return;
    }
    int64_t t = of->tokens, inner = of->inner;
    check_int(of->width, inner);
    check(!of->looked[0] && of->looked[1]);
    for (int64_t l = 0; l < of->layers; l++) {
        const float *layer = of->values + l * t * inner;
        double sum = 0, square = 0, n = (double)((t - 1) * inner);
        for (int64_t i = inner; i < t * inner; i++) {
            sum += (double)layer[i];
        }
        for (int64_t i = inner; i < t * inner; i++) {
            square += ((double)layer[i] - sum / n) * ((double)layer[i] - sum / n);
        }
        check_near(of->mean[l], sum / n, 1e-9);
        check_near(of->sd[l], sqrt(square / n), 1e-9);
        for (int64_t k = 0; k < inner; k++) {
            float peak = of->peak[l * inner + k];
            check(layer[of->peak_at[l * inner + k] * inner + k] == peak);
            for (int64_t i = 1; i < t; i++) {
                check(fabsf(layer[i * inner + k]) <= fabsf(peak));
            }
        }
    }
    for (int64_t i = 0; i < t; i++) {
        check(of->strips[i] == of->values[(t + i) * inner + 5]);
        check(of->strips[t + i] == of->values[i * inner + 3]);
    }
}

/* By hand: two layers of three neurons. */
TEST(activations_rank_neurons) {
    struct activations of = {
        .layers = 2,
        .inner = 3,
        .peak = (float[]){ 1, -8, 3, 10, 2, 1 },
        .mean = (double[]){ 0, 4 },
        .sd = (double[]){ 2, 12 },
    };
    struct activations_neuron best[4];
    check_near(activations_z(&of, 0, 1), -4, 1e-12);
    check_near(activations_z(&of, 1, 0), .5, 1e-12);
    check_int(activations_top(&of, true, 3, best), 3);
    check(best[0].layer == 0 && best[0].index == 1);
    check(best[1].layer == 0 && best[1].index == 2);
    check(best[2].layer == 0 && best[2].index == 0);
    check_int(activations_top(&of, false, 2, best), 2);
    check(best[0].layer == 1 && best[0].index == 0);
    check(best[1].layer == 0 && best[1].index == 1);
    check_int(activations_top(&of, true, 0, best), 0);
    of.ranked = (bool[]){ false, true };
    check_int(activations_top(&of, true, 4, best), 3);
    check(best[0].layer == 1 && best[0].index == 0);
    of.sd[0] = of.sd[1] = 0; /* all alike */
    check_near(activations_z(&of, 0, 1), 0, 0);
}

/* Sun and others: above 100 and at least 1000 times the median. */
TEST(activations_are_massive_by_size_and_by_ratio) {
    struct activations of = {
        .columns = 2,
        .largest = (float[]){ -150, 150, 99, 1e9F },
        .medians = (float[]){ .1F, .2F },
    };
    check(activations_massive(&of, 0, 0));
    check(!activations_massive(&of, 0, 1));
    check(!activations_massive(&of, 1, 0));
    check(activations_massive(&of, 1, 1));
}

TEST(activations_sites_have_their_usual_names) {
    struct err err = { 0 };
    struct activations_request request = { 0 };
    int64_t layer;
    const struct model *gpt2 = fixture_model("gpt2"), *lstm = fixture_model("lstm_lm"),
                       *neox = fixture_model("gpt_neox");
    int64_t layers = gpt2->config->layers;
    check_int(activations_site(gpt2, NULL, &request, &layer, &err), 0);
    check(request.site == SITE_RESIDUAL && request.columns == layers + 1 && layer == -1);
    check_int(activations_site(gpt2, "blocks.1.mlp.hook_post", &request, &layer, &err), 0);
    check(request.site == SITE_NEURONS && request.columns == layers && layer == 1);
    check_int(activations_site(gpt2, "resid_post", &request, &layer, &err), 0);
    check(request.site == SITE_RESIDUAL && request.columns == layers && request.first == 1);
    check_int(activations_site(gpt2, "attn.hook_z", &request, &layer, &err), 0);
    check(request.site == SITE_MIXED && request.first == 0);
    check_int(activations_site(lstm, NULL, &request, &layer, &err), 0);
    check(request.site == SITE_OUTPUT && request.columns == lstm->config->layers);
    check_int(activations_site(lstm, "layers.0.hook_cell", &request, &layer, &err), 0);
    check(request.site == SITE_CELL && layer == 0);

    check_int(activations_site(gpt2, "resid_nowhere", &request, &layer, &err), -1);
    check_text(err.text, "there is no place called resid_nowhere: there are resid, resid_pre");
    check_int(activations_site(lstm, "z", &request, &layer, &err), -1);
    check_text(err.text, "a model of the kind lstm_lm has no place called z");
    check_int(activations_site(neox, "resid_mid", &request, &layer, &err),
              model_has(neox, SITE_MIDDLE) ? 0 : -1);
    check_int(activations_site(gpt2, "blocks.99.hook_mlp_out", &request, &layer, &err), -1);
    check_text(err.text, "the model has layers 0 to ");
}

TEST(activations_run_at_every_site) {
    struct err err;
    static const char *const sites[] = { "resid",   "resid_pre", "resid_mid", "resid_post",
                                         "mlp_out", "attn_out",  "post",      "q",
                                         "k",       "v",         "z" };
    const struct model *model = fixture_model("llama_smollm2"); /* fewer keys than queries */
    for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
        const struct activations *of =
            look(model, "one two three", sites[i], (struct activations_request){ 0 }, &err);
        if (check(of != NULL)) {
            check(of->norms[0] > 0 && of->norms[of->tokens * of->columns - 1] > 0);
        }
    }
    check(look(fixture_model("lstm_lm"), "one two", "cell", (struct activations_request){ 0 },
               &err) != NULL);
    check(look(fixture_model("t5"), "one two", NULL, (struct activations_request){ 0 }, &err) !=
          NULL);
}

TEST(activations_refuse_what_is_not_there) {
    struct err err;
    const struct model *model = fixture_model("gpt2");
    const struct activations_neuron far = { 1, 1000000 };
    check(!look(model, "one two", NULL,
                (struct activations_request){ .neurons = &far, .neuron_count = 1 }, &err));
    check_int(err.kind, ERR_OPTION);
    check_text(err.text, "there is no neuron 1.1000000: the model has layers 0 to ");
    check(!look(model, "", NULL, (struct activations_request){ 0 }, &err));
    check_text(err.text, "the text has no token");
    char *longer = arena_alloc(check_arena(), 4001);
    for (int i = 0; i < 2000; i++) {
        memcpy(longer + 2 * (int64_t)i, "a ", 2);
    }
    check(!look(model, longer, NULL, (struct activations_request){ 0 }, &err));
    check_text(err.text, "but the model reads at most");
}
