#ifndef TESTS_FUZZ_DAMAGE_H
#define TESTS_FUZZ_DAMAGE_H

#include "core/base/buf.h"
#include "core/base/jsontree.h"
#include "tests/fuzz/dice.h"

/* damage: changes that know what they change, for files of every format. */

/* A number at which arithmetic or a bound breaks: 0, 1, 2^31, 2^63, 2^64 - 1 ... */
uint64_t damage_number(struct dice *dice);

/* A text: empty, long, hidden characters, no UTF-8, a path that leads elsewhere ... It may hold
 * NULs. */
struct json_text damage_text(struct arena *arena, struct dice *dice);

/* One change in a JSON tree: a value becomes another or one from elsewhere, a member is
 * doubled, renamed, left out or repeated many times. Values may become what no JSON is. */
void damage_tree(struct arena *arena, struct dice *dice, struct json *root);

/* One change in bytes, with no regard to what they mean: a bit, a piece cut out, doubled or put
 * elsewhere, the end cut off. */
void damage_bytes(struct dice *dice, struct buf *bytes);

/* Where JSON text has a value, another. */
void damage_json(struct dice *dice, struct buf *bytes);

#endif
