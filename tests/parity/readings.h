#ifndef TESTS_PARITY_READINGS_H
#define TESTS_PARITY_READINGS_H

#include "core/base/jsontree.h"
#include "core/model/capture.h"

/* readings: what the fixtures methods/perplexity and methods/inside ask for
 * (../shared/golden/README.md). `data` is the folder that holds models/. Each -1 where the
 * engine refuses. */
int readings_perplexity(struct capture *capture, const char *data, const struct json *cases,
                        struct err *err);
int readings_inside(struct capture *capture, const char *data, const struct json *cases,
                    struct err *err);

#endif
