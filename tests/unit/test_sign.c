/* sign: RFC 4231's second case, cut into four parts; and all that must not pass. */
#include <ctype.h>
#include <string.h>

#include "core/base/catch.h"
#include "kernel/wire/sign.h"
#include "tests/check.h"
#include "tests/faults.h"

static const char digits[] = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
static const struct frame parts[4] = {
    { "what do ya ", 11 }, { "", 0 }, { "want for ", 9 }, { "nothing?", 8 }
};

enum { SIGN_LENGTH = 64 };
static unsigned char digest[SIGN_DIGEST];

static struct sign *jefe(void) {
    struct err err;
    return sign_new(check_arena(), "hmac-sha256", "Jefe", 4, &err);
}

TEST(sign_equals_the_rfc) {
    char hex[SIGN_MOST + 1];
    struct sign *sign = jefe();
    for (int i = 0; i < 3; i++) { /* the keyed context serves again and again */
        check_int(sign_make(sign, parts, 4, hex), SIGN_LENGTH);
        check_same(hex, digits);
    }
    check(sign_holds(sign, (struct frame){ digits, SIGN_LENGTH }, parts, 4, digest));
}

TEST(sign_holds_for_exactly_these_digits) {
    struct sign *sign = jefe();
    for (size_t n = 0; n < SIGN_LENGTH; n++) {
        const char *cut = check_guarded(check_arena(), digits, n);
        check(!sign_holds(sign, (struct frame){ cut, n }, parts, 4, digest));
    }
    for (size_t i = 0; i < SIGN_LENGTH; i++) {
        for (int bit = 0; bit < 8; bit++) {
            char copy[SIGN_LENGTH];
            memcpy(copy, digits, sizeof copy);
            copy[i] = (char)(copy[i] ^ 1 << bit);
            check(!sign_holds(sign, (struct frame){ copy, sizeof copy }, parts, 4, digest));
        }
    }
    char upper[SIGN_LENGTH];
    for (size_t i = 0; i < SIGN_LENGTH; i++) {
        upper[i] = (char)toupper((unsigned char)digits[i]);
    }
    check(!sign_holds(sign, (struct frame){ upper, sizeof upper }, parts, 4, digest));
    char longer[SIGN_LENGTH + 1];
    memcpy(longer, digits, sizeof longer);
    check(!sign_holds(sign, (struct frame){ longer, sizeof longer }, parts, 4, digest));
}

TEST(sign_sees_other_bytes_and_other_keys) {
    struct err err;
    struct frame other[4];
    memcpy(other, parts, sizeof other);
    other[3] = (struct frame){ "nothing!", 8 };
    check(!sign_holds(jefe(), (struct frame){ digits, SIGN_LENGTH }, other, 4, digest));
    struct sign *sign = sign_new(check_arena(), "hmac-sha256", "jefe", 4, &err);
    check(!sign_holds(sign, (struct frame){ digits, SIGN_LENGTH }, parts, 4, digest));
}

TEST(sign_without_a_key_signs_nothing) {
    struct err err;
    char hex[SIGN_MOST + 1] = "x";
    struct sign *sign = sign_new(check_arena(), "hmac-sha256", "", 0, &err);
    check_int(sign_make(sign, parts, 4, hex), 0);
    check_same(hex, "");
    check(sign_holds(sign, (struct frame){ "whatever", 8 }, parts, 4, digest));
}

TEST(sign_says_what_openssl_lacks) {
    struct err err;
    check(!sign_new(check_arena(), "hmac-none", "k", 1, &err));
    check_text(err.text, "OpenSSL offers no hmac-none");
    faults_set("EVP_MAC_fetch", 0, 1, 0);
    check(!sign_new(check_arena(), "hmac-sha256", "k", 1, &err));
    faults_end();
    check_text(err.text, "messages cannot be signed");
}

/* What cannot be signed is not sent, and not taken for signed. */
TEST(sign_throws_when_openssl_fails) {
    static const char *const functions[] = { "EVP_MAC_CTX_dup", "EVP_MAC_update",
                                             "EVP_MAC_final" };
    struct sign *sign = jefe();
    for (int i = 0; i < 6; i++) {
        char hex[SIGN_MOST + 1];
        struct catch here;
        faults_set(functions[i / 2], 0, 1, 0);
        if (setjmp(catch_set(&here)->place) == 0) {
            if (i % 2) {
                sign_make(sign, parts, 4, hex);
            } else {
                sign_holds(sign, (struct frame){ digits, SIGN_LENGTH }, parts, 4, digest);
            }
            check(false);
        }
        catch_end(&here);
        faults_end();
        check_int(here.err.kind, ERR_MEMORY);
    }
}
