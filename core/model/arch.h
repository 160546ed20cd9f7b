#ifndef CORE_MODEL_ARCH_H
#define CORE_MODEL_ARCH_H

#include "core/model/model.h"

/* arch: the table of architectures, made from ARCHES in core/files.am. */

/* By config.json's model_type or GGUF's general.architecture; NULL if nothing here knows it. */
const struct arch *arch_find(const char *name);

/* All of them in the table's order; the last entry is NULL. */
const struct arch *const *arch_all(void);

#endif
