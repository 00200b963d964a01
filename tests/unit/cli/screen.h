/* screen: what is printed, and what is typed, through files. */
#ifndef TEST_CLI_SCREEN_H
#define TEST_CLI_SCREEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct screen {
    int saved;
    FILE *file;
    char text[8192];
};

/* From here on stdout goes into the screen. */
static inline void screen_begin(struct screen *screen) {
    fflush(stdout);
    screen->saved = dup(STDOUT_FILENO);
    screen->file = tmpfile();
    assert_non_null(screen->file);
    assert_true(dup2(fileno(screen->file), STDOUT_FILENO) >= 0);
}

/* stdout is as before; what was printed is in text. */
static inline void screen_end(struct screen *screen) {
    fflush(stdout);
    assert_true(dup2(screen->saved, STDOUT_FILENO) >= 0);
    (void)close(screen->saved);
    rewind(screen->file);
    screen->text[fread(screen->text, 1, sizeof(screen->text) - 1, screen->file)] = '\0';
    (void)fclose(screen->file);
}

/* stdin is these lines. */
static inline void type(const char *lines) {
    char path[] = "/tmp/prazium-typed-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, lines, strlen(lines)), (ssize_t)strlen(lines));
    (void)close(fd);
    assert_non_null(freopen(path, "r", stdin)); /* forgets what it had read */
    (void)unlink(path);
}

#endif
