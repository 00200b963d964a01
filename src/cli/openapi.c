/* openapi: the OpenAPI document of the API, for making clients without a server. */
#include <stdio.h>

#include "api/reference.h"
#include "cli/command.h"

int command_openapi(const struct options *options, struct arena *arena, struct err *err) {
    struct buf out = {0};
    int rc = reference_print(&out, err);
    if (rc == 0)
        fwrite(out.data, 1, out.len, stdout);
    buf_release(&out);
    return rc;
}
