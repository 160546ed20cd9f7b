#include "core/model/arch.h"

#include <string.h>

#define ARCH(stem) extern const struct arch stem##_arch;
#include "core/model/arches.inc"
#undef ARCH

static const struct arch *const all[] = {
#define ARCH(stem) &stem##_arch,
#include "core/model/arches.inc"
#undef ARCH
    NULL
};

const struct arch *const *arch_all(void) {
    return all;
}

const struct arch *arch_find(const char *name) {
    for (int i = 0; all[i]; i++) {
        if (strcmp(all[i]->name, name) == 0) {
            return all[i];
        }
    }
    return NULL;
}
