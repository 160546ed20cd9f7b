#include "kernel/wire/wire_library.h"

#include <zmq.h>

bool wire_library(int version[3]) {
    zmq_version(&version[0], &version[1], &version[2]);
    return zmq_has("curve") != 0;
}
