#include "kernel/wire/curve.h"

#include <string.h>

#include <zmq.h>

int curve_check(const struct connection *connection, struct err *err) {
    char derived[CONNECTION_CURVE + 1] = "";
    if (!connection->secret_key) {
        return 0;
    }
    if (!zmq_has("curve")) {
        return err_set(
            err, ERR_IO,
            "the connection file asks for encryption by CurveZMQ, but this libzmq was "
            "built without it");
    }
    zmq_curve_public(derived, connection->secret_key);
    if (strcmp(derived, connection->public_key) != 0) {
        return err_set(err, ERR_FORMAT,
                       "the connection file's \"curve_publickey\" does not belong to its "
                       "\"curve_secretkey\"; a pair of keys in Z85 is wanted");
    }
    return 0;
}

void curve_serve(void *socket, const struct connection *connection) {
    int server = 1;
    if (connection->secret_key) {
        zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &server, sizeof server);
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, connection->secret_key, CONNECTION_CURVE);
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, connection->public_key, CONNECTION_CURVE);
    }
}
