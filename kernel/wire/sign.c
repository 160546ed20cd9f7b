#include "kernel/wire/sign.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "core/base/catch.h"

struct sign {
    EVP_MAC_CTX *keyed; /* duplicated for each message; NULL: no key */
    size_t length;      /* bytes of a digest */
};

static void sign_close(void *what) {
    struct sign *sign = what;
    EVP_MAC_CTX_free(sign->keyed);
}

struct sign *sign_new(struct arena *arena, const char *scheme, const char *key, size_t length,
                      struct err *err) {
    struct sign *sign = arena_alloc(arena, sizeof *sign);
    arena_defer(arena, sign_close, sign);
    if (length == 0) {
        return sign;
    }
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    sign->keyed = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac); /* the context keeps it */
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                         arena_copy(arena, scheme + strlen("hmac-")), 0),
        OSSL_PARAM_construct_end(),
    };
    if (!sign->keyed ||
        !EVP_MAC_init(sign->keyed, (const unsigned char *)key, length, params)) {
        err_set(err, ERR_IO, "OpenSSL offers no %s, so messages cannot be signed", scheme);
        return NULL;
    }
    sign->length = EVP_MAC_CTX_get_mac_size(sign->keyed);
    return sign;
}

static bool digest_make(EVP_MAC_CTX *context, const struct frame *parts, int count,
                        unsigned char out[SIGN_MOST / 2]) {
    size_t length;
    for (int i = 0; i < count; i++) {
        if (!EVP_MAC_update(context, (const unsigned char *)parts[i].bytes, parts[i].length)) {
            return false;
        }
    }
    return EVP_MAC_final(context, out, &length, SIGN_MOST / 2);
}

static void digest_of(const struct sign *sign, const struct frame *parts, int count,
                      unsigned char out[SIGN_MOST / 2]) {
    EVP_MAC_CTX *context = EVP_MAC_CTX_dup(sign->keyed);
    bool good = context && digest_make(context, parts, count, out);
    EVP_MAC_CTX_free(context);
    if (!good) {
        catch_throw(ERR_MEMORY, "OpenSSL could not sign a message");
    }
}

static size_t hex_write(const unsigned char *digest, size_t length, char hex[SIGN_MOST + 1]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * length] = '\0';
    return 2 * length;
}

size_t sign_make(const struct sign *sign, const struct frame *parts, int count,
                 char hex[SIGN_MOST + 1]) {
    unsigned char digest[SIGN_MOST / 2] = { 0 };
    if (sign->keyed) {
        digest_of(sign, parts, count, digest);
    }
    return hex_write(digest, sign->length, hex);
}

bool sign_holds(const struct sign *sign, struct frame signature, const struct frame *parts,
                int count, unsigned char digest[SIGN_DIGEST]) {
    unsigned char whole[SIGN_MOST / 2] = { 0 };
    char wanted[SIGN_MOST + 1];
    if (sign->keyed) {
        if (signature.length != 2 * sign->length) {
            return false;
        }
        digest_of(sign, parts, count, whole);
        hex_write(whole, sign->length, wanted);
        if (CRYPTO_memcmp(signature.bytes, wanted, signature.length) != 0) {
            return false;
        }
    }
    memcpy(digest, whole, SIGN_DIGEST);
    return true;
}
