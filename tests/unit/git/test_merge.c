/* Tests of git/merge, checked against what git's own merge makes of the same commits. */
#include "fixture.h"

static struct merge_result merged;
static const struct commit_spec spec = {.message = "merge", .time_ms = TIME_MS};

static void merge(const char *ours, const char *theirs) {
    merged = (struct merge_result){0};
    ok(repo_merge(repo, arena, ours, theirs, &spec, &merged, &err));
}

static const char *tree_of(const char *sha) {
    return sh("git -C %s rev-parse %s^{tree}", bare, sha);
}

/* Both sides must agree with `git merge-tree`, which prints the tree first. */
static void check_clean(const char *ours, const char *theirs) {
    merge(ours, theirs);
    assert_false(merged.is_conflict);
    assert_int_equal(merged.conflict_count, 0);
    assert_string_equal(tree_of(merged.commit), sh("git -C %s merge-tree --write-tree %s %s", bare, ours, theirs));
    assert_string_equal(sh("git -C %s log -1 --format='%%P' %s", bare, merged.commit),
                        arena_printf(arena, "%s %s\n", ours, theirs));
    set_ref("refs/heads/merged", merged.commit);
    check_repository();
}

static const char *conflicts(void) {
    char *text = arena_strdup(arena, "");
    assert_true(merged.is_conflict);
    assert_string_equal(merged.commit, "");
    for (size_t i = 0; i < merged.conflict_count; i++)
        text = arena_printf(arena, "%s%s\n", text, merged.conflicts[i]);
    return text;
}

static const char numbers[] = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";

static const char *make_base(void) {
    put("a", numbers);
    put("src/b", "b\n");
    put("src/deep/c", "c\n");
    return commit("", "base");
}

static void merges_apart(void **state) {
    const char *base = make_base();
    put("ours", "x");
    put("a", "one\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
    const char *ours = commit(base, "ours");
    drop("ours");
    put("a", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\ntwelve\n");
    put("theirs/new", "y");
    drop("src/b");
    const char *theirs = commit(base, "theirs");
    check_clean(ours, theirs);
    assert_string_equal(sh("git -C %s show %s:a", bare, merged.commit),
                        "one\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\ntwelve\n");
    /* Deterministic, and its objects are there only once. */
    char first[SHA_LEN];
    memcpy(first, merged.commit, SHA_LEN);
    const char *packs = sh("ls %s/objects/pack", bare);
    merge(ours, theirs);
    assert_string_equal(merged.commit, first);
    assert_string_equal(sh("ls %s/objects/pack", bare), packs);
}

static void merges_what_is_merged_already(void **state) {
    const char *base = make_base();
    put("a", "changed\n");
    const char *next = commit(base, "next");
    check_clean(base, next);
    assert_string_equal(tree_of(merged.commit), tree_of(next));
    check_clean(next, base);
    assert_string_equal(tree_of(merged.commit), tree_of(next));
    check_clean(next, next);
}

static void merges_across_a_rename(void **state) {
    const char *base = make_base();
    drop("a");
    put("moved/a", numbers);
    const char *ours = commit(base, "ours");
    drop("moved");
    put("a", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\ntwelve\n");
    const char *theirs = commit(base, "theirs");
    check_clean(ours, theirs);
    assert_string_equal(sh("git -C %s show %s:moved/a | tail -1", bare, merged.commit), "twelve\n");
}

static void merges_a_criss_cross(void **state) {
    const char *base = make_base();
    put("x", "1");
    const char *ours = commit(base, "ours");
    drop("x");
    put("y", "1");
    const char *theirs = commit(base, "theirs");
    merge(ours, theirs);
    const char *one = arena_strdup(arena, merged.commit);
    merge(theirs, ours);
    const char *two = arena_strdup(arena, merged.commit);
    put("x", "1");
    put("a", "left\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
    const char *left = commit(one, "left");
    put("a", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\nright\n");
    const char *right = commit(two, "right");
    check_clean(left, right);
}

static void reports_conflicts(void **state) {
    const char *base = make_base();
    put("a", "ours\n");
    put("new", "ours\n");
    put("src/b", "changed\n");
    put("same", "same\n");
    const char *ours = commit(base, "ours");
    put("a", "theirs\n");
    put("new", "theirs\n");
    drop("src/b");
    const char *theirs = commit(base, "theirs");
    merge(ours, theirs);
    assert_string_equal(conflicts(), "a\nnew\nsrc/b\n");
    merge(theirs, ours);
    assert_string_equal(conflicts(), "a\nnew\nsrc/b\n");
    /* Nothing of it was written, and the next one is not disturbed. */
    check_repository();
    drop("new");
    put("src/b", "b\n");
    put("a", numbers);
    put("other", "x");
    check_clean(ours, commit(base, "other"));
}

static void reports_a_file_in_the_way_of_a_folder(void **state) {
    const char *base = make_base();
    put("thing", "file\n");
    const char *ours = commit(base, "ours");
    drop("thing");
    put("thing/inside", "folder\n");
    const char *theirs = commit(base, "theirs");
    merge(ours, theirs);
    assert_true(merged.is_conflict);
    assert_true(merged.conflict_count > 0);
    assert_true(str_starts(merged.conflicts[0], "thing"));
}

static void merges_strangers(void **state) {
    put("a", "1");
    const char *ours = commit("", "ours");
    drop("a");
    put("b", "1");
    const char *theirs = commit("", "theirs");
    merge(ours, theirs);
    assert_false(merged.is_conflict);
    assert_string_equal(sh("git -C %s ls-tree --name-only %s", bare, merged.commit), "a\nb\n");
    put("a", "2");
    merge(ours, commit("", "third"));
    assert_string_equal(conflicts(), "a\n");
}

static void ignores_merge_attributes(void **state) {
    put(".gitattributes", "* merge=union\n");
    const char *base = make_base();
    put("a", "ours\n");
    const char *ours = commit(base, "ours");
    put("a", "theirs\n");
    merge(ours, commit(base, "theirs"));
    assert_string_equal(conflicts(), "a\n");
}

static void refuses_what_is_no_commit(void **state) {
    const char *base = make_base();
    fails(ERR_NOT_FOUND, repo_merge(repo, arena, base, "main", &spec, &merged, &err));
    fails(ERR_NOT_FOUND, repo_merge(repo, arena, "", base, &spec, &merged, &err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        git_test(merges_apart),
        git_test(merges_what_is_merged_already),
        git_test(merges_across_a_rename),
        git_test(merges_a_criss_cross),
        git_test(reports_conflicts),
        git_test(reports_a_file_in_the_way_of_a_folder),
        git_test(merges_strangers),
        git_test(ignores_merge_attributes),
        git_test(refuses_what_is_no_commit),
    };
    return git_run(tests);
}
