#ifndef CORE_TEXT_SPLITTER_H
#define CORE_TEXT_SPLITTER_H

#include "core/text/ends.h"
#include "core/text/pattern.h"
#include "core/text/split.h"

/* splitter: the steps that split.c takes and split_read.c reads, for these two files. */

enum splitter_kind {
    SPLITTER_CUT,       /* at what `cut_at` finds */
    SPLITTER_BERT,      /* words between blanks, punctuation by itself */
    SPLITTER_BYTES,     /* ByteLevel */
    SPLITTER_METASPACE, /* blanks become `text`, one is put in front */
    SPLITTER_FIXED,     /* every `length` characters */
    SPLITTER_SCRIPTS    /* where the writing system changes */
};

enum splitter_cut {
    SPLITTER_ENDS,        /* pieces that `ends` finds */
    SPLITTER_BLANK,       /* a blank */
    SPLITTER_PUNCTUATION, /* a punctuation mark */
    SPLITTER_NUMBER,      /* a digit or another number */
    SPLITTER_TEXT,        /* `text` */
    SPLITTER_WORDS,       /* \w+|[^\w\s]+ */
    SPLITTER_PATTERN      /* `pattern` */
};

/* Where what is found goes. */
enum splitter_behavior {
    SPLITTER_ISOLATED,
    SPLITTER_REMOVED,
    SPLITTER_WITH_PREVIOUS,
    SPLITTER_WITH_NEXT,
    SPLITTER_CONTIGUOUS
};

enum splitter_prefix { SPLITTER_NEVER, SPLITTER_FIRST, SPLITTER_ALWAYS };

struct splitter_step {
    enum splitter_kind kind;
    enum splitter_cut cut_at;
    ends_of *ends; /* of CUT; of BYTES where it cuts */
    const char *text;
    const struct pattern *pattern;
    enum splitter_behavior behavior;
    bool invert;                 /* what lies between is found */
    enum splitter_prefix prefix; /* BYTES, METASPACE: what gets a blank put in front */
    bool cut;                    /* METASPACE: whether it cuts at all */
    bool spell; /* BYTES: the text becomes letters of the byte alphabet; else it stays */
    int64_t length;
};

enum { SPLITTER_STEPS = 32 };

struct splitter {
    struct splitter_step steps[SPLITTER_STEPS];
    int count;
};

#endif
