#include "core/text/tokenizer.h"

#include <string.h>

#include "core/base/catch.h"
#include "core/base/utf8.h"
#include "core/text/classes.h"
#include "core/text/label.h"
#include "core/text/pipeline.h"

/* What the model made of an earlier piece of the same bytes. Text repeats its words, so most
 * pieces are found here; a slot simply forgets what it held when another piece comes to it. */
struct memo {
    const char *bytes;
    uint32_t length, hash;
    int64_t first;        /* of the symbols */
    uint32_t count, time; /* their number; a slot of another time is empty */
};

enum {
    MEMOS_LEAST = 64,
    MEMOS_MOST = 1 << 15,
    SHORT = 256 /* tokens of a text that has room for them from the start */
};

struct work {
    struct arena *arena;
    const struct tokenizer *tokenizer;
    const char *text;
    struct symbols symbols;
    struct buf *tokens;
    struct memo *memos;
    uint32_t mask;
    uint32_t time;  /* goes on when the text that slots point to is given back */
    bool fleeting;  /* slots point to text that will be given back */
    int64_t pieces; /* so far */
    bool lacks;     /* a piece is unknown and there is no unknown token */
};

/* ---- offsets without blanks ---- */

/* Blanks at the beginning and at the end of a spelling, in characters. */
static void count_blanks(const char *bytes, size_t length, int64_t *leading,
                         int64_t *trailing) {
    uint32_t code = 0;
    int64_t count = 0;
    *leading = *trailing = 0;
    for (size_t i = 0, n; i < length; i += n, count++) {
        n = (size_t)utf8_decode(bytes + i, length - i, &code);
        bool blank = code == bpe_letter(' ') || classes_is_blank(code);
        *trailing = blank ? *trailing + 1 : 0;
        *leading = *trailing == count + 1 ? *trailing : *leading;
    }
}

static bool inside_character(const char *text, int64_t at, int64_t end) {
    return at < end && ((unsigned char)text[at] & 0xc0) == 0x80;
}

/* Whether n characters or more stand before a place. */
static bool has_before(const char *text, int64_t at, int64_t n) {
    for (; at > 0 && n > 0; at--) {
        n -= ((unsigned char)text[at - 1] & 0xc0) != 0x80;
    }
    return n == 0;
}

/* Moves the borders of a token inwards by the blanks of what it stands for. The one that the
 * pre-tokenizer put in front of everything is in no text, so it does not count. */
static void trim(const struct post_trim *rule, const char *text, struct token *token,
                 bool first, int64_t leading, int64_t trailing) {
    first = first || token->begin == 0;
    leading = leading == 1 && first && rule->prefix_space ? 0 : leading;
    for (; leading > 0 && token->begin < token->end; leading--) {
        do {
            token->begin++;
        } while (inside_character(text, token->begin, token->end));
    }
    trailing = has_before(text, token->end, trailing) ? trailing : 0;
    for (; trailing > 0 && token->end > token->begin; trailing--) {
        do {
            token->end--;
        } while (inside_character(text, token->end, token->end + 1));
    }
}

/* ---- text to tokens ---- */

/* A token and what it stands for. */
static void put_token(struct work *work, int32_t id, bool added, struct span from,
                      const char *bytes, size_t length) {
    const struct post *post = work->tokenizer->post;
    bool first = work->tokens->length == 0;
    int64_t leading, trailing;
    struct token *token = (void *)buf_more(work->tokens, sizeof *token);
    *token = (struct token){ .id = id, .begin = from.begin, .end = from.end, .added = added };
    if (post->trim_count > 0) {
        count_blanks(bytes, length, &leading, &trailing);
        for (int i = 0; i < post->trim_count && leading + trailing > 0; i++) {
            trim(&post->trims[i], work->text, token, first, leading, trailing);
        }
    }
}

static void split_piece(struct work *work, const char *bytes, int64_t length) {
    const struct tokenizer *tokenizer = work->tokenizer;
    int32_t id;
    switch (tokenizer->model) {
    case PIPELINE_WORDPIECE:
        work->lacks |= !wordpiece_split(&tokenizer->wordpiece, &work->symbols, bytes, length);
        break;
    case PIPELINE_BPE:
        work->lacks |= !bpe_split(&tokenizer->bpe, &work->symbols, bytes, length);
        break;
    case PIPELINE_WORDLEVEL:
        id = vocab_find(tokenizer->vocab, bytes, (size_t)length);
        id = id < 0 ? tokenizer->unknown : id;
        work->lacks |= id < 0;
        symbols_add(&work->symbols, id, 0, length);
        break;
    case PIPELINE_UNIGRAM:
        work->lacks |= !unigram_split(&tokenizer->unigram, &work->symbols, bytes, length);
        break;
    }
}

/* A token of the model for bytes begin..end of the run. Those of a byte fallback with a suffix
 * may lie beyond the piece, which holds the suffix no more than the text does. */
static void put_symbol(struct work *work, const struct run *run,
                       const struct split_piece *piece, const struct symbol *symbol) {
    const struct tokenizer *tokenizer = work->tokenizer;
    int64_t begin = piece->begin + symbol->begin, end = piece->begin + symbol->end;
    end = end < piece->end ? end : piece->end;
    begin = begin < end ? begin : end - 1;
    struct span span = run_span(run, begin, end);
    const struct vocab_word *word = &tokenizer->words[symbol->id];
    if (tokenizer->model == PIPELINE_UNIGRAM && symbol->id == tokenizer->unigram.unknown) {
        put_token(work, symbol->id, false, span, run->text + begin, (size_t)(end - begin));
    } else {
        put_token(work, symbol->id, false, span, word->bytes, word->length);
    }
}

static void put_piece(struct work *work, const struct run *run,
                      const struct split_piece *piece) {
    const char *bytes = run->text + piece->begin;
    uint32_t length = piece->end - piece->begin, hash = vocab_hash(bytes, length);
    struct memo *memo = &work->memos[hash & work->mask];
    if (memo->hash != hash || memo->length != length || memo->time != work->time ||
        memcmp(memo->bytes, bytes, length) != 0) {
        *memo = (struct memo){ bytes, length, hash, work->symbols.count, 0, work->time };
        split_piece(work, bytes, length);
        memo->count = (uint32_t)(work->symbols.count - memo->first);
        work->fleeting |= run->spans != NULL;
    }
    const struct symbol *symbols = symbols_all(&work->symbols) + memo->first;
    for (int64_t i = 0; i < memo->count && !work->lacks; i++) {
        if ((i + 1) % STOP_EVERY == 0) {
            stop_check();
        }
        put_symbol(work, run, piece, &symbols[i]);
    }
}

/* The end of the part of a piece that begins at `at`: before the next U+2581 that follows
 * another character. */
static uint32_t part_end(const struct run *run, uint32_t at, uint32_t end) {
    bool before = true;
    while (at < end) {
        bool mark = end - at >= 3 && memcmp(run->text + at, "\u2581", 3) == 0;
        if (mark && !before) {
            break;
        }
        before = mark;
        at += mark ? 3 : 1;
    }
    return at;
}

static void put_parts(struct work *work, const struct run *run, struct split_piece piece) {
    while (piece.begin < piece.end) {
        uint32_t end = part_end(run, piece.begin, piece.end);
        put_piece(work, run, &(struct split_piece){ piece.begin, end });
        piece.begin = end;
    }
}

static void put_text(struct work *work, struct run run) {
    struct split split = split_run(work->arena, work->tokenizer->splitter, run);
    for (int64_t i = 0; i < split.count; i++) {
        if (++work->pieces % 4096 == 0) {
            stop_check();
        }
        if (work->tokenizer->parts) {
            put_parts(work, &split.run, split.pieces[i]);
        } else {
            put_piece(work, &split.run, &split.pieces[i]);
        }
    }
}

/* A stretch between two added tokens. There may be many, so each gives back what it took. */
static void put_normalized(struct work *work, struct run run) {
    struct arena_mark mark = arena_mark(work->arena);
    struct added_walk walk;
    struct added_part part;
    run = normalize_run(work->arena, work->tokenizer->normalizer, run);
    if (run.length > UINT32_MAX / 8) {
        catch_throw(ERR_TEXT,
                    "the text has %lld bytes once it is normalised, more than can be read",
                    (long long)run.length);
    }
    added_begin(&walk, work->tokenizer->added, true, run.text, run.length);
    while (added_next(&walk, &part)) {
        if (part.token) {
            put_token(work, part.token->id, true, run_span(&run, part.begin, part.end),
                      run.text + part.begin, (size_t)(part.end - part.begin));
        } else {
            put_text(work, run_part(&run, part.begin, part.end));
        }
    }
    arena_rewind(work->arena, mark);
    work->time += work->fleeting;
    work->fleeting = false;
}

static void put_all(struct work *work, size_t length) {
    struct added_walk walk;
    struct added_part part;
    added_begin(&walk, work->tokenizer->added, false, work->text, (int64_t)length);
    while (added_next(&walk, &part)) {
        struct span span = { (uint32_t)part.begin, (uint32_t)part.end };
        if (part.token) {
            put_token(work, part.token->id, true, span, work->text + part.begin,
                      (size_t)(part.end - part.begin));
        } else {
            put_normalized(work, (struct run){ .text = work->text + part.begin,
                                               .length = part.end - part.begin,
                                               .base = part.begin });
        }
    }
}

/* ---- encoding ---- */

static void work_begin(struct work *work, size_t length) {
    struct arena *arena = work->arena;
    uint32_t memos = MEMOS_LEAST;
    while (memos < length / 8 && memos < MEMOS_MOST) {
        memos *= 2;
    }
    work->memos = arena_alloc(arena, memos * sizeof *work->memos);
    work->mask = memos - 1;
    work->time = 1;
    size_t likely = length / 2 + 8;
    likely = likely < SHORT ? likely : SHORT;
    work->tokens = buf_new_for(arena, likely * sizeof(struct token));
    work->symbols.arena = arena;
    work->symbols.buf = buf_new_for(arena, likely * sizeof(struct symbol));
    work->symbols.spelled = arena_raw(arena, (size_t)work->tokenizer->vocab->longest + 8);
}

static int encode(struct arena *arena, const struct tokenizer *tokenizer, const char *text,
                  size_t length, struct encoding *encoding, struct err *err) {
    size_t bad = utf8_bad(text, length);
    if (bad < length) {
        return err_set(err, ERR_TEXT, "byte %zu of the text, 0x%02X, is not UTF-8", bad,
                       (unsigned char)text[bad]);
    }
    if (length > UINT32_MAX / 16) {
        return err_set(err, ERR_TEXT, "the text has %zu bytes, at most %u can be read at once",
                       length, UINT32_MAX / 16);
    }
    struct work work = { .arena = arena, .tokenizer = tokenizer, .text = text };
    work_begin(&work, length);
    put_all(&work, length);
    if (work.lacks) {
        return err_set(err, ERR_TEXT,
                       "the text has characters that the vocabulary lacks, and the tokenizer "
                       "has no token for what is unknown");
    }
    encoding->tokens = (void *)work.tokens->data;
    encoding->count = (int64_t)(work.tokens->length / sizeof *encoding->tokens);
    return 0;
}

struct encoding *tokenizer_encode(struct arena *arena, const struct tokenizer *tokenizer,
                                  const char *text, size_t length, const char *pair,
                                  size_t pair_length, bool special, struct err *err) {
    struct encoding first, second;
    if (encode(arena, tokenizer, text, length, &first, err) < 0 ||
        (pair && encode(arena, tokenizer, pair, pair_length, &second, err) < 0)) {
        err_pass(err);
        return NULL;
    }
    return post_join(arena, tokenizer->post, &first, pair ? &second : NULL, special);
}

/* ---- ids to text ---- */

static const struct vocab_word *word_of(const struct tokenizer *tokenizer, int32_t id) {
    bool known = id >= 0 && id < tokenizer->size && tokenizer->words[id].bytes;
    return known ? &tokenizer->words[id] : NULL;
}

char *tokenizer_decode(struct arena *arena, const struct tokenizer *tokenizer,
                       const int32_t *ids, int64_t n, bool skip_special, size_t *length) {
    struct decode_text *texts = arena_array(arena, n, sizeof *texts);
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        const struct vocab_word *word = word_of(tokenizer, ids[i]);
        if (word && !(skip_special && tokenizer->special[ids[i]])) {
            word = &tokenizer->decoded[ids[i]];
            texts[count++] = (struct decode_text){ word->bytes, word->length };
        }
    }
    struct buf *text = decode_join(arena, tokenizer->decoder, texts, count);
    if (length) {
        *length = text->length;
    }
    return text->data;
}

int64_t tokenizer_size(const struct tokenizer *tokenizer) {
    return tokenizer->size;
}

const char *tokenizer_spelling(const struct tokenizer *tokenizer, int32_t id) {
    const struct vocab_word *word = word_of(tokenizer, id);
    return word ? word->bytes : NULL;
}

int32_t tokenizer_id(const struct tokenizer *tokenizer, const char *spelling) {
    int32_t id = vocab_find(tokenizer->added_vocab, spelling, strlen(spelling));
    return id >= 0 ? id : vocab_find(tokenizer->vocab, spelling, strlen(spelling));
}

const char *tokenizer_kind(const struct tokenizer *tokenizer) {
    static const char *const kinds[] = { "WordPiece", "BPE", "WordLevel", "Unigram" };
    return kinds[tokenizer->model];
}

/* The bytes a token stands for: of added tokens, and where spellings are no code, the spelling.
 */
static struct decode_text token_bytes(struct arena *arena, const struct tokenizer *tokenizer,
                                      const struct vocab_word *word) {
    struct decode_text text = { word->bytes, word->length };
    if (pipeline_is_added(tokenizer, word->id)) {
        return text;
    }
    if (!split_is_byte_level(tokenizer->splitter)) {
        return decode_alone(arena, tokenizer->decoder, text);
    }
    struct buf *raw = buf_new(arena);
    if (decode_letters(raw, word->bytes, word->length)) {
        text = (struct decode_text){ raw->data, raw->length };
    }
    return text;
}

const char *tokenizer_label(struct arena *arena, const struct tokenizer *tokenizer,
                            int32_t id) {
    const struct vocab_word *word = word_of(tokenizer, id);
    if (!word) {
        return arena_printf(arena, "<id %d>", id);
    }
    struct decode_text text = token_bytes(arena, tokenizer, word);
    return label(arena, text.bytes, text.length);
}
