/* wire_library: what libzmq says of itself. */
#include "kernel/wire/wire_library.h"

#include "tests/check.h"
#include "tests/faults.h"

TEST(wire_library_knows_version_and_encryption) {
    int version[3] = { 0 };
    wire_library(version);
    check(version[0] == 4 && version[1] >= 3); /* what configure wants */
    faults_set("zmq_has", 0, 1, 0);
    check(!wire_library(version));
    faults_end();
}
