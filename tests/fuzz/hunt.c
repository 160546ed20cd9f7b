/* hunt: libFuzzer over one target, the one that HUNT names. `make fuzz-wire` builds and runs
 * it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/targets.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const struct target *target;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    const char *name = getenv("HUNT");
    if (*argc > 1 && strcmp((*argv)[1], "worker") == 0) {
        exit(0); /* see replay.c */
    }
    for (const struct target *one = targets; name && one->name; one++) {
        target = strcmp(one->name, name) == 0 ? one : target;
    }
    if (!target) {
        fprintf(stderr, "hunt: HUNT names a target, such as \"frames\"\n");
        exit(2);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    target->run(bytes, length);
    return 0;
}
