#include "kernel/session/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/catch.h"
#include "core/base/guard.h"
#include "core/result/result_pack.h"

enum { FIRST = 4096, LANES = 8, RECORDS_MOST = 1 << 20 };

struct extent {
    int64_t at, length;
};

struct record {
    uint64_t serial;
    struct extent place;
    uint64_t sum;
    int64_t weight;
};

/* One of two, at 0 and at sizeof(struct root). */
struct root {
    char magic[8];
    uint64_t generation;
    struct extent index; /* of struct record */
    uint64_t index_sum;
    uint64_t sum; /* of all above */
};

struct list {
    struct record *records; /* the newest first */
    int64_t count;
    struct arena **arena; /* they lie in it; whoever takes them over sets it to NULL */
};

struct journal {
    int fd;
    int64_t most;
    struct root root; /* as it counts now; generation 0: the file is empty */
    struct list list;
    struct arena *own; /* holds the list */
    uint64_t failed;   /* what has this number or a lower one was not to be written: no more
                        * tries, each of which fills a disk to its end */
};

static const char magic[8] = "CTKEEP1";

/* ---- checksums: against what was half written, not against malice ---- */

struct sum {
    uint64_t lanes[LANES];
};

/* Eight lanes side by side; what is missing of the last 64 bytes counts as zeros. */
static void sum_add(struct sum *sum, const void *bytes, int64_t length) {
    const char *at = bytes;
    for (int64_t left = length; left > 0; left -= sizeof sum->lanes, at += sizeof sum->lanes) {
        uint64_t words[LANES] = { 0 };
        memcpy(words, at, left < (int64_t)sizeof words ? (size_t)left : sizeof words);
        for (int i = 0; i < LANES; i++) {
            uint64_t mixed = (sum->lanes[i] ^ words[i]) * 0x9e3779b97f4a7c15U;
            sum->lanes[i] = (mixed << 29 | mixed >> 35) + (uint64_t)i + 1;
        }
    }
}

static uint64_t sum_end(const struct sum *sum) {
    uint64_t all = 0;
    for (int i = 0; i < LANES; i++) {
        all = (all ^ sum->lanes[i]) * 0x9e3779b97f4a7c15U;
        all ^= all >> 32;
    }
    return all;
}

static uint64_t sum_of(const void *bytes, int64_t length) {
    struct sum sum = { 0 };
    sum_add(&sum, bytes, length);
    return sum_end(&sum);
}

static uint64_t root_sum(const struct root *root) {
    return sum_of(root, (int64_t)offsetof(struct root, sum));
}

/* ---- bytes ---- */

static int read_at(int fd, int64_t at, void *bytes, int64_t length) {
    for (char *to = bytes; length > 0;) {
        ssize_t n = pread(fd, to, (size_t)length, at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return -1;
        }
        to += n;
        at += n;
        length -= n;
    }
    return 0;
}

static int write_at(int fd, int64_t at, const void *bytes, int64_t length) {
    for (const char *from = bytes; length > 0;) {
        ssize_t n = pwrite(fd, from, (size_t)length, at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return -1; /* the disk is full, or a limit is reached */
        }
        from += n;
        at += n;
        length -= n;
    }
    return 0;
}

/* ---- opening ---- */

static bool extent_good(struct extent place, int64_t size) {
    return place.at >= FIRST && place.length >= 0 && place.at <= size &&
           place.length <= size - place.at;
}

static bool root_good(const struct root *root, int64_t size) {
    return memcmp(root->magic, magic, sizeof magic) == 0 && root->generation > 0 &&
           root->sum == root_sum(root) && extent_good(root->index, size) &&
           root->index.length % (int64_t)sizeof(struct record) == 0 &&
           root->index.length / (int64_t)sizeof(struct record) <= RECORDS_MOST;
}

/* The records of that root, in the journal's own arena; -1 if they are not what was written. */
static int index_read(struct journal *journal, const struct root *root, int64_t size) {
    int64_t length = root->index.length;
    struct record *records = arena_raw(journal->own, (size_t)length);
    int64_t count = length / (int64_t)sizeof *records;
    bool good = read_at(journal->fd, root->index.at, records, length) == 0 &&
                sum_of(records, length) == root->index_sum;
    for (int64_t i = 0; good && i < count; i++) {
        good = records[i].serial > 0 && extent_good(records[i].place, size) &&
               (i == 0 || records[i].serial < records[i - 1].serial);
    }
    if (good) {
        journal->root = *root;
        journal->list = (struct list){ .records = records, .count = count };
    }
    return good ? 0 : -1;
}

static void own_free(void *journal) {
    arena_free(((struct journal *)journal)->own);
}

struct journal *journal_open(struct arena *arena, int fd, int64_t most) {
    struct stat info;
    struct root roots[2];
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
        return NULL;
    }
    struct journal *journal = arena_alloc(arena, sizeof *journal);
    *journal = (struct journal){ .fd = fd, .most = most };
    arena_defer(arena, own_free, journal);
    journal->own = arena_new();
    if (read_at(fd, 0, roots, sizeof roots) < 0) {
        return journal; /* nothing was written yet */
    }
    int newer = roots[1].generation > roots[0].generation;
    for (int i = 0; i < 2; i++) {
        const struct root *root = &roots[newer ^ i];
        if (root_good(root, info.st_size) && index_read(journal, root, info.st_size) == 0) {
            break;
        }
    }
    return journal;
}

uint64_t journal_last(const struct journal *journal) {
    uint64_t last = 0;
    for (int64_t i = 0; i < journal->list.count; i++) {
        uint64_t serial = journal->list.records[i].serial;
        last = serial > last ? serial : last;
    }
    return last;
}

uint64_t journal_serial(const struct journal *journal, int64_t i) {
    return i < journal->list.count ? journal->list.records[i].serial : 0;
}

static int by_age(const void *a, const void *b) {
    const struct record *one = a, *other = b;
    return (one->serial < other->serial) - (one->serial > other->serial);
}

static const struct record *record_at(const struct list *list, uint64_t serial) {
    const struct record wanted = { .serial = serial };
    return list->count > 0
               ? bsearch(&wanted, list->records, (size_t)list->count, sizeof wanted, by_age)
               : NULL;
}

const struct result *journal_read(const struct journal *journal, struct arena *arena,
                                  uint64_t serial, int64_t *weight, struct err *err) {
    const struct record *record = record_at(&journal->list, serial);
    if (!record) {
        err_set(err, ERR_RESULT, "nothing was kept aside of it");
        return NULL;
    }
    char *bytes = arena_raw(arena, (size_t)record->place.length);
    if (read_at(journal->fd, record->place.at, bytes, record->place.length) < 0 ||
        sum_of(bytes, record->place.length) != record->sum) {
        err_set(err, ERR_IO, "what was kept aside of it cannot be read");
        return NULL;
    }
    *weight = record->weight;
    return result_unpack(arena, bytes, record->place.length, err);
}

/* ---- writing ---- */

/* What of the file is in use, in order of place. */
struct map {
    struct extent *list;
    int64_t count;
};

static void map_add(struct map *map, struct extent place) {
    int64_t i = map->count++;
    for (; i > 0 && map->list[i - 1].at > place.at; i--) {
        map->list[i] = map->list[i - 1];
    }
    map->list[i] = place;
}

/* Room for so many bytes: between two that are in use, else behind them all. */
static struct extent map_room(const struct map *map, int64_t length) {
    int64_t at = FIRST;
    for (int64_t i = 0; i < map->count && map->list[i].at - at < length; i++) {
        int64_t end = map->list[i].at + map->list[i].length;
        at = end > at ? end : at;
    }
    return (struct extent){ at, length };
}

static int by_place(const void *a, const void *b) {
    const struct extent *one = a, *other = b;
    return (one->at > other->at) - (one->at < other->at);
}

/* What these records and the index that counts take, with places for `more`. */
static struct map map_of(struct arena *arena, const struct journal *journal,
                         const struct list *list, int64_t more) {
    struct map map = { arena_array(arena, list->count + 1 + more, sizeof *map.list), 0 };
    for (int64_t i = 0; i < list->count; i++) {
        map.list[map.count++] = list->records[i].place;
    }
    if (journal->root.generation > 0) {
        map.list[map.count++] = journal->root.index;
    }
    qsort(map.list, (size_t)map.count, sizeof *map.list, by_place);
    return map;
}

/* Ends the file where nothing more is in use. */
static void cut(const struct journal *journal, const struct map *map) {
    int64_t end = FIRST;
    for (int64_t i = 0; i < map->count; i++) {
        int64_t last = map->list[i].at + map->list[i].length;
        end = last > end ? last : end;
    }
    (void)!ftruncate(journal->fd, end);
}

/* Gives what the records that are gone took back to the system: where the file system can have
 * holes, it becomes one. */
static void give_back(const struct journal *journal, const struct list *before) {
    for (int64_t i = 0; i < before->count; i++) {
        struct extent place = before->records[i].place;
        if (place.length > 0 && !record_at(&journal->list, before->records[i].serial)) {
            (void)fallocate(journal->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, place.at,
                            place.length);
        }
    }
}

/* From now on the file holds this list, which the journal takes over. -1: it holds what it held
 * before. The list holds all that the one before did, or nothing that it did not. */
static int commit(struct journal *journal, struct arena *scratch, struct list list) {
    struct list before = journal->list;
    struct arena *own = journal->own;
    struct map used = map_of(scratch, journal, list.count > before.count ? &list : &before, 0);
    struct map after = map_of(scratch, journal, &list, 1);
    int64_t length = list.count * (int64_t)sizeof *list.records;
    struct root root = { .generation = journal->root.generation + 1,
                         .index = map_room(&used, length),
                         .index_sum = sum_of(list.records, length) };
    memcpy(root.magic, magic, sizeof magic);
    root.sum = root_sum(&root);
    int64_t at = (int64_t)(root.generation % 2 * sizeof root);
    if (write_at(journal->fd, root.index.at, list.records, length) < 0 ||
        write_at(journal->fd, at, &root, sizeof root) < 0) {
        struct map still = map_of(scratch, journal, &before, 0);
        cut(journal, &still);
        return -1;
    }
    journal->root = root;
    journal->list = list;
    journal->own = *list.arena;
    *list.arena = NULL;
    map_add(&after, root.index);
    give_back(journal, &before);
    cut(journal, &after);
    arena_free(own);
    return 0;
}

/* An item, and the record that it has. */
struct wanted {
    const struct journal_item *item;
    struct record record; /* serial 0: it is not in the file yet */
    int64_t bytes;        /* packed; at least so many, where they are more than it may have */
    bool taken;
};

static struct wanted wanted_of(const struct journal *journal, const struct journal_item *item) {
    struct wanted wanted = { .item = item };
    const struct record *record = record_at(&journal->list, item->serial);
    if (record) {
        wanted.record = *record;
        wanted.bytes = record->place.length;
    } else {
        int64_t most = item->named ? journal->most : JOURNAL_UNNAMED;
        wanted.bytes = result_pack_bytes(item->result, most);
    }
    return wanted;
}

/* Takes what has room: those with a name first, the newest of them first. Returns how many are
 * to be written. */
static int64_t choose(struct wanted *wanted, int64_t n, int64_t most, uint64_t failed) {
    int64_t left = most, fresh = 0;
    for (int turn = 0; turn < 2; turn++) {
        for (int64_t i = 0; i < n; i++) {
            bool named = wanted[i].item->named;
            bool fits =
                wanted[i].bytes <= left && (named || wanted[i].bytes <= JOURNAL_UNNAMED);
            fits = fits && (wanted[i].record.serial > 0 || wanted[i].item->serial > failed);
            if (named == (turn == 0) && fits) {
                wanted[i].taken = true;
                left -= wanted[i].bytes;
                fresh += wanted[i].record.serial == 0;
            }
        }
    }
    return fresh;
}

/* A little at a time, until an interrupt: what is there then is in no list. `sum` NULL: these
 * are zeros that fill up a line, which it has already. */
static int piece_write(const struct journal *journal, int64_t at,
                       const struct file_piece *piece, struct sum *sum) {
    enum { STEP = 4 << 20 };
    int64_t length = (int64_t)piece->length;
    for (int64_t done = 0; done < length; done += STEP) {
        const char *bytes = (const char *)piece->bytes + done;
        int64_t n = length - done < STEP ? length - done : STEP;
        stop_check();
        if (write_at(journal->fd, at + done, bytes, n) < 0) {
            return -1;
        }
        if (sum) {
            sum_add(sum, bytes, n);
        }
    }
    return 0;
}

/* Writes it where there is room. -1: it is not in the file. */
static int record_write(const struct journal *journal, struct arena *scratch, struct map *map,
                        struct wanted *wanted) {
    struct extent place = map_room(map, wanted->bytes);
    struct arena_mark mark = arena_mark(scratch);
    struct sum sum = { 0 };
    int64_t done = 0, count;
    const struct file_piece *pieces = result_pack(scratch, wanted->item->result, &count);
    for (int64_t i = 0; i < count; i++) {
        const struct file_piece *piece = &pieces[i];
        if (piece_write(journal, place.at + done, piece,
                        done % RESULT_PACK_ALIGN == 0 ? &sum : NULL) < 0) {
            cut(journal, map);
            return -1;
        }
        done += (int64_t)piece->length;
    }
    arena_rewind(scratch, mark);
    wanted->record =
        (struct record){ wanted->item->serial, place, sum_end(&sum), wanted->item->weight };
    map_add(map, place);
    return 0;
}

/* The records of those taken that are in the file. */
static struct list list_of(struct arena *scratch, const struct wanted *wanted, int64_t n) {
    struct list list = { .arena = guard_arena(scratch) };
    list.records = arena_array(*list.arena, n, sizeof *list.records);
    for (int64_t i = 0; i < n; i++) {
        if (wanted[i].taken && wanted[i].record.serial > 0) {
            list.records[list.count++] = wanted[i].record;
        }
    }
    return list;
}

void journal_write(struct journal *journal, struct arena *scratch,
                   const struct journal_item *items, int64_t n) {
    n = n < RECORDS_MOST ? n : RECORDS_MOST;
    struct wanted *wanted = arena_array(scratch, n, sizeof *wanted);
    for (int64_t i = 0; i < n; i++) {
        wanted[i] = wanted_of(journal, &items[i]);
    }
    int64_t fresh = choose(wanted, n, journal->most, journal->failed);
    struct list list = list_of(scratch, wanted, n);
    if (list.count < journal->list.count && commit(journal, scratch, list) < 0) {
        return; /* what is not wanted any more was to make room */
    }
    if (fresh == 0) {
        return;
    }
    struct map map = map_of(scratch, journal, &journal->list, fresh);
    for (int64_t i = 0; i < n; i++) {
        if (wanted[i].taken && wanted[i].record.serial == 0 &&
            record_write(journal, scratch, &map, &wanted[i]) < 0 &&
            journal->failed < items[i].serial) {
            journal->failed = items[i].serial;
        }
    }
    commit(journal, scratch, list_of(scratch, wanted, n));
}
