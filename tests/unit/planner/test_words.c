/* Unit test of words: splitting, stemming, negation, and the forms of nouns. */
#include "plans.h"

#include "planner/words.h"

static struct words split(struct arena *arena, const char *text) {
    struct words words;
    words_split(stemmer_create(arena), arena, text, &words);
    return words;
}

static void splits_at_what_is_no_letter(void **state) {
    struct fixture *f = *state;
    struct words words = split(f->arena, "Low-stock alerts: \"Größe\", 3 × naïve\xf0\x9f\x90\x9d"
                                         "bees\xff!");
    const char *expected[] = {"low", "stock", "alerts", "größe", "3", "naïve", "bees"};
    assert_int_equal(words.count, 7);
    for (size_t i = 0; i < words.count; i++)
        assert_string_equal(words.items[i].text, expected[i]);
    assert_int_equal(words.items[3].before, ':');
    assert_string_equal(words.items[2].stem, "alert");
}

static void phrases_stand_side_by_side(void **state) {
    struct fixture *f = *state;
    struct words text = split(f->arena, "We track the time. Tracking time matters; time tracked.");
    struct words phrase = split(f->arena, "time tracking");
    assert_int_equal(words_find(&text, &phrase, 0), 7);
    phrase = split(f->arena, "tracking time");
    assert_int_equal(words_find(&text, &phrase, 0), 4);
}

static void negated_words_are_marked(void **state) {
    struct fixture *f = *state;
    struct words text = split(f->arena, "Tasks without time tracking, no invoices but receipts");
    bool expected[] = {false, false, true, true, false, true, false, false};
    assert_int_equal(text.count, 8);
    for (size_t i = 0; i < text.count; i++)
        assert_int_equal(text.items[i].is_negated, expected[i]);
}

static void nouns_have_two_forms(void **state) {
    struct fixture *f = *state;
    static const char *const pairs[][2] = {{"hive", "hives"},
                                           {"apiary", "apiaries"},
                                           {"Purchase order", "Purchase orders"},
                                           {"class", "classes"},
                                           {"box", "boxes"},
                                           {"person", "people"},
                                           {"day", "days"},
                                           {"knife", "knives"},
                                           {"purchase", "purchases"},
                                           {"Time entry", "Time entries"},
                                           {"match", "matches"},
                                           {"quiz", "quizzes"},
                                           {"course", "courses"},
                                           {"status", "statuses"},
                                           {"species", "species"},
                                           {"bus", "buses"},
                                           {"exercise", "exercises"}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        assert_string_equal(noun_plural(f->arena, pairs[i][0]), pairs[i][1]);
        assert_string_equal(noun_singular(f->arena, pairs[i][1]), pairs[i][0]);
    }
    assert_false(noun_is_plural("business"));
    assert_false(noun_is_plural("analysis"));
    assert_true(noun_is_plural("apiaries"));
}

static void names_become_code(void **state) {
    struct fixture *f = *state;
    assert_string_equal(text_camel(f->arena, "Due date"), "dueDate");
    assert_string_equal(text_camel(f->arena, "3 Größe!"), "groesse");
    assert_null(text_camel(f->arena, "…"));
    assert_string_equal(text_slug(f->arena, "Café crèmes", 40), "cafe-cremes");
    assert_null(text_slug(f->arena, "книги", 40));
    assert_string_equal(text_article(f->arena, "invoice"), "an invoice");
    assert_string_equal(text_article(f->arena, "user"), "a user");
    assert_string_equal(text_lower_first(f->arena, "SKU"), "SKU");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_at_what_is_no_letter), cmocka_unit_test(phrases_stand_side_by_side),
        cmocka_unit_test(negated_words_are_marked),    cmocka_unit_test(nouns_have_two_forms),
        cmocka_unit_test(names_become_code),
    };
    return cmocka_run_group_tests(tests, plans_setup, plans_teardown);
}
