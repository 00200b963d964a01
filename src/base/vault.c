/* vault: secrets at rest, by libsodium's XChaCha20-Poly1305. */
#include "base/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"

enum {
    NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    FILE_MAX_BYTES = 4096,
    TEXT_MAX_BYTES = 1024 * 1024,
};

static const char version[] = "v1.";

int vault_key_parse(const char *text, struct vault_key *out, struct err *err) {
    static const int variants[] = {sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
                                   sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING};
    struct vault_key key;
    size_t len = 0;

    if (strlen(text) == 2 * VAULT_KEY_BYTES) {
        if (sodium_hex2bin(key.bytes, sizeof(key.bytes), text, strlen(text), NULL, &len, NULL) == 0 &&
            len == VAULT_KEY_BYTES) {
            *out = key;
            return 0;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
        const char *end = NULL;
        if (sodium_base642bin(key.bytes, sizeof(key.bytes), text, strlen(text), NULL, &len, &end, variants[i]) == 0 &&
            len == VAULT_KEY_BYTES && !*end) {
            *out = key;
            return 0;
        }
    }
    return err_set(err, ERR_VALIDATION, "a master key is 32 bytes, as 64 hex digits or in base64");
}

void vault_key_wipe(struct vault_key *key) {
    sodium_memzero(key, sizeof(*key));
}

/* The rights are those of the file that is read, not of whatever has its name a moment later. */
static int read_key(int fd, const char *path, struct vault_key *out, struct err *err) {
    char text[FILE_MAX_BYTES] = "";
    struct stat st;

    if (fstat(fd, &st) != 0)
        return err_errno(err, ERR_INTERNAL, errno, "%s", path);
    if (!S_ISREG(st.st_mode) || st.st_mode & 077)
        return err_set(err, ERR_FORBIDDEN,
                       "%s can be read by others: give it mode 0600, and change the secrets that it kept", path);
    ssize_t len = read(fd, text, sizeof(text) - 1);
    if (len < 0)
        return err_errno(err, ERR_INTERNAL, errno, "read %s", path);
    text[strcspn(text, " \t\r\n")] = '\0';
    int rc = vault_key_parse(text, out, err);
    sodium_memzero(text, sizeof(text));
    return rc < 0 ? err_wrap(err, "%s", path) : 0;
}

static int make_key(const char *path, struct err *err) {
    struct vault_key key;
    char line[2 * VAULT_KEY_BYTES + 2];

    hash_random(key.bytes, sizeof(key.bytes));
    hash_hex(line, key.bytes, sizeof(key.bytes));
    line[2 * VAULT_KEY_BYTES] = '\n';
    int rc = fs_write_file_atomic(path, line, sizeof(line) - 1, 0600, err);
    sodium_memzero(line, sizeof(line));
    vault_key_wipe(&key);
    return rc;
}

int vault_key_file(const char *path, struct vault_key *out, struct err *err) {
    if (!fs_exists(path)) {
        int rc = make_key(path, err);
        if (rc < 0)
            return err_wrap(err, "make the master key");
    }
    CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_errno(err, ERR_INTERNAL, errno, "open %s", path);
    return read_key(fd, path, out, err);
}

char *vault_close(struct arena *arena, const struct vault_key *key, const char *context, const char *text) {
    size_t len = strlen(text), size = NONCE + len + TAG;
    unsigned char *box = arena_alloc(arena, size);
    size_t room = sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_ORIGINAL);
    char *out = arena_alloc(arena, sizeof(version) - 1 + room);

    hash_random(box, NONCE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(box + NONCE, NULL, (const unsigned char *)text, len,
                                                     (const unsigned char *)context, strlen(context), NULL, box,
                                                     key->bytes);
    memcpy(out, version, sizeof(version) - 1);
    (void)sodium_bin2base64(out + sizeof(version) - 1, room, box, size, sodium_base64_VARIANT_ORIGINAL);
    return out;
}

int vault_open(struct arena *arena, const struct vault_key *key, const char *context, const char *sealed, char **text,
               struct err *err) {
    size_t size = strlen(sealed), len = 0;
    const char *end = NULL;

    if (!str_starts(sealed, version) || size > TEXT_MAX_BYTES * 2)
        return err_set(err, ERR_FORBIDDEN, "what is kept is no sealed secret");
    const char *body = sealed + sizeof(version) - 1;
    unsigned char *box = arena_alloc(arena, size);
    if (sodium_base642bin(box, size, body, strlen(body), NULL, &len, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        *end || len < NONCE + TAG)
        return err_set(err, ERR_FORBIDDEN, "what is kept is no sealed secret");
    char *out = arena_alloc(arena, len - NONCE - TAG + 1);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)out, NULL, NULL, box + NONCE, len - NONCE,
                                                   (const unsigned char *)context, strlen(context), box,
                                                   key->bytes) != 0)
        return err_set(err, ERR_FORBIDDEN,
                       "the secret was sealed under another master key, for another place, or was changed");
    *text = out;
    return 0;
}
