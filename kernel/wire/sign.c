#include "kernel/wire/sign.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "core/base/catch.h"

struct sign {
    EVP_MAC_CTX *keyed; /* duplicated for each message; NULL: no key */
};

static void sign_close(void *what) {
    struct sign *sign = what;
    EVP_MAC_CTX_free(sign->keyed);
}

struct sign *sign_new(struct arena *arena, const char *key, size_t length, struct err *err) {
    struct sign *sign = arena_alloc(arena, sizeof *sign);
    arena_defer(arena, sign_close, sign);
    if (length == 0) {
        return sign;
    }
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    sign->keyed = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac); /* the context keeps it */
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    if (!sign->keyed ||
        !EVP_MAC_init(sign->keyed, (const unsigned char *)key, length, params)) {
        err_set(err, ERR_BUG, "OpenSSL offers no HMAC-SHA256, so messages cannot be signed");
        return NULL;
    }
    return sign;
}

size_t sign_make(const struct sign *sign, const struct frame parts[4],
                 char hex[SIGN_LENGTH + 1]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char out[SIGN_LENGTH / 2];
    size_t length = 0;
    hex[0] = '\0';
    if (!sign->keyed) {
        return 0;
    }
    EVP_MAC_CTX *context = EVP_MAC_CTX_dup(sign->keyed);
    bool good = context != NULL;
    for (int i = 0; good && i < 4; i++) {
        good = EVP_MAC_update(context, (const unsigned char *)parts[i].bytes, parts[i].length);
    }
    good = good && EVP_MAC_final(context, out, &length, sizeof out) && length == sizeof out;
    EVP_MAC_CTX_free(context);
    if (!good) {
        catch_throw(ERR_MEMORY, "OpenSSL could not sign a message");
    }
    for (size_t i = 0; i < sizeof out; i++) {
        hex[2 * i] = digits[out[i] >> 4];
        hex[2 * i + 1] = digits[out[i] & 15];
    }
    hex[SIGN_LENGTH] = '\0';
    return SIGN_LENGTH;
}

bool sign_holds(const struct sign *sign, struct frame signature, const struct frame parts[4]) {
    char wanted[SIGN_LENGTH + 1];
    if (!sign->keyed) {
        return true;
    }
    if (signature.length != SIGN_LENGTH) {
        return false;
    }
    sign_make(sign, parts, wanted);
    return CRYPTO_memcmp(signature.bytes, wanted, SIGN_LENGTH) == 0;
}
