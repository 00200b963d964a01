/* toy: a stack whose commands are the test's own, and an app that node serves. */
#ifndef TEST_ENGINE_TOY_H
#define TEST_ENGINE_TOY_H

#include "fixture.h"

#include "engine/tools.h"

/* An app: GET /, /page and /api/health answer; POST /api/things remembers; a session cookie opens /me. */
static const char toy_server[] =
    "const things = [];"
    "require('node:http').createServer((q, s) => { let b = ''; q.on('data', (c) => b += c); q.on('end', () => {"
    "  const say = (code, value, h) => { s.writeHead(code, {'content-type': 'application/json', ...h});"
    " s.end(JSON.stringify(value)); };"
    "  if (q.url === '/api/health') return say(200, {status: 'ok'});"
    "  if (q.url === '/end') { say(200, {}); return process.exit(0); }"
    "  if (q.url === '/sign-in') return say(200, {}, {'set-cookie': 'session=s1; Path=/; HttpOnly'});"
    "  if (q.url === '/me') return say(q.headers.cookie === 'session=s1' ? 200 : 401, {});"
    "  if (q.url === '/api/things' && q.method === 'POST') { things.push(JSON.parse(b));"
    " return say(201, {id: things.length, ...things.at(-1)}); }"
    "  if (q.url === '/api/things') return say(200, {items: things, total: things.length});"
    "  if (q.url === '/page') return say(200, 'hello');"
    "  say(404, {error: 'not_found'}); }); }).listen(process.env.PORT, process.env.HOSTNAME);";

struct toy {
    const char *install, *typecheck, *build, *test, *start; /* sh -c; NULL: true. start NULL: the server */
    bool lacks_test;                                        /* the stack has no such command */
};

static inline json_t *toy_command(const char *script) {
    return json_pack("[s,s,s]", "sh", "-c", script ? script : "true");
}

static inline void toy_use(struct fixture *f, const struct toy *toy) {
    static const char *env[3];
    static struct tools tools;
    const char *root = arena_printf(f->arena, "%s-toy", f->dir);
    json_t *commands = json_pack("{s:o, s:o, s:o}", "install", toy_command(toy->install), "typecheck",
                                 toy_command(toy->typecheck), "build", toy_command(toy->build));
    json_t *start = toy->start ? toy_command(toy->start) : json_pack("[s,s,s]", "node", "-e", toy_server);
    json_object_set_new(commands, "start", start);
    if (!toy->lacks_test)
        json_object_set_new(commands, "test", toy_command(toy->test));
    json_t *stack = json_own(f->arena, json_pack("{s:s, s:s, s:o, s:{s:{s:s, s:[], s:[s], s:[{s:s, s:s, s:b}]}}}",
                                                 "name", "toy", "title", "Toy", "commands", commands, "parts", "base",
                                                 "title", "Base", "needs", "scope", "base/**", "files", "template",
                                                 "plain", "path", "base/plain", "copy", 1));
    put_file(root, "stacks/toy/plain", "plain\n");
    put_file(root, "stacks/toy/stack.json", json_text(f->arena, stack));
    stack_close(f->toy_stack);
    assets_close(f->toy_assets);
    must(f, assets_open(&f->toy_assets, root, &f->err));
    must(f, stack_open(&f->toy_stack, f->toy_assets, "toy", &f->err));
    must(f, fs_remove_tree(root, &f->err));
    f->engine->stack = f->toy_stack;
    /* npm need not be asked for its settings. */
    env[0] = arena_printf(f->arena, "PATH=%s", getenv("PATH"));
    tools = (struct tools){.env = env, .cache = arena_printf(f->arena, "%s/cache", f->dir), .hosts = env + 1};
    f->engine->tools = &tools;
}

#endif
