/* Tests of cli/name: the names of apps that were only described. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/name.h"

static void names_the_thing(void **state) {
    static const struct {
        const char *description, *name;
    } rows[] = {
        {"A help desk where customers open tickets, agents reply.", "Help desk"},
        {"A project management tool with team collaboration features, task boards, and time tracking.",
         "Project management tool"},
        {"A booking site for a small yoga studio: classes, instructors", "Booking site"},
        {"A neighbourhood library of things: people list tools", "Neighbourhood library of things"},
        {"Our school library lends books to pupils.", "School library"},
        {"We run a mid-sized community theatre and want one place for everything", "Mid-sized community theatre"},
        {"Car rental: a fleet of vehicles", "Car rental"},
        {"A gym with members", "Gym"},
        {"an app to track my runs", "App to track my runs"},
        {"A site for classes, orders, groups", "Site for classes"},
        {"O'Brien's \"Best\" Café & Deli: an app", "O'Brien's \"Best\" Café & Deli"},
        {"Eine Verwaltung für unseren Sportverein: Mitglieder", "Eine Verwaltung für unseren Sportverein"},
        {"Planning of the training of the dogs of our city", "Planning of the training of the dogs"},
        {"invoices", "Invoices"},
        {"Ärzteverzeichnis", "Ärzteverzeichnis"},
        {"Donaudampfschifffahrtsgesellschaftskapitänsmützen und mehr", "App"},
        {"  ", "App"},
        {"", "App"},
    };
    struct arena *arena = arena_create();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(name_of_description(arena, rows[i].description), rows[i].name);
    arena_destroy(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_the_thing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
