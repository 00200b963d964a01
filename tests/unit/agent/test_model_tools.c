/* model_tools: what a model can do in its worktree, and what it cannot: leave it. */
#include "desk.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

static const char definition[] =
    "{'pathScope': ['src/**', 'package.json'], 'expectedOutputs': ['src/a.txt', 'src/b.txt']}";

#define DESK()                                                                                                         \
    struct desk desk;                                                                                                  \
    desk_init(&desk, definition);                                                                                      \
    desk_open_bench(&desk)

static void files_are_written_read_and_deleted(void **state) {
    DESK();
    desk_tool_says(&desk, "write_file", "{'path': 'src/deep/er/a.txt', 'content': 'one\\ntwo\\nthree\\n'}",
                   "created src/deep/er/a.txt (14 bytes)");
    desk_tool_says(&desk, "write_file", "{'path': 'src/deep/er/a.txt', 'content': 'one\\ntwo\\nthree\\n'}",
                   "src/deep/er/a.txt already has that content: nothing was changed");
    assert_int_equal(desk.bench.changes, 1);
    desk_tool_says(&desk, "read_file", "{'path': 'src/deep/er/a.txt'}", "one\ntwo\nthree\n");
    desk_tool_says(&desk, "read_file", "{'path': 'src/deep/er/a.txt', 'first_line': 2, 'line_count': 1.0}",
                   "two\n[lines 2 to 2 of 3]");
    desk_tool_says(&desk, "read_file", "{'path': 'src/deep/er/a.txt', 'first_line': 9}", "[the file has 3 lines]");
    desk_tool_fails(&desk, "read_file", "{'path': 'src/deep/er/a.txt', 'first_line': 0}",
                    "first_line must be a whole number from 1");
    assert_string_equal(desk.err.field, "first_line");
    desk_tool_fails(&desk, "read_file", "{'path': 'src/none'}", "there is no src/none");
    desk_tool_fails(&desk, "read_file", "{'path': 'src'}", "src is a folder");
    desk_tool_fails(&desk, "delete_file", "{'path': 'src/deep'}", "src/deep is a folder");
    desk_tool_says(&desk, "write_file", "{'path': 'src/empty', 'content': ''}", "created src/empty (0 bytes)");
    desk_tool_says(&desk, "read_file", "{'path': 'src/empty'}", "[the file is empty]");
    desk_tool_says(&desk, "delete_file", "{'path': 'src/deep/er/a.txt'}", "deleted src/deep/er/a.txt");
    assert_false(fs_exists(desk_path(&desk, "tree/src/deep")));
    assert_true(fs_exists(desk_path(&desk, "tree/src")));
    desk_tool_fails(&desk, "delete_file", "{'path': 'src/deep/er/a.txt'}", "there is no src/deep/er/a.txt");
    assert_string_equal(desk.notes.data, "FILE_CREATED {\"path\":\"src/deep/er/a.txt\",\"size\":14}\n"
                                         "FILE_CREATED {\"path\":\"src/empty\",\"size\":0}\n"
                                         "FILE_DELETED {\"path\":\"src/deep/er/a.txt\"}\n");
    desk_release(&desk);
}

static void edits_are_exact(void **state) {
    DESK();
    desk_put(&desk, "tree/src/a.sh", "x = 1\ny = 1\n");
    assert_int_equal(chmod(desk_path(&desk, "tree/src/a.sh"), 0755), 0);
    desk_tool_says(&desk, "edit_file", "{'path': 'src/a.sh', 'old_text': 'x = 1', 'new_text': 'x = 22'}",
                   "changed src/a.sh (13 bytes)");
    desk_tool_fails(&desk, "edit_file", "{'path': 'src/a.sh', 'old_text': 'z', 'new_text': ''}",
                    "old_text is not in src/a.sh");
    desk_tool_fails(&desk, "edit_file", "{'path': 'src/a.sh', 'old_text': ' = ', 'new_text': '='}",
                    "old_text is 2 times in src/a.sh");
    desk_tool_says(&desk, "edit_file", "{'path': 'src/a.sh', 'old_text': ' = ', 'new_text': '=', 'replace_all': true}",
                   "changed src/a.sh (9 bytes)");
    assert_string_equal(desk_get(&desk, "tree/src/a.sh"), "x=22\ny=1\n");
    desk_tool_fails(&desk, "edit_file", "{'path': 'src/a.sh', 'old_text': '', 'new_text': '='}",
                    "old_text must not be empty");
    desk_tool_fails(&desk, "edit_file", "{'path': 'src/a.sh', 'old_text': 'x'}", "new_text is missing");
    desk_tool_fails(&desk, "edit_file", "{'path': 'src/a.sh', 'old_text': 'x', 'new_text': 'y', 'replace_all': 'yes'}",
                    "replace_all must be true or false");
    struct stat st;
    assert_int_equal(stat(desk_path(&desk, "tree/src/a.sh"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0755);
    desk_release(&desk);
}

static void writes_keep_to_the_scope(void **state) {
    DESK();
    desk_put(&desk, "tree/lib/x", "mine");
    desk_tool_fails(&desk, "write_file", "{'path': 'lib/x', 'content': 'yours'}",
                    "lib/x is outside the task's scope, so it was left as it is. You may change: src/**, package.json");
    desk_tool_fails(&desk, "edit_file", "{'path': 'lib/x', 'old_text': 'm', 'new_text': 'n'}",
                    "outside the task's scope");
    desk_tool_fails(&desk, "delete_file", "{'path': 'lib/x'}", "outside the task's scope");
    assert_string_equal(desk_get(&desk, "tree/lib/x"), "mine");
    desk_tool_says(&desk, "read_file", "{'path': 'lib/x'}", "mine");
    assert_int_equal(desk.notes.len, 0);
    desk_release(&desk);
}

/* ---- ways out */

static void no_path_leads_out(void **state) {
    DESK();
    static const char *const paths[] = {
        "../secret", "/etc/passwd", "src/../../secret", "src/./a", "src//a",      "",
        ".",         "src/",        "src\\\\a",         ".git",    ".git/config", "src/.GIT/hooks/x"};
    static const char *const tools[] = {"read_file", "write_file", "delete_file", "edit_file"};
    desk_put(&desk, "secret", "secret");
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        for (size_t t = 0; t < ARRAY_LEN(tools); t++) {
            const char *arguments =
                arena_printf(desk.arena, "{'path': '%s', 'content': 'x', 'old_text': 's', 'new_text': 'x'}", paths[i]);
            if (desk_tool(&desk, tools[t], arguments) == 0)
                fail_msg("%s %s", tools[t], paths[i]);
            assert_true(strstr(desk.err.message, "a path must be relative") ||
                        strstr(desk.err.message, ".git is not for you"));
        }
    }
    assert_string_equal(desk_get(&desk, "secret"), "secret");
    desk_tool_fails(&desk, "list_files", "{'pattern': '../*'}", "pattern must be a glob");
    desk_tool_fails(&desk, "list_files", "{'pattern': '.git/*'}", ".git is not for you");
    desk_release(&desk);
}

static void no_symlink_leads_out(void **state) {
    DESK();
    desk_put(&desk, "outside/secret", "secret");
    desk_put(&desk, "tree/src/x", "x");
    assert_int_equal(symlink("../../outside", desk_path(&desk, "tree/src/folder")), 0);
    assert_int_equal(symlink(desk_path(&desk, "outside/secret"), desk_path(&desk, "tree/src/file")), 0);
    assert_int_equal(symlink("x", desk_path(&desk, "tree/src/inside")), 0);
    assert_int_equal(symlink("/nowhere", desk_path(&desk, "tree/src/dangling")), 0);
    static const char *const paths[] = {"src/folder/secret", "src/folder/new", "src/file", "src/inside",
                                        "src/dangling"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const char *path = arena_printf(desk.arena, "{'path': '%s'}", paths[i]);
        const char *write = arena_printf(desk.arena, "{'path': '%s', 'content': 'x'}", paths[i]);
        const char *edit = arena_printf(desk.arena, "{'path': '%s', 'old_text': 's', 'new_text': 'x'}", paths[i]);
        desk_tool_fails(&desk, "read_file", path, "symlink");
        desk_tool_fails(&desk, "write_file", write, "symlink");
        desk_tool_fails(&desk, "edit_file", edit, "symlink");
    }
    desk_tool_fails(&desk, "delete_file", "{'path': 'src/folder/secret'}", "symlink");
    desk_tool_fails(&desk, "list_files", "{'pattern': 'src/folder/*'}", "there is no folder src/folder");
    desk_tool_says(&desk, "list_files", "{}", "src/x (1 bytes)\n");
    desk_tool_says(&desk, "search", "{'query': 'secret'}", "[no line matches]");
    /* A symlink itself may go. */
    desk_tool_says(&desk, "delete_file", "{'path': 'src/file'}", "deleted src/file");
    assert_string_equal(desk_get(&desk, "outside/secret"), "secret");
    assert_false(fs_exists(desk_path(&desk, "outside/new")));
    desk_release(&desk);
}

/* Whoever swaps a folder for a symlink between two calls gains nothing; nor does a worktree that was moved. */
static void no_swap_leads_out(void **state) {
    DESK();
    desk_put(&desk, "outside/a", "secret");
    desk_tool_says(&desk, "write_file", "{'path': 'src/d/a', 'content': 'x'}", "created src/d/a (1 bytes)");
    assert_int_equal(rename(desk_path(&desk, "tree/src/d"), desk_path(&desk, "tree/src/e")), 0);
    assert_int_equal(symlink(desk_path(&desk, "outside"), desk_path(&desk, "tree/src/d")), 0);
    desk_tool_fails(&desk, "write_file", "{'path': 'src/d/a', 'content': 'y'}", "symlink");
    desk_tool_fails(&desk, "delete_file", "{'path': 'src/d/a'}", "symlink");
    assert_int_equal(rename(desk.tree, desk_path(&desk, "moved")), 0);
    assert_int_equal(symlink("outside", desk.tree), 0);
    desk_tool_says(&desk, "write_file", "{'path': 'src/a', 'content': 'y'}", "created src/a (1 bytes)");
    assert_string_equal(desk_get(&desk, "outside/a"), "secret");
    assert_string_equal(desk_get(&desk, "moved/src/a"), "y");
    desk_release(&desk);
}

static void no_other_kind_of_file_leads_out(void **state) {
    DESK();
    desk_put(&desk, "secret", "secret");
    desk_put(&desk, "tree/src/own", "own");
    assert_int_equal(link(desk_path(&desk, "secret"), desk_path(&desk, "tree/src/link")), 0);
    desk_tool_fails(&desk, "read_file", "{'path': 'src/link'}", "src/link is a hard link");
    desk_tool_fails(&desk, "edit_file", "{'path': 'src/link', 'old_text': 's', 'new_text': 'x'}", "is a hard link");
    desk_tool_says(&desk, "search", "{'query': 'secret'}", "[no line matches]");
    desk_tool_says(&desk, "write_file", "{'path': 'src/link', 'content': 'mine'}", "changed src/link (4 bytes)");
    assert_string_equal(desk_get(&desk, "secret"), "secret");

    assert_int_equal(mkfifo(desk_path(&desk, "tree/src/pipe"), 0600), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    str_copy(address.sun_path, sizeof(address.sun_path), desk_path(&desk, "tree/src/socket"));
    CLEANUP(mem_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    desk_tool_fails(&desk, "read_file", "{'path': 'src/pipe'}", "a device, a pipe or a socket");
    desk_tool_fails(&desk, "read_file", "{'path': 'src/socket'}", "a device, a pipe or a socket");
    desk_tool_fails(&desk, "write_file", "{'path': 'src/pipe', 'content': 'x'}", "a symlink or a device");
    desk_tool_says(&desk, "list_files", "{}", "src/link (4 bytes)\nsrc/own (3 bytes)\n");
    desk_release(&desk);
}

/* ---- bounds */

static void what_is_too_large_or_no_text_is_refused(void **state) {
    DESK();
    assert_int_equal(fs_write_file(desk_path(&desk, "tree/src/bin"), "a\0b", 3, 0644, &desk.err), 0);
    desk_put(&desk, "tree/src/latin", "caf\xe9");
    desk_tool_fails(&desk, "read_file", "{'path': 'src/bin'}", "src/bin is no text");
    desk_tool_fails(&desk, "read_file", "{'path': 'src/latin'}", "src/latin is no text");
    desk_tool_fails(&desk, "edit_file", "{'path': 'src/latin', 'old_text': 'c', 'new_text': 'k'}", "is no text");
    desk_put(&desk, "tree/src/huge", "x");
    assert_int_equal(truncate(desk_path(&desk, "tree/src/huge"), 5 << 20), 0);
    desk_tool_fails(&desk, "read_file", "{'path': 'src/huge'}", "src/huge is larger than 4194304 bytes");

    struct buf lines = {0};
    for (int i = 1; i <= 20000; i++)
        buf_printf(&lines, "line %d\n", i);
    desk_put(&desk, "tree/src/long", lines.data);
    buf_release(&lines);
    assert_int_equal(desk_tool(&desk, "read_file", "{'path': 'src/long'}"), 0);
    assert_true(strlen(desk.answer.text) < 50000);
    assert_true(str_ends(desk.answer.text, " of 20000]"));
    const char *last = strrchr(desk.answer.text, '\n');
    assert_non_null(strstr(last, "[lines 1 to "));
    desk_release(&desk);
}

static void lists_are_bounded_and_sorted(void **state) {
    DESK();
    for (int i = 0; i < 450; i++)
        desk_put(&desk, arena_printf(desk.arena, "tree/src/f%03d", i), "");
    desk_put(&desk, "tree/node_modules/p/a.js", "needle");
    desk_put(&desk, "tree/.next/x", "needle");
    assert_int_equal(desk_tool(&desk, "list_files", "{}"), 0);
    assert_true(str_starts(desk.answer.text, "src/f000 (0 bytes)\nsrc/f001 (0 bytes)\n"));
    assert_true(str_ends(desk.answer.text, "[50 more: narrow the pattern]\n"));
    desk_tool_says(
        &desk, "list_files", "{'pattern': 'src/f44?'}",
        "src/f440 (0 bytes)\nsrc/f441 (0 bytes)\nsrc/f442 (0 bytes)\nsrc/f443 (0 bytes)\nsrc/f444 (0 bytes)\n"
        "src/f445 (0 bytes)\nsrc/f446 (0 bytes)\nsrc/f447 (0 bytes)\nsrc/f448 (0 bytes)\nsrc/f449 (0 bytes)\n");
    desk_tool_says(&desk, "list_files", "{'pattern': 'node_modules/p/*.js'}", "node_modules/p/a.js (6 bytes)\n");
    desk_tool_says(&desk, "list_files", "{'pattern': '*.zig'}", "[no file matches]");
    desk_tool_says(&desk, "search", "{'query': 'needle'}", "[no line matches]");
    desk_release(&desk);
}

static void searches_find_lines(void **state) {
    DESK();
    desk_put(&desk, "tree/src/a.ts", "export const A = 1\nconst b = [2]\n\xc3\xa9t\xc3\xa9 (x)\n");
    desk_put(&desk, "tree/src/b.css", "a { color: red }\n");
    assert_int_equal(fs_write_file(desk_path(&desk, "tree/src/bin"), "const\0", 6, 0644, &desk.err), 0);
    desk_tool_says(&desk, "search", "{'query': 'const'}",
                   "src/a.ts:1: export const A = 1\nsrc/a.ts:2: const b = [2]\n");
    desk_tool_says(&desk, "search", "{'query': '^(export )?const [ab]', 'is_regex': true, 'ignore_case': true}",
                   "src/a.ts:1: export const A = 1\nsrc/a.ts:2: const b = [2]\n");
    desk_tool_says(&desk, "search", "{'query': '[2]'}", "src/a.ts:2: const b = [2]\n");
    desk_tool_says(&desk, "search", "{'query': 'a \\\\{', 'is_regex': true, 'pattern': '**/*.css'}",
                   "src/b.css:1: a { color: red }\n");
    desk_tool_says(&desk, "search", "{'query': 'CONST', 'ignore_case': true, 'pattern': 'src/b*'}",
                   "[no line matches]");
    desk_tool_fails(&desk, "search", "{'query': ''}", "query must be one line");
    desk_tool_fails(&desk, "search", "{'query': 'a', 'pattern': '/etc/*'}", "pattern must be a glob");
    struct buf many = {0};
    for (int i = 0; i < 300; i++)
        buf_puts(&many, "const const const\n");
    desk_put(&desk, "tree/src/many", many.data);
    buf_release(&many);
    assert_int_equal(desk_tool(&desk, "search", "{'query': 'const'}"), 0);
    assert_true(str_ends(desk.answer.text, "[cut after 200 lines: search in fewer files, or for more]\n"));
    desk_release(&desk);
}

static void no_expression_takes_long(void **state) {
    DESK();
    static const struct {
        const char *query, *why;
    } rows[] = {
        {"(a)\\\\1", "back references"},
        {"a{1,30000}", "counted repetitions"},
        {"((((a))))", "groups are nested too deeply"},
        {"a**", "a repetition of a repetition"},
        {"[a", "a bracket is not closed"},
        {"[[:alpha:", "a bracket is not closed"},
        {"a\\\\", "back references"},
        {"(a", "Unmatched"},
        {"*", ""},
    };
    for (size_t i = 0; i + 1 < ARRAY_LEN(rows); i++)
        desk_tool_fails(&desk, "search", arena_printf(desk.arena, "{'query': '%s', 'is_regex': true}", rows[i].query),
                        rows[i].why);
    /* The worst that is taken, over much that almost matches. */
    struct buf text = {0};
    for (int i = 0; i < 40; i++) {
        for (int k = 0; k < 4090; k++)
            buf_putc(&text, (char)('a' + (k * k / 7 + i) % 2));
        buf_putc(&text, '\n');
    }
    desk_put(&desk, "tree/src/text", text.data);
    buf_release(&text);
    desk_tool_says(&desk, "search", "{'query': '(((a+)+b+)+c+)+d', 'is_regex': true}", "[no line matches]");
    int rc = desk_tool(&desk, "search",
                       "{'query': '(a|b)*a(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)c', 'is_regex': true}");
    assert_true(rc == 0 || rc == -ERR_TIMEOUT);
    desk_tool_says(&desk, "search", "{'query': '[]x][^]a-z]', 'is_regex': true}", "[no line matches]");
    desk_release(&desk);
}

/* ---- commands */

static void texts_are_made_visible(void **state) {
    struct arena *arena = arena_create();
    static const struct {
        const char *text, *visible;
    } rows[] = {
        {"", ""},
        {"a\tb\nc", "a\tb\nc"},
        {"\x1b[1;31mred\x1b[0m", "red"},
        {"\x1b]0;title\aon\x1b]8;;http://x\x1b\\end", "onend"},
        {"a\r\nb\rc", "a\nb\nc"},
        {"\x01\x7f\x1b", "\xe2\x90\x81\xe2\x90\xa1\xe2\x90\x9b"},
        {"\x1b[3\xb1m", "\xef\xbf\xbdm"}, /* not half of a character */
        {"\x1b[3", ""},
        {"\x1b]", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(text_visible(arena, rows[i].text), rows[i].visible);
    arena_destroy(arena);
}

static void commands_say_how_they_ended(void **state) {
    DESK();
    desk_put(&desk, "tree/say.sh", "pwd; echo $HOME; printf '\\033[31mred\\033[0m\\a\\r\\n\\377\\n'; exit 7\n");
    desk_tool_says(&desk, "run_command", "{'command': 'sh say.sh'}",
                   "exit code 7\n.\n~\nred\xe2\x90\x87\n\xef\xbf\xbd\n");
    assert_true(desk.answer.is_volatile);
    assert_int_equal(desk_tool(&desk, "run_command", "{'command': 'sleep 100', 'timeout_seconds': 1}"), 0);
    print_message("%s", desk.answer.text);
    desk_tool_fails(&desk, "run_command", "{'command': 'x', 'timeout_seconds': 601}", "from 1 to 600");
    desk_tool_fails(&desk, "run_command", "{'command': ''}", "command must have");
    assert_int_equal(desk_tool(&desk, "run_command", "{'command': 'yes 0123456789 | head -c 3000000'}"), 0);
    assert_true(strlen(desk.answer.text) < 16 * 1024);
    desk.is_cancelled = true;
    assert_int_equal(desk_tool(&desk, "run_command", "{'command': 'sleep 100'}"), -ERR_CANCELLED);
    desk_release(&desk);
}

/* Behind the fence there is the worktree, and nobody to speak to. */
static void commands_are_fenced_in(void **state) {
    DESK();
    struct sandbox_fence *fence = NULL;
    if (sandbox_fence_open(&fence, SANDBOX_BWRAP, desk_path(&desk, "fence"), &desk.err) < 0)
        fail_msg("%s", desk.err.message);
    desk.request.fence = fence;
    desk_put(&desk, "secret", "secret");
    desk_put(&desk, "tree/try.sh",
             "cat ../secret 2>/dev/null || echo no secret\n"
             "(echo x >../out) 2>/dev/null\n"
             "(echo x >.git) 2>/dev/null || echo no git\n"
             "grep -c : /proc/net/dev\n"
             "echo made >src.txt\n");
    desk_tool_says(&desk, "run_command", "{'command': 'sh try.sh'}", "exit code 0\nno secret\nno git\n1\n");
    assert_string_equal(desk_get(&desk, "tree/src.txt"), "made\n");
    assert_string_equal(desk_get(&desk, "tree/.git"), "gitdir: elsewhere\n");
    assert_false(fs_exists(desk_path(&desk, "out")));
    sandbox_fence_close(fence);
    desk_release(&desk);
}

static void only_installing_has_a_network(void **state) {
    struct arena *arena = arena_create();
    static const char *const good[] = {"npm ci", " npm  install ", "npm i zod@4.1.0 @types/node@^22 -D",
                                       "npm install --package-lock-only"};
    static const char *const bad[] = {"npm",
                                      "npm run build",
                                      "npm ci; curl http://x",
                                      "npm ci && sh",
                                      "npm ci\nsh",
                                      "npm ci $(sh)",
                                      "npm ci zod",
                                      "npm i ./folder",
                                      "npm i ../folder",
                                      "npm i /etc",
                                      "npm i user/repository",
                                      "npm i http://x/y.tgz",
                                      "npm i git+ssh://x",
                                      "npm i zod@npm:evil",
                                      "npm i --registry=http://x zod",
                                      "npm i --ignore-scripts=false",
                                      "npm i @types",
                                      "npm i 'a b'",
                                      "/usr/bin/npm ci",
                                      "npx x"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!command_install_words(arena, good[i]))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (command_install_words(arena, bad[i]))
            fail_msg("%s", bad[i]);
    assert_string_equal(command_install_words(arena, "npm i  zod")[2], "zod");
    assert_null(command_install_words(arena, "npm i  zod")[3]);
    arena_destroy(arena);
}

static void finishing_asks_for_what_is_expected(void **state) {
    DESK();
    desk_put(&desk, "tree/src/a.txt", "");
    assert_int_equal(mkdir(desk_path(&desk, "tree/src/b.txt"), 0755), 0);
    desk_tool_fails(&desk, "finish", "{'summary': 'x'}", "not there: src/b.txt");
    assert_null(desk.bench.summary);
    desk_tool_fails(&desk, "finish", "{}", "summary is missing");
    assert_int_equal(rmdir(desk_path(&desk, "tree/src/b.txt")), 0);
    desk_put(&desk, "tree/src/b.txt", "");
    desk_tool_says(&desk, "finish", "{'summary': ' done \\u001b[1mwell\\u0007 '}", "done");
    assert_string_equal(desk.bench.summary, "done well\xe2\x90\x87");
    desk_release(&desk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_written_read_and_deleted),
        cmocka_unit_test(edits_are_exact),
        cmocka_unit_test(writes_keep_to_the_scope),
        cmocka_unit_test(no_path_leads_out),
        cmocka_unit_test(no_symlink_leads_out),
        cmocka_unit_test(no_swap_leads_out),
        cmocka_unit_test(no_other_kind_of_file_leads_out),
        cmocka_unit_test(what_is_too_large_or_no_text_is_refused),
        cmocka_unit_test(lists_are_bounded_and_sorted),
        cmocka_unit_test(searches_find_lines),
        cmocka_unit_test(no_expression_takes_long),
        cmocka_unit_test(texts_are_made_visible),
        cmocka_unit_test(commands_say_how_they_ended),
        cmocka_unit_test(commands_are_fenced_in),
        cmocka_unit_test(only_installing_has_a_network),
        cmocka_unit_test(finishing_asks_for_what_is_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
