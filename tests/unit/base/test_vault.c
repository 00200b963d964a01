/* vault: what is sealed opens under its key and for its place alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vault.h"

static struct arena *arena;
static struct err err;

static int set_up(void **state) {
    arena = arena_create();
    err = (struct err){0};
    return 0;
}

static int tear_down(void **state) {
    arena_destroy(arena);
    return 0;
}

static void keys_come_in_two_forms(void **state) {
    struct vault_key hex, base64;
    static const char *const wrong[] = {"",
                                        "00",
                                        "zz",
                                        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e", /* 31 bytes */
                                        "g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                                        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISI="};
    assert_int_equal(vault_key_parse("000102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1e1f", &hex, &err),
                     0);
    assert_int_equal(vault_key_parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", &base64, &err), 0);
    assert_memory_equal(hex.bytes, base64.bytes, VAULT_KEY_BYTES);
    assert_int_equal(vault_key_parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", &base64, &err), 0);
    assert_memory_equal(hex.bytes, base64.bytes, VAULT_KEY_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(vault_key_parse(wrong[i], &hex, &err), -ERR_VALIDATION);
    vault_key_wipe(&hex);
    assert_int_equal(hex.bytes[31], 0);
}

static void sealed_texts_open(void **state) {
    struct vault_key key = {{7}};
    const char *const texts[] = {"sk-123", "", "Grüße\n"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char *one = vault_close(arena, &key, "a", texts[i]), *two = vault_close(arena, &key, "a", texts[i]),
             *text = NULL;
        assert_string_not_equal(one, two);
        assert_true(!texts[i][0] || !strstr(one, texts[i]));
        assert_int_equal(vault_open(arena, &key, "a", one, &text, &err), 0);
        assert_string_equal(text, texts[i]);
    }
}

static void what_was_changed_does_not(void **state) {
    struct vault_key key = {{7}}, other = {{8}};
    char *sealed = vault_close(arena, &key, "acct_1 name", "sk-123"), *text = NULL;
    assert_int_equal(vault_open(arena, &other, "acct_1 name", sealed, &text, &err), -ERR_FORBIDDEN);
    assert_int_equal(vault_open(arena, &key, "acct_2 name", sealed, &text, &err), -ERR_FORBIDDEN);
    assert_int_equal(vault_open(arena, &key, "", sealed, &text, &err), -ERR_FORBIDDEN);
    for (size_t i = 0; i < strlen(sealed); i++) {
        char *changed = arena_strdup(arena, sealed);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_int_equal(vault_open(arena, &key, "acct_1 name", changed, &text, &err), -ERR_FORBIDDEN);
        changed[i] = '\0';
        assert_int_equal(vault_open(arena, &key, "acct_1 name", changed, &text, &err), -ERR_FORBIDDEN);
    }
    assert_null(text);
}

static void a_file_holds_the_key(void **state) {
    char dir[] = "/tmp/prazium-vault-XXXXXX";
    struct vault_key first, second;
    struct stat st;
    assert_non_null(mkdtemp(dir));
    const char *path = arena_printf(arena, "%s/master.key", dir);
    assert_int_equal(vault_key_file(path, &first, &err), 0);
    assert_int_equal(vault_key_file(path, &second, &err), 0);
    assert_memory_equal(first.bytes, second.bytes, VAULT_KEY_BYTES);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(vault_key_file(path, &second, &err), -ERR_FORBIDDEN);
    assert_non_null(strstr(err.message, "0600"));
    assert_int_equal(fs_write_file(path, "nonsense\n", 9, 0600, &err), 0);
    assert_int_equal(vault_key_file(path, &second, &err), -ERR_VALIDATION);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    assert_int_equal(vault_key_file(path, &second, &err), -ERR_INTERNAL);
    assert_int_equal(fs_remove_tree(dir, &err), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(keys_come_in_two_forms),
        T(sealed_texts_open),
        T(what_was_changed_does_not),
        T(a_file_holds_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
