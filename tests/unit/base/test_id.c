/* Tests of base/id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/mem.h"

static void makes_valid_increasing_ids(void **state) {
    char last[ID_LEN] = "", id[ID_LEN];
    for (int i = 0; i < 20000; i++) { /* far more than 4096 in a millisecond */
        if (i == 5000)
            clock_advance_ms(-10000); /* a wall clock that is set back */
        if (i == 10000)
            clock_advance_ms(10000);
        assert_ptr_equal(id_make(id, "proj"), id);
        assert_true(id_is_valid(id, "proj"));
        assert_int_equal(strlen(id), 31);
        assert_true(strcmp(last, id) < 0);
        memcpy(last, id, sizeof(id));
    }
}

enum { THREADS = 4, IDS_EACH = 5000 };

static void *make_many(void *arg) {
    char(*ids)[ID_LEN] = arg;
    for (int i = 0; i < IDS_EACH; i++)
        id_make(ids[i], "evt");
    return NULL;
}

static int compare(const void *a, const void *b) {
    return strcmp(a, b);
}

static void threads_make_different_increasing_ids(void **state) {
    CLEANUP(mem_freep) char(*ids)[ID_LEN] = mem_alloc(sizeof(*ids) * THREADS * IDS_EACH);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_many, ids + i * IDS_EACH), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS * IDS_EACH; i++)
        if (i % IDS_EACH)
            assert_true(strcmp(ids[i - 1], ids[i]) < 0);
    qsort(ids, THREADS * IDS_EACH, sizeof(*ids), compare);
    for (int i = 1; i < THREADS * IDS_EACH; i++)
        assert_true(strcmp(ids[i - 1], ids[i]) < 0);
}

static void carries_the_time(void **state) {
    char id[ID_LEN];
    int64_t before = clock_now_ms();
    id_make(id, "x");
    static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
    int64_t ms = 0;
    for (int i = 0; i < 10; i++) /* ten digits: 48 bits behind two zero bits */
        ms = ms << 5 | (strchr(alphabet, id[2 + i]) - alphabet);
    /* Ids made before in this process may have run ahead of the clock by some milliseconds. */
    assert_true(ms >= before && ms <= clock_now_ms() + 1000);
    assert_true(id[2 + 10] == 'e' || id[2 + 10] == 'f'); /* version 7, then the counter's top bit */
}

static void reads_uuid_form(void **state) {
    char id[ID_LEN];
    /* From the specification's table of valid TypeIDs. */
    assert_true(id_parse(id, "01890a5d-ac96-774b-bcce-b302099a8057", "prefix"));
    assert_string_equal(id, "prefix_01h455vb4pex5vsknk084sn02q");
    assert_true(id_parse(id, "01890A5D-AC96-774B-BCCE-B302099A8057", "prefix"));
    assert_string_equal(id, "prefix_01h455vb4pex5vsknk084sn02q");
    assert_true(id_parse(id, "ffffffff-ffff-ffff-ffff-ffffffffffff", "a"));
    assert_string_equal(id, "a_7zzzzzzzzzzzzzzzzzzzzzzzzz");
    assert_true(id_parse(id, "00000000-0000-0000-0000-000000000000", "a"));
    assert_string_equal(id, "a_00000000000000000000000000");
    assert_true(id_parse(id, "prefix_01h455vb4pex5vsknk084sn02q", "prefix"));
    assert_string_equal(id, "prefix_01h455vb4pex5vsknk084sn02q");
}

static void refuses_what_is_no_id(void **state) {
    static const char *const bad[] = {
        NULL,
        "",
        "run_01h455vb4pex5vsknk084sn02q",
        "proj_01h455vb4pex5vsknk084sn02",
        "proj_01h455vb4pex5vsknk084sn02qq",
        "proj_81h455vb4pex5vsknk084sn02q",
        "proj_01H455VB4PEX5VSKNK084SN02Q",
        "proj_01h455vb4pex5vsknk084sn02u",
        "proj-01h455vb4pex5vsknk084sn02q",
        "proj_",
        "01h455vb4pex5vsknk084sn02q",
        "01890a5dac96774bbcceb302099a8057",
        "01890a5d-ac96-774b-bcce-b302099a805",
        "01890a5d-ac96-774b-bcce-b302099a80577",
        "01890a5d-ac96-774b-bcceb-302099a8057",
        "g1890a5d-ac96-774b-bcce-b302099a8057",
    };
    char id[ID_LEN] = "untouched";
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(id_is_valid(bad[i], "proj"));
        assert_false(id_parse(id, bad[i], "proj"));
    }
    assert_string_equal(id, "untouched");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_valid_increasing_ids), cmocka_unit_test(threads_make_different_increasing_ids),
        cmocka_unit_test(carries_the_time),           cmocka_unit_test(reads_uuid_form),
        cmocka_unit_test(refuses_what_is_no_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
