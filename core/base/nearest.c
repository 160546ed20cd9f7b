#include "core/base/nearest.h"

#include <stddef.h>
#include <string.h>

enum { LONGEST = 64 };

static char fold(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Optimal string alignment distance: inserts, deletes, replacements, swaps of neighbours. */
static int distance(const char *a, const char *b) {
    int n = (int)strlen(a), m = (int)strlen(b);
    int rows[3][LONGEST + 1];
    for (int j = 0; j <= m; j++) {
        rows[0][j] = j;
    }
    for (int i = 1; i <= n; i++) {
        int *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int cost = fold(a[i - 1]) != fold(b[j - 1]);
            int best = up[j - 1] + cost;
            best = up[j] + 1 < best ? up[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1]) && up2[j - 2] + cost < best) {
                best = up2[j - 2] + cost;
            }
            row[j] = best;
        }
    }
    return rows[n % 3][m];
}

const char *nearest_name(const char *word, const char *const *names) {
    size_t length = strlen(word);
    const char *nearest = NULL;
    int best = length / 2 < 2 ? (int)(length / 2) : 2; /* the farthest that still counts */
    if (length > LONGEST) {
        return NULL;
    }
    for (; *names; names++) {
        if (strlen(*names) <= LONGEST) {
            int d = distance(word, *names);
            if (d < best || (d == best && !nearest)) {
                nearest = *names;
                best = d;
            }
        }
    }
    return nearest;
}
