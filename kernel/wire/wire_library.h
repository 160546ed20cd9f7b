#ifndef KERNEL_WIRE_WIRE_LIBRARY_H
#define KERNEL_WIRE_WIRE_LIBRARY_H

#include <stdbool.h>

/* wire_library: the libzmq that this process runs with: its version, and whether it can encrypt
 * (CURVE). */
bool wire_library(int version[3]);

#endif
