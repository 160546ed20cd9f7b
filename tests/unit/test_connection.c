/* connection: what Jupyter's file says, and what it must not say. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/buf.h"
#include "core/base/file.h"
#include "kernel/wire/connection.h"
#include "tests/check.h"
#include "tests/faults.h"

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
    c = read_text("{\"ip\":\"[::1]\"," PORTS "}", &err);
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
    refused("{\"ip\":\"a\",\"transport\":7," PORTS "}", "\"transport\" is no string");
    refused("{\"ip\":\"a\",\"transport\":\"udp\"," PORTS "}",
            "\"udp\"; Cutaway knows tcp and ipc");
    refused("{\"ip\":\"a\",\"signature_scheme\":\"hmac-crc\"," PORTS "}",
            "\"hmac-crc\"; Cutaway knows hmac-sha256, hmac-sha512 and hmac-md5");
    refused("{\"ip\":\"a\",\"shell_port\":0}", "\"shell_port\" is 0");
    refused("{\"ip\":\"a\",\"shell_port\":65536}", "65536; a port from 1 to 65535");
    refused("{\"ip\":\"a\",\"shell_port\":-1}", "-1");
    refused("{\"ip\":\"a\",\"shell_port\":1.5}", "1.5");
    refused("{\"ip\":\"a\",\"shell_port\":\"12x\"}", "12x");
    refused("{\"ip\":\"a\",\"shell_port\":\"\"}", "is \"\"; a port");
    refused("{\"ip\":\"a\",\"shell_port\":null}", "is null; a port");
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

#define KEY_40 "0123456789012345678901234567890123456789"

TEST(connection_takes_both_curve_keys_or_none) {
    struct err err;
    struct connection *c = read_text("{\"ip\":\"a\",\"curve_publickey\":\"" KEY_40
                                     "\",\"curve_secretkey\":\"" KEY_40 "\"," PORTS "}",
                                     &err);
    if (check(c != NULL)) {
        check_same(c->public_key, KEY_40);
        check_same(c->secret_key, KEY_40);
        connection_forget(c);
        check(c->secret_key[0] == 0 && c->secret_key[39] == 0 && c->public_key[39] == 0);
    }
    c = read_text("{\"ip\":\"a\",\"curve_publickey\":\"\"," PORTS "}", &err);
    check(c && !c->public_key && !c->secret_key);
    refused("{\"ip\":\"a\",\"curve_publickey\":\"" KEY_40 "\"," PORTS "}",
            "40 characters and \"curve_secretkey\" 0; both or none");
    refused("{\"ip\":\"a\",\"curve_secretkey\":\"" KEY_40 "\"," PORTS "}",
            "\"curve_publickey\" has 0 characters");
    refused("{\"ip\":\"a\",\"curve_publickey\":7," PORTS "}", "\"curve_publickey\" is no");
    refused("{\"ip\":\"a\",\"curve_secretkey\":7," PORTS "}", "\"curve_secretkey\" is no");
}

#define REGISTER "\"registration_port\":7,\"registration_ip\":\"127.0.0.1\""

TEST(connection_reads_a_registration_file) {
    struct err err;
    struct arena *arena = check_arena();
    struct connection *c =
        read_text("{\"kernel_id\":\"a-B_3\",\"key\":\"k\"," REGISTER "}", &err);
    if (!check(c != NULL)) {
        return;
    }
    check_same(c->kernel_id, "a-B_3");
    check_same(connection_registration(arena, c), "tcp://127.0.0.1:7");
    check_same(connection_endpoint(arena, c, CHANNEL_SHELL), "tcp://127.0.0.1:*");
    c = read_text("{\"kernel_id\":\"a\",\"ip\":\"10.0.0.1\"," REGISTER "}", &err);
    check(c && c->key_length == 0);
    check_same(connection_endpoint(arena, c, CHANNEL_SHELL), "tcp://10.0.0.1:*");
    check_same(connection_registration(arena, c), "tcp://127.0.0.1:7");
}

/* Names that are taken, whatever holds them, are passed over. */
TEST(connection_chooses_unix_sockets_that_are_free) {
    struct arena *arena = check_arena();
    struct err err;
    const char *ip = file_join(arena, check_folder(arena), "s");
    const char *text = arena_printf(arena,
                                    "{\"kernel_id\":\"a\",\"transport\":\"ipc\",\"ip\":\"%s\","
                                    "\"registration_ip\":\"/run/r\",\"registration_port\":7}",
                                    ip);
    struct connection *first = read_text(text, &err);
    if (!check(first != NULL)) {
        return;
    }
    const char *taken = arena_printf(arena, "%s-%d", ip, first->ports[1]);
    check_int(file_write(taken, "", 0, &err), 0);
    struct connection *second = read_text(text, &err);
    if (!check(second != NULL)) {
        return;
    }
    check_same(connection_registration(arena, second), "ipc:///run/r-7");
    for (int i = 0; i < CHANNELS; i++) {
        check(second->ports[i] >= 1 && second->ports[i] <= 65535);
        check(second->ports[i] != first->ports[1]);
        check(i == 0 || second->ports[i] != second->ports[i - 1]);
    }
}

TEST(connection_refuses_a_registration_file_and_names_the_field) {
    struct arena *arena = check_arena();
    char *id = arena_alloc(arena, 202);
    memset(id, 'x', 201);
    refused("{" REGISTER "}", "\"kernel_id\" is missing");
    refused("{\"kernel_id\":\"\"," REGISTER "}", "\"kernel_id\" is \"\"; 1 to 200");
    refused("{\"kernel_id\":\"../x\"," REGISTER "}", "\"../x\"; 1 to 200 letters");
    refused(arena_printf(arena, "{\"kernel_id\":\"%s\"," REGISTER "}", id), "1 to 200");
    refused("{\"kernel_id\":\"a\",\"registration_port\":7}", "\"registration_ip\" is missing");
    refused("{\"kernel_id\":\"a\",\"ip\":\"\"," REGISTER "}", "\"ip\" is empty");
    refused("{\"kernel_id\":\"a\",\"registration_ip\":\"b\",\"registration_port\":0}",
            "\"registration_port\" is 0");
}

TEST(connection_writes_what_it_reads) {
    static const char *const texts[] = {
        "{\"ip\":\"a\",\"key\":\"k\"," PORTS "}",
        "{\"ip\":\"/"
        "x\",\"transport\":\"ipc\",\"signature_scheme\":\"hmac-md5\",\"curve_publickey\":"
        "\"" KEY_40 "\",\"curve_secretkey\":\"" KEY_40 "\"," PORTS "}",
    };
    for (int i = 0; i < 2; i++) {
        struct err err;
        struct connection *one = read_text(texts[i], &err);
        struct buf *out = buf_new(check_arena());
        if (!check(one != NULL)) {
            return;
        }
        connection_write(one, out);
        const struct connection *other = read_text(out->data, &err);
        if (check(other != NULL)) {
            check_same(other->ip, one->ip);
            check_same(other->key, one->key);
            check_same(other->scheme, one->scheme);
            check(other->ipc == one->ipc && !other->public_key == !one->public_key);
            check(memcmp(other->ports, one->ports, sizeof one->ports) == 0);
        }
    }
}

TEST(connection_refuses_what_is_no_file_or_too_large) {
    struct arena *arena = check_arena();
    const char *folder = check_folder(arena);
    struct err err = { 0 };
    check(!connection_read(arena, file_join(arena, folder, "none"), &err));
    check_int(err.kind, ERR_IO);
    check(!connection_read(arena, folder, &err));
    check_text(err.text, "a folder");
    char *large = arena_alloc(arena, (1 << 20) + 2);
    memset(large, ' ', (1 << 20) + 1);
    refused(large, "1048577 bytes; no connection file is larger than 1 MiB");
    char *ip = arena_alloc(arena, PATH_MAX + 2);
    memset(ip, 'x', PATH_MAX + 1);
    refused(arena_printf(arena, "{\"ip\":\"%s\"," PORTS "}", ip), "longer than any address");
    faults_set("json_dumps", 0, 1, ENOMEM);
    refused("{\"ip\":\"a\",\"shell_port\":[]}", "\"shell_port\" is ?; a port");
    faults_end();
}
