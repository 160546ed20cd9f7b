/* connection: what Jupyter's file says, and what it must not say. */
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "kernel/wire/connection.h"
#include "tests/check.h"

#define PORTS                                                                             \
    "\"shell_port\":1,\"iopub_port\":\"65535\",\"stdin_port\":3,\"control_port\":4,\"hb_" \
    "port\":5"

static struct connection *read_text(const char *text, struct err *err) {
    struct arena *arena = check_arena();
    const char *path = file_join(arena, check_folder(arena), "connection.json");
    check(file_write(path, text, strlen(text), err) == 0);
    chmod(path, 0600);
    return connection_read(arena, path, err);
}

static void refused(const char *text, const char *said) {
    struct err err = { 0 };
    if (check(!read_text(text, &err))) {
        check_int(err.kind, ERR_FORMAT);
        check_text(err.text, said);
        check_text(err.text, "connection.json");
    }
}

TEST(connection_reads_a_file) {
    struct err err;
    struct connection *c =
        read_text("{\"ip\":\"127.0.0.1\",\"key\":\"k-1\",\"transport\":\"tcp\","
                  "\"signature_scheme\":\"hmac-sha256\",\"new\":[{}]," PORTS "}",
                  &err);
    if (!check(c != NULL)) {
        return;
    }
    check(!c->ipc && !c->exposed);
    check_same(c->key, "k-1");
    check_int(c->key_length, 3);
    check_int(c->ports[CHANNEL_SHELL], 1);
    check_int(c->ports[CHANNEL_IOPUB], 65535);
    check_same(connection_endpoint(check_arena(), c, CHANNEL_CONTROL), "tcp://127.0.0.1:4");
    connection_forget(c);
    check_int(c->key_length, 0);
    check(memcmp(c->key, "\0\0\0", 3) == 0);
}

TEST(connection_writes_other_endpoints) {
    struct err err;
    struct connection *c =
        read_text("{\"ip\":\"/run/x\",\"transport\":\"ipc\"," PORTS "}", &err);
    check(c && c->ipc && c->key_length == 0);
    check_same(connection_endpoint(check_arena(), c, CHANNEL_STDIN), "ipc:///run/x-3");
    c = read_text("{\"ip\":\"::1\"," PORTS "}", &err);
    check_same(connection_endpoint(check_arena(), c, CHANNEL_HEARTBEAT), "tcp://[::1]:5");
    c = read_text("{\"ip\":\"localhost\"," PORTS "}", &err);
    check_same(connection_endpoint(check_arena(), c, CHANNEL_SHELL), "tcp://127.0.0.1:1");
}

TEST(connection_says_when_others_can_read_the_key) {
    struct arena *arena = check_arena();
    const char *path = file_join(arena, check_folder(arena), "c");
    const char *text = "{\"ip\":\"127.0.0.1\"," PORTS "}";
    struct err err;
    check(file_write(path, text, strlen(text), &err) == 0);
    chmod(path, 0640);
    struct connection *c = connection_read(arena, path, &err);
    check(c && c->exposed);
}

TEST(connection_refuses_and_names_the_field) {
    refused("", "no connection file");
    refused("{\"ip\":\"1\",\"ip\":\"2\"," PORTS "}", "no connection file");
    refused("[1]", "no JSON object");
    refused("{" PORTS "}", "\"ip\" is missing");
    refused("{\"ip\":7," PORTS "}", "\"ip\" is no string");
    refused("{\"ip\":\"\"," PORTS "}", "\"ip\" is empty");
    refused("{\"ip\":\"a\",\"key\":null," PORTS "}", "\"key\"");
    refused("{\"ip\":\"a\",\"transport\":\"udp\"," PORTS "}",
            "\"udp\"; Cutaway knows tcp and ipc");
    refused("{\"ip\":\"a\",\"signature_scheme\":\"hmac-crc\"," PORTS "}",
            "\"hmac-crc\"; Cutaway knows hmac-sha256, hmac-sha512 and hmac-md5");
    refused("{\"ip\":\"a\",\"shell_port\":0}", "\"shell_port\" is 0");
    refused("{\"ip\":\"a\",\"shell_port\":65536}", "65536; a port from 1 to 65535");
    refused("{\"ip\":\"a\",\"shell_port\":-1}", "-1");
    refused("{\"ip\":\"a\",\"shell_port\":1.5}", "1.5");
    refused("{\"ip\":\"a\",\"shell_port\":\"12x\"}", "12x");
    refused("{\"ip\":\"a\",\"shell_port\":\"9999999999999\"}", "9999999999999");
    refused("{\"ip\":\"a\",\"shell_port\":1}", "no \"control_port\"");
}

TEST(connection_survives_every_cut) {
    const char *text = "{\"ip\":\"127.0.0.1\",\"key\":\"k\"," PORTS "}";
    struct arena *arena = check_arena();
    const char *path = file_join(arena, check_folder(arena), "c");
    for (size_t n = 0; n < strlen(text); n++) {
        struct err err;
        check(file_write(path, text, n, &err) == 0);
        check(!connection_read(arena, path, &err));
    }
}
