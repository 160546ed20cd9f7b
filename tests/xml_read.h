#ifndef TESTS_XML_READ_H
#define TESTS_XML_READ_H

#include <stddef.h>

#include "core/base/arena.h"

/* xml_read: reads documents of elements, attributes and text, as our SVG is, as strictly as XML
 * 1.0 asks: names, quotes, entities, characters, nesting, one root, no attribute twice.
 * Comments, processing instructions but the declaration, document types and CDATA are refused.
 */

struct xml_read {
    const char *elements;   /* a name a line, as they begin */
    const char *attributes; /* "name=value" a line, decoded */
    const char *texts;      /* the content of each <text>, decoded, a line each */
    const char *title, *desc;
    int depth; /* of nesting, at most */
};

/* NULL if it is not such a document; `why` then says what is wrong and where. */
struct xml_read *xml_read(struct arena *arena, const char *bytes, size_t length,
                          const char **why);

#endif
