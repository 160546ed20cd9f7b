#include <string.h>

#include "core/text/splitter.h"

/* split_read: pre-tokenizers from tokenizer.json, and by the names that GGUF files give. */

static int unknown(const char *what, const char *name, const char *known, const char *file,
                   struct err *err) {
    char shown[160];
    err_quote(shown, sizeof shown, name, strlen(name));
    return err_set(err, ERR_UNSUPPORTED, "%s: the %s %s is not known; known are %s", file, what,
                   shown, known);
}

static int read_behavior(struct splitter_step *step, const char *behavior, const char *file,
                         struct err *err) {
    static const char *const names[] = { "Isolated", "Removed", "MergedWithPrevious",
                                         "MergedWithNext", "Contiguous" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(behavior, names[i]) == 0) {
            step->behavior = (enum splitter_behavior)i;
            return 0;
        }
    }
    return unknown("split behavior", behavior,
                   "Isolated, Removed, MergedWithPrevious, MergedWithNext and Contiguous", file,
                   err);
}

/* A pattern as a function if there is one, else as a regular expression. */
static int set_pattern(struct arena *arena, struct splitter_step *step, const char *regex,
                       size_t length, const char *file, struct err *err) {
    step->kind = SPLITTER_CUT;
    step->cut_at = SPLITTER_ENDS;
    step->ends = ends_known(regex);
    if (!step->ends) {
        step->cut_at = SPLITTER_PATTERN;
        step->pattern = pattern_read(arena, regex, length, file, err);
    }
    return step->ends || step->pattern ? 0 : err_pass(err);
}

static int read_split(struct arena *arena, struct splitter_step *step,
                      const struct json *section, const char *file, struct err *err) {
    const struct json *regex = json_at(json_at(section, "pattern"), "Regex");
    const struct json *text = json_at(json_at(section, "pattern"), "String");
    const struct json *given = text ? text : regex;
    step->invert = json_bool_at(section, "invert", false);
    if (!given || given->kind != JSON_STRING) {
        return err_set(
            err, ERR_FORMAT,
            "%s: pre_tokenizer: the pattern of Split is neither a String nor a Regex", file);
    }
    if (read_behavior(step, json_text_at(section, "behavior", ""), file, err) < 0) {
        return err_pass(err);
    }
    if (text && text->text.length > 0) {
        step->cut_at = SPLITTER_TEXT;
        step->text = text->text.bytes;
        return 0;
    }
    return set_pattern(arena, step, given->text.bytes, given->text.length, file, err);
}

/* A text that is one character. */
static const char *read_character(const struct json *section, const char *key, const char *type,
                                  const char *otherwise, const char *file, struct err *err) {
    const char *text = json_text_at(section, key, otherwise);
    size_t n = strlen(text);
    if (n == 0 || n > 4 || ((unsigned char)text[0] < 0x80 && n > 1)) {
        err_set(err, ERR_FORMAT, "%s: pre_tokenizer: the %s of %s is not one character", file,
                key, type);
        return NULL;
    }
    return text;
}

/* Older files say add_prefix_space where newer ones say prepend_scheme. */
static int read_metaspace(struct splitter_step *step, const struct json *section,
                          const char *file, struct err *err) {
    bool always = json_bool_at(section, "add_prefix_space", true);
    const char *scheme = json_text_at(section, "prepend_scheme", always ? "always" : "never");
    step->kind = SPLITTER_METASPACE;
    step->text = read_character(section, "replacement", "Metaspace", "\u2581", file, err);
    step->cut = json_bool_at(section, "split", true);
    step->prefix = strcmp(scheme, "always") == 0  ? SPLITTER_ALWAYS
                   : strcmp(scheme, "first") == 0 ? SPLITTER_FIRST
                                                  : SPLITTER_NEVER;
    return step->text ? 0 : -1;
}

static int read_fixed(struct splitter_step *step, const struct json *section, const char *file,
                      struct err *err) {
    step->kind = SPLITTER_FIXED;
    step->length = json_int_at(section, "length", 5);
    if (step->length < 1) {
        return err_set(err, ERR_FORMAT,
                       "%s: pre_tokenizer: the length of FixedLength is %lld; it is at least 1",
                       file, (long long)step->length);
    }
    return 0;
}

static void set_bytes(struct splitter_step *step, bool prefix, ends_of *ends) {
    step->kind = SPLITTER_BYTES;
    step->prefix = prefix ? SPLITTER_ALWAYS : SPLITTER_NEVER;
    step->ends = ends;
}

static int read_step(struct arena *arena, struct splitter_step *step,
                     const struct json *section, const char *type, const char *file,
                     struct err *err) {
    if (strcmp(type, "BertPreTokenizer") == 0) {
        step->kind = SPLITTER_BERT;
    } else if (strcmp(type, "WhitespaceSplit") == 0) {
        step->cut_at = SPLITTER_BLANK;
        step->behavior = SPLITTER_REMOVED;
    } else if (strcmp(type, "Whitespace") == 0) {
        step->cut_at = SPLITTER_WORDS;
        step->behavior = SPLITTER_REMOVED;
        step->invert = true;
    } else if (strcmp(type, "Punctuation") == 0) {
        step->cut_at = SPLITTER_PUNCTUATION;
        return read_behavior(step, json_text_at(section, "behavior", "Isolated"), file, err);
    } else if (strcmp(type, "CharDelimiterSplit") == 0) {
        step->cut_at = SPLITTER_TEXT;
        step->behavior = SPLITTER_REMOVED;
        step->text = read_character(section, "delimiter", type, "", file, err);
        return step->text ? 0 : -1;
    } else if (strcmp(type, "ByteLevel") == 0) {
        set_bytes(step, json_bool_at(section, "add_prefix_space", true),
                  json_bool_at(section, "use_regex", true) ? ends_gpt2 : NULL);
    } else if (strcmp(type, "Digits") == 0) {
        step->cut_at = SPLITTER_NUMBER;
        step->behavior = json_bool_at(section, "individual_digits", false)
                             ? SPLITTER_ISOLATED
                             : SPLITTER_CONTIGUOUS;
    } else if (strcmp(type, "UnicodeScripts") == 0) {
        step->kind = SPLITTER_SCRIPTS;
    } else if (strcmp(type, "FixedLength") == 0) {
        return read_fixed(step, section, file, err);
    } else if (strcmp(type, "Metaspace") == 0) {
        return read_metaspace(step, section, file, err);
    } else if (strcmp(type, "Split") == 0) {
        return read_split(arena, step, section, file, err);
    } else {
        return unknown("pre-tokenizer type", type,
                       "BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, FixedLength, "
                       "Metaspace, Punctuation, Split, UnicodeScripts, Whitespace, "
                       "WhitespaceSplit and Sequence",
                       file, err);
    }
    return 0;
}

static struct splitter_step *new_step(struct splitter *splitter, const char *file,
                                      struct err *err) {
    if (splitter->count == SPLITTER_STEPS) {
        err_set(err, ERR_FORMAT, "%s: more than %d pre-tokenizers", file, SPLITTER_STEPS);
        return NULL;
    }
    for (int i = 0; i < splitter->count; i++) {
        splitter->steps[i].spell = true; /* the next one is to see the letters */
    }
    return &splitter->steps[splitter->count++];
}

static int read_section(struct arena *arena, struct splitter *splitter,
                        const struct json *section, int depth, const char *file,
                        struct err *err) {
    const char *type = json_text_at(section, "type", "");
    if (strcmp(type, "Sequence") == 0 && depth < 4) {
        const struct json *list = json_at(section, "pretokenizers");
        for (const struct json *one = list ? list->first : NULL; one; one = one->next) {
            if (read_section(arena, splitter, one, depth + 1, file, err) < 0) {
                return err_pass(err);
            }
        }
        return 0;
    }
    struct splitter_step *step = new_step(splitter, file, err);
    return step ? read_step(arena, step, section, type, file, err) : err_pass(err);
}

struct splitter *split_read(struct arena *arena, const struct json *section, const char *file,
                            struct err *err) {
    if (!section || section->kind == JSON_NULL) {
        return NULL;
    }
    struct splitter *splitter = arena_alloc(arena, sizeof *splitter);
    return read_section(arena, splitter, section, 0, file, err) < 0 ? NULL : splitter;
}

struct splitter *split_bert(struct arena *arena) {
    struct splitter *splitter = arena_alloc(arena, sizeof *splitter);
    splitter->steps[splitter->count++].kind = SPLITTER_BERT;
    return splitter;
}

/* ---- by name ---- */

#define CASED "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define SMALL "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define TAIL  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define SHORT "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define GPT2 \
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define SIGNS "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|"
#define MODERN(digits)                             \
    SHORT "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits \
          "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

/* Names of tokenizer.ggml.pre, several in one text, and the patterns that cut one after the
 * other. */
static const struct {
    const char *names;
    const char *patterns[5];
} named[] = {
    { "gpt-2 gpt2 phi-2 jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code gigachat "
      "roberta-bpe mpt olmo jais trillion granite-docling",
      { GPT2 } },
    { "smollm starcoder refact command-r codeshell exaone minerva-7b mellum2",
      { "\\p{N}", GPT2 } },
    { "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 dbrx smaug-bpe "
      "chatglm-bpe glm4",
      { MODERN("\\p{N}{1,3}") } },
    { "qwen2 stablelm2 deepseek-r1-qwen megrez hunyuan grok-2 kormo solar-open",
      { MODERN("\\p{N}") } },
    { "qwen35",
      { SHORT "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| "
              "?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+" } },
    { "tekken", { CASED "*" SMALL "+|" CASED "+" SMALL "*|\\p{N}" TAIL } },
    { "gpt-4o llama4 kanana2 minimax-m2",
      { CASED "*" SMALL "+" SHORT "?|" CASED "+" SMALL "*" SHORT "?|\\p{N}{1,3}" TAIL } },
    { "deepseek-coder",
      { "[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥ࠀ-一가-\uD7FF]+", "\\p{N}" } },
    { "deepseek-v3 hunyuan-dense joyai-llm",
      { "\\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
        SIGNS "[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|"
              "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+" } },
    { "falcon", { "[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]" } },
    { "bloom poro-chat gpt3-finnish", { " ?[^(\\s|.,!?…。，、।۔،)]+" } },
    { "viking", { " ?[^(\\s|.,!?…。，、।۔،)]+", "\\p{N}" } },
    { "seed-coder",
      { SHORT "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|"
              "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+" } },
    { "superbpe", { "\\p{N}+", "(?=(\\d{3})+(?!\\d))" } },
    { "bailingmoe bailingmoe2 llada-moe",
      { "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
        "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
        "\\s*[\\r\\n]|\\s+(?!\\S)|\\s+" } },
};

static bool among(const char *names, const char *name) {
    size_t n = strlen(name);
    for (const char *at = names; n > 0 && (at = strstr(at, name)); at += n) {
        if ((at == names || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0')) {
            return true;
        }
    }
    return false;
}

struct splitter *split_named(struct arena *arena, const char *name, const char *file,
                             struct err *err) {
    size_t i = 0, n = sizeof named / sizeof *named;
    while (i < n && (strchr(name, ' ') || !among(named[i].names, name))) {
        i++;
    }
    if (i == n) {
        unknown(
            "pre-tokenizer", name,
            "gpt-2, smollm, llama-bpe, qwen2, qwen35, tekken, gpt-4o, deepseek-coder, "
            "deepseek-v3, falcon, bloom, viking, seed-coder, superbpe, bailingmoe and those "
            "that are the same as one of these",
            file, err);
        return NULL;
    }
    struct splitter *splitter = arena_alloc(arena, sizeof *splitter);
    for (const char *const *regex = named[i].patterns; *regex; regex++) {
        struct splitter_step *step = new_step(splitter, file, err);
        if (set_pattern(arena, step, *regex, strlen(*regex), file, err) < 0) {
            return NULL;
        }
    }
    set_bytes(new_step(splitter, file, err), false, NULL);
    return splitter;
}
