#ifndef CORE_BASE_LINKED_H
#define CORE_BASE_LINKED_H

#include "core/base/arena.h"

/* linked: what lies elsewhere and belongs to a model's folder, by links in it.
 *
 * A model is often links to where there is room: the hub's cache has
 * snapshots/COMMIT/config.json lead to ../../blobs/HASH, and weights may lie on another drive.
 * But the folder comes from a stranger too, and a link may lead anywhere. So a link counts only
 * where its name is one that a loader asks for (*.safetensors, *.gguf, config.json and what
 * else is read beside weights) and what it leads to is a regular file: that one file, and
 * nothing beside it. A link to a folder, a device or nothing counts for nothing.
 *
 * Looked at are the folder and the folders in it, such as 1_Pooling, no deeper, and at most
 * some thousand entries. No file is opened. Returns real paths, ended by NULL, in the arena. */
const char *const *linked_files(struct arena *arena, const char *folder);

/* All files of the folder itself that have such names, links or not; real paths, likewise. */
const char *const *linked_beside(struct arena *arena, const char *folder);

#endif
