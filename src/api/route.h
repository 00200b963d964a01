/* route: what a row of the route table says: where it goes, who may ask, what comes in and what goes out. Dispatch,
 * validation and the OpenAPI document are all made from it, so that they cannot disagree. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "http/http.h"

struct api_call;
/* Answers with one of the reply_… functions and returns 0, or returns an error, which becomes the envelope. */
typedef int api_handler(struct api_call *call, struct err *err);

enum api_role { ROLE_ANYONE, ROLE_MEMBER, ROLE_ADMIN };

enum field_kind {
    FIELD_TEXT,   /* min..max characters; trimmed of white space at both ends unless is_verbatim */
    FIELD_INT,    /* min..max; max 0: as large as they come */
    FIELD_USD,    /* dollars: a number from 0 to max (whole dollars) with at most six decimals */
    FIELD_BOOL,   /* in a query: true or false */
    FIELD_WORD,   /* one of words */
    FIELD_TIME,   /* ISO 8601 */
    FIELD_ID,     /* a TypeID with this prefix, or its UUID form */
    FIELD_LIST,   /* min..max items; of members (objects), of words, or of texts when neither is set */
    FIELD_OBJECT, /* of members */
    FIELD_MAP,    /* an object of at most max members of any name, each as members[0] says */
    FIELD_ANY,    /* any JSON; the handler looks */
};

#define FIELD_ITEMS_MAX 1000    /* of a list that says no max */
#define FIELD_ITEM_TEXT_MAX 200 /* characters of a text in a list */

/* A query parameter, or a member of a body. An array of them ends with one without a name. */
struct api_field {
    const char *name;
    enum field_kind kind;
    bool is_required, is_nullable, is_verbatim;
    int64_t min, max;         /* by kind; a text's least length is 1 unless is_empty_fine */
    bool is_empty_fine;       /* an empty text is one */
    const char *label;        /* begins the messages of faults; NULL: the name */
    const char *fallback;     /* as text: what it is when it is not given; NULL: nothing */
    const char *const *words; /* ends with NULL */
    const char *prefix;       /* of FIELD_ID */
    const struct api_field *members;
    bool takes_one;      /* of a list of objects: a single one stands for a list of it, and becomes one */
    const char *help;    /* what it means, for the reference */
    const char *example; /* JSON */
};

/* One row. Designated, in the order of docs/api.md. */
struct api_route {
    enum http_method method;
    const char *path;
    api_handler *handle;
    enum api_role role;
    bool is_open_locally;  /* asked from this machine, and not through a proxy, a blocking route needs no key */
    bool is_blocking;      /* writes, git, planning: runs on a pool thread. The others read, in one transaction */
    bool is_slow;          /* with is_blocking: may take minutes, as a model does */
    size_t max_body_bytes; /* 0: 1 MiB */
    bool may_identify;     /* with ROLE_ANYONE: whoever says who asks must be right, and no other site's page */
    bool is_uncounted;     /* never refused for its rate */
    bool takes_basic;      /* the key may come as the password of Basic authentication, which is what git has */

    const struct api_field *query; /* NULL: none; others than these are faults */
    const struct api_field *body;  /* NULL: none, or an empty object */
    bool is_body_optional;         /* an empty body is an empty object */
    bool is_raw;                   /* the body is no JSON: the handler's own */

    const char *operation; /* "createProject": unique, a client's function */
    const char *tag;       /* "Projects" */
    const char *summary;
    const char *notes;  /* further text, or NULL */
    int status;         /* of success; 0: 200 */
    const char *answer; /* name of a schema in api/schemas/: what `data` is. NULL: see media */
    bool is_list;       /* data is an array of answer */
    bool has_pages;     /* so is it here, with pagination */
    bool is_bare;       /* the answer has no envelope */
    bool has_ranges;    /* Range gives 206 and 416, If-None-Match 304 */
    const char *media;  /* of an answer that is no JSON in an envelope: "text/event-stream"; may be a schema's too */
    unsigned conflicts : 1;       /* 409 is among the answers */
    unsigned checks_password : 1; /* 401 and 403 are among them though anyone may ask */
    unsigned resumes : 1; /* carried out twice it is as if once, and may go on where a crash ended it (replay.h) */
    unsigned limits : 1;  /* 429 for more than the request rate */
};

#endif
