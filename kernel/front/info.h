#ifndef KERNEL_FRONT_INFO_H
#define KERNEL_FRONT_INFO_H

#include "kernel/front/front.h"

/* info: who the kernel is, and whether a cell's text is whole. */

void info_answer(struct front *front, struct message *request);
void info_is_complete(struct front *front, struct message *request);

#endif
