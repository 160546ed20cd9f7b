#ifndef KERNEL_COMMAND_KEPT_VIEW_H
#define KERNEL_COMMAND_KEPT_VIEW_H

#include "kernel/command/asked.h"
#include "kernel/session/session.h"

/* kept_view: the kept result that %show and %save are asked for, and which part of it. */

/* Their options. */
#define KEPT_VIEW_OPTIONS                                               \
    { .name = "view",                                                   \
      .kind = OPTION_CHOICE,                                            \
      .choices = "grid head",                                           \
      .complete = COMPLETE_CHOICE,                                      \
      .help = "grid: heads small, side by side; head: one head, large", \
      .help_zh = "grid：各个头的小图；head：单个头的大图" },            \
        { .name = "layer",                                              \
          .kind = OPTION_LIST,                                          \
          .otherwise = "all",                                           \
          .help = "only these layers of the result",                    \
          .help_zh = "只要结果中的这些层" },                            \
        { .name = "head",                                               \
          .kind = OPTION_LIST,                                          \
          .otherwise = "all",                                           \
          .help = "only these heads of the result",                     \
          .help_zh = "只要结果中的这些头" },                            \
        { .name = "theme",                                              \
          .kind = OPTION_CHOICE,                                        \
          .choices = "light dark",                                      \
          .complete = COMPLETE_CHOICE,                                  \
          .help = "for white or black paper; otherwise that of %set",   \
          .help_zh = "白底或黑底；不给时按 %set" },                     \
        { .name = "colours",                                            \
          .kind = OPTION_CHOICE,                                        \
          .choices = "cutaway viridis grey",                            \
          .complete = COMPLETE_CHOICE,                                  \
          .help = "colours of values; otherwise those of %set",         \
          .help_zh = "数值的配色；不给时按 %set" },                     \
        ASKED_LANG

/* The result that the first word names, narrowed by --layer and --head, which mean the numbers
 * on the result's axes. NULL: ERR_OPTION where the line has not `words` words, ERR_RESULT where
 * there is no such result. */
const struct result *kept_view(struct session *session, const struct cell_line *line,
                               int64_t words, struct err *err);

/* How to draw it: --lang, --theme and --colours, else as the session says. */
struct picture_options kept_view_options(struct session *session, const struct cell_line *line);

/* Whether the result is of attention heads, [layer, head, ...], which can be chosen from. */
bool kept_view_has_heads(const struct result *result);

#endif
