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

static bool is_called(const struct arch *arch, const char *name) {
    const char *const *also = arch->form.also;
    for (int i = 0; i < ARCH_NAMES && also[i]; i++) {
        if (strcmp(also[i], name) == 0) {
            return true;
        }
    }
    return strcmp(arch->name, name) == 0;
}

const struct arch *arch_find(const char *name) {
    for (int i = 0; all[i]; i++) {
        if (is_called(all[i], name)) {
            return all[i];
        }
    }
    return NULL;
}
