/* fuzz_names: names of refs, files and commits, targets of links, and the Git-Protocol header. */
#include "fuzz.h"

#include "base/str.h"
#include "git/internal.h"
#include "git/serve.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    struct err err;
    FUZZ_HOLDS(git_start(&err) == 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(mem_freep) char *text = fuzz_text(data, size);
    git_oid id;

    if (!name_fault(text))
        FUZZ_HOLDS(text[0] && !strchr(text, '/') && !str_eq(text, "..") && strcasecmp(text, ".git") != 0);
    if (!link_fault(text, 0))
        FUZZ_HOLDS(text[0] && text[0] != '/' && !str_eq(text, "..") && !str_starts(text, "../") &&
                   !link_fault(text, 1));
    if (ref_is_valid(text))
        FUZZ_HOLDS(str_starts(text, "refs/") && !strstr(text, ".."));
    if (git_parse_sha(&id, text))
        FUZZ_HOLDS(strlen(text) == 40);
    int version = serve_version(text);
    FUZZ_HOLDS(version >= 0 && version <= 2);
    return 0;
}
