#ifndef TESTS_PARITY_MAPS_H
#define TESTS_PARITY_MAPS_H

#include "core/base/jsontree.h"
#include "core/model/capture.h"

/* maps: what golden/README.md asks of methods/tables (PCA) and methods/tsne. `inputs` is the
 * folder's inputs.safetensors, `cases` its expected.json, where the settings stand. */
int maps_of_table(struct capture *capture, const char *inputs, const struct json *cases,
                  struct err *err);
int maps_of_tsne(struct capture *capture, const char *inputs, const struct json *cases,
                 struct err *err);

#endif
