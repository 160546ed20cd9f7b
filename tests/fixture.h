#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include "core/model/model.h"

/* fixture: the models of the golden data, opened for the length of a test. Where one does not
 * open the test fails, and gets NULL. */

/* "gpt2", of golden/data/models. */
struct model *fixture_model(const char *name);

/* "gguf/llama/model.gguf", of golden/data. */
struct model *fixture_open(const char *path);

#endif
