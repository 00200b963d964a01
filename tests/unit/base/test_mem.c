/* Tests of base/mem and base/list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"

static void allocates(void **state) {
    CLEANUP(mem_freep) char *zeroed = mem_alloc(100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(zeroed[i], 0);
    zeroed = mem_realloc(zeroed, 1000);
    zeroed[999] = 1;
    CLEANUP(mem_freep) char *none = mem_alloc(0);
    assert_non_null(none);
    assert_null(mem_strdup(NULL));
    assert_null(mem_strndup(NULL, 3));
    CLEANUP(mem_freep) char *cut = mem_strndup("abcdef", 3);
    assert_string_equal(cut, "abc");
    CLEANUP(mem_freep) char *whole = mem_strdup("abc");
    assert_string_equal(whole, "abc");
    CLEANUP(mem_freep) char *formatted = mem_printf("%d %s", 4, "x");
    assert_string_equal(formatted, "4 x");
}

static char *hand_over(void) {
    CLEANUP(mem_freep) char *text = mem_strdup("mine");
    return take(text);
}

static void owners_clean_up_or_hand_over(void **state) {
    CLEANUP(mem_freep) char *text = hand_over();
    assert_string_equal(text, "mine");
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int number = fd;
    mem_closep(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(fcntl(number, F_GETFD), -1);
    errno = EDOM;
    mem_closep(&fd);
    assert_int_equal(errno, EDOM);
}

struct item {
    int number;
    struct list link;
};

static void lists_keep_order_and_let_go(void **state) {
    struct list head;
    struct item items[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    list_init(&head);
    assert_true(list_is_empty(&head));
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        list_append(&head, &items[i].link);
    list_remove(&items[1].link);
    list_remove(&items[1].link);
    int seen[3], count = 0;
    list_for_each (node, next_node, &head) {
        seen[count++] = container_of(node, struct item, link)->number;
        list_remove(node);
    }
    assert_int_equal(count, 2);
    assert_int_equal(seen[0], 0);
    assert_int_equal(seen[1], 2);
    assert_true(list_is_empty(&head));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocates),
        cmocka_unit_test(owners_clean_up_or_hand_over),
        cmocka_unit_test(lists_keep_order_and_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
