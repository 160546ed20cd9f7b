/* curve: which keys are taken. The pairs are those of libzmq's manual. */
#include "kernel/wire/curve.h"

#include <errno.h>

#include "kernel/wire/sockets.h"
#include "tests/check.h"
#include "tests/faults.h"
#include "tests/peer.h"

static char
    public_key[] = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
    secret_key[] = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
    another[] = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
    no_key[] =
        "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"";

static int checked(char *public_text, char *secret_text, struct err *err) {
    const struct connection connection = { .public_key = public_text,
                                           .secret_key = secret_text };
    return curve_check(&connection, err);
}

TEST(curve_takes_a_pair_or_none) {
    struct err err = { 0 };
    check_int(checked(NULL, NULL, &err), 0);
    check_int(checked(public_key, secret_key, &err), 0);
    check_int(err.kind, ERR_NONE);
    check_int(checked(another, secret_key, &err), -1);
    check_text(err.text, "\"curve_publickey\" does not belong to its \"curve_secretkey\"");
    check_int(checked(public_key, no_key, &err), -1);
    check_int(err.kind, ERR_FORMAT);
}

TEST(curve_says_when_libzmq_cannot_encrypt) {
    struct err err = { 0 };
    faults_set("zmq_has", 0, 1, 0);
    check_int(checked(public_key, secret_key, &err), -1);
    faults_end();
    check_text(err.text, "this libzmq was built without it");
}

TEST(curve_keeps_out_who_has_no_key) {
    struct connection *connection = peer_connection(check_arena(), "key");
    struct frame frames[16];
    struct err err;
    connection->public_key = another;
    connection->secret_key = secret_key;
    check(!sockets_open(check_arena(), connection, &err));
    check_text(err.text, "does not belong");
    connection->public_key = public_key;
    struct sockets *sockets = sockets_open(check_arena(), connection, &err);
    if (!check(sockets != NULL)) {
        return;
    }
    struct peer *peer = peer_new(PEER_SUB, 0);
    peer_connect(peer, connection_endpoint(check_arena(), connection, CHANNEL_IOPUB));
    for (int i = 0; i < 20; i++) {
        check_int(sockets_wait(sockets, NULL, 0, 10), 0);
        sockets_publish(sockets, NULL, "status", (struct frame){ "{}", 2 }, NULL);
    }
    check_int(peer_read(peer, frames, 16, 0), 0);
    peer_close(peer);
    sockets_close(sockets, 0);
}
