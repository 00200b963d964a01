/* fields: what the routes take: query parameters and members of bodies, by resource. */
#include "api/fields.h"

#include "model/project.h"
#include "model/spending.h"
#include "model/states.h"

#define PAGE_FIELDS                                                                                                    \
    {.name = "page", .kind = FIELD_INT, .min = 1, .max = INT32_MAX, .fallback = "1", .help = "page number"},           \
        {.name = "pageSize", .kind = FIELD_INT, .min = 1, .max = 100, .fallback = "20", .help = "items per page"}, {   \
        .name = "cursor", .kind = FIELD_TEXT, .max = 200, .is_empty_fine = true, .example = "\"\"",                    \
        .help = "instead of page: empty to begin a walk through the list, then nextCursor of the page before. A walk " \
                "gives each item that is there throughout exactly once, whatever comes and goes meanwhile"             \
    }

#define NAME(value, name) name,
static const char *const project_states[] = {PROJECT_STATE_LIST(NAME) NULL};
static const char *const run_states[] = {RUN_STATE_LIST(NAME) NULL};
static const char *const event_types[] = {EVENT_TYPE_LIST(NAME) NULL};
static const char *const export_states[] = {EXPORT_STATE_LIST(NAME) NULL};
static const char *const deployment_states[] = {DEPLOYMENT_STATE_LIST(NAME) NULL};
static const char *const delivery_states[] = {DELIVERY_STATE_LIST(NAME) NULL};
static const char *const webhook_events[] = {WEBHOOK_EVENT_LIST(NAME) NULL};
#undef NAME

const struct api_field page_query[] = {PAGE_FIELDS, {0}};

/* ---- spending ---- */

#define USD_FIELD(field, text)                                                                                         \
    { .name = field, .kind = FIELD_USD, .is_nullable = true, .max = LIMIT_USD_MAX, .help = text, .example = "1.5" }
#define TOKENS_FIELD(field, text)                                                                                      \
    {                                                                                                                  \
        .name = field, .kind = FIELD_INT, .is_nullable = true, .max = LIMIT_TOKENS_MAX, .help = text,                  \
        .example = "200000"                                                                                            \
    }

static const char *const usage_groups[] = {"day", "project", "run", "model", "purpose", NULL};

const struct api_field usage_query_fields[] = {
    {.name = "from", .kind = FIELD_TIME, .help = "from this time; without it, thirty days before `to`"},
    {.name = "to", .kind = FIELD_TIME, .help = "before this time; without it, until now"},
    {.name = "projectId", .kind = FIELD_ID, .prefix = "proj", .help = "only what this project used"},
    {.name = "runId", .kind = FIELD_ID, .prefix = "run", .help = "only what this run used"},
    {.name = "groupBy", .kind = FIELD_WORD, .words = usage_groups, .fallback = "day", .help = "what to sum up by"},
    {0},
};

/* ---- accounts, users and keys ---- */

static const char *const roles[] = {"member", "admin", NULL};
static const char *const tiers[] = {"free", "pro", "enterprise", NULL};
static const char *const account_states[] = {"active", "suspended", NULL};

#define EMAIL_FIELD                                                                                                    \
    .name = "email", .kind = FIELD_TEXT, .min = 3, .max = 254, .help = "an e-mail address; capitals do not matter",    \
    .example = "\"ada@example.org\""
#define PASSWORD_FIELD                                                                                                 \
    .name = "password", .kind = FIELD_TEXT, .is_verbatim = true, .min = 8, .max = 1024,                                \
    .help = "8 to 1024 characters", .example = "\"correct horse battery staple\""
#define USER_NAME_FIELD                                                                                                \
    { .name = "name", .kind = FIELD_TEXT, .max = 200, .help = "of the user", .example = "\"Ada Lovelace\"" }

const struct api_field register_body[] = {
    {EMAIL_FIELD, .is_required = true},
    {PASSWORD_FIELD, .is_required = true},
    USER_NAME_FIELD,
    {.name = "accountName",
     .kind = FIELD_TEXT,
     .max = 200,
     .help = "of the account that is made; without it, the user's",
     .example = "\"Analytical Engines\""},
    {0},
};

const struct api_field login_body[] = {
    {EMAIL_FIELD, .is_required = true},
    {.name = "password",
     .kind = FIELD_TEXT,
     .is_verbatim = true,
     .max = 1024,
     .is_required = true,
     .help = "the user's",
     .example = "\"correct horse battery staple\""},
    {0},
};

const struct api_field key_create_body[] = {
    {.name = "name",
     .kind = FIELD_TEXT,
     .max = 200,
     .is_required = true,
     .help = "what it is for",
     .example = "\"continuous integration\""},
    {.name = "role",
     .kind = FIELD_WORD,
     .words = roles,
     .fallback = "member",
     .help = "what it may do; a member can make members' keys alone",
     .example = "\"member\""},
    {.name = "expiresAt",
     .kind = FIELD_TIME,
     .is_nullable = true,
     .help = "when it ends to be valid; without it, never",
     .example = "\"2099-01-01T00:00:00Z\""},
    {0},
};

#define ACCOUNT_NAME_FIELD                                                                                             \
    .name = "name", .kind = FIELD_TEXT, .max = 200, .help = "of the account", .example = "\"Analytical Engines\""

static const struct api_field account_limit_members[] = {
    USD_FIELD("costUsdPerMonth", "most that its models' calls of a month may cost; null: no limit"),
    TOKENS_FIELD("tokensPerMonth", "most tokens, in and out, of a month; null: no limit"),
    {0},
};

#define ACCOUNT_LIMITS_FIELD                                                                                           \
    .name = "limits", .kind = FIELD_OBJECT, .members = account_limit_members,                                          \
    .help = "what may be spent in a month of UTC; one that is not given stays as it is"

const struct api_field account_create_body[] = {
    {ACCOUNT_NAME_FIELD, .is_required = true},
    {.name = "tier",
     .kind = FIELD_WORD,
     .words = tiers,
     .fallback = "free",
     .help = "what it may use",
     .example = "\"pro\""},
    {EMAIL_FIELD},
    {PASSWORD_FIELD},
    {.name = "role",
     .kind = FIELD_WORD,
     .words = roles,
     .fallback = "member",
     .help = "of the user with this e-mail address",
     .example = "\"member\""},
    {ACCOUNT_LIMITS_FIELD},
    {0},
};

const struct api_field account_update_body[] = {
    {ACCOUNT_NAME_FIELD},
    {.name = "tier", .kind = FIELD_WORD, .words = tiers, .help = "what it may use", .example = "\"pro\""},
    {.name = "status",
     .kind = FIELD_WORD,
     .words = account_states,
     .help = "keys and sessions of a suspended account open nothing",
     .example = "\"suspended\""},
    {ACCOUNT_LIMITS_FIELD},
    {0},
};

/* ---- projects ---- */

const struct api_field project_list_query[] = {
    PAGE_FIELDS,
    {.name = "status",
     .kind = FIELD_WORD,
     .words = project_states,
     .help = "only projects in this state; without it, all but archived ones"},
    {.name = "search",
     .kind = FIELD_TEXT,
     .max = 1000,
     .is_empty_fine = true,
     .help = "words; each must begin a word of the name or the description",
     .example = "\"team board\""},
    {0},
};

#define NAME_FIELD                                                                                                     \
    .name = "name", .kind = FIELD_TEXT, .max = PROJECT_NAME_MAX, .label = "Project name", .help = "what it is called", \
    .example = "\"My SaaS App\""
#define DESCRIPTION_FIELD                                                                                              \
    .name = "description", .kind = FIELD_TEXT, .max = PROJECT_DESCRIPTION_MAX, .label = "Project description",         \
    .help = "what the app is to do, in plain words",                                                                   \
    .example = "\"A project management tool with team collaboration features, task boards, and time tracking.\""

static const char *const planners[] = {"blueprint", "model", NULL};
static const char *const model_providers[] = {"anthropic", "openai", "chat", "ollama", NULL};

static const struct api_field agent_members[] = {
    {.name = "kind",
     .kind = FIELD_TEXT,
     .max = 40,
     .is_required = true,
     .help = "one of those of `GET /agents`",
     .example = "\"blueprint\""},
    {.name = "model",
     .kind = FIELD_TEXT,
     .max = 200,
     .is_nullable = true,
     .help = "the model it is to use, as its provider names it; without it, the agent's own, or the one that is set up",
     .example = "\"gpt-5-codex\""},
    {0},
};

#define AGENT_FIELD(text)                                                                                              \
    .name = "agent", .kind = FIELD_LIST, .min = 1, .max = 4, .takes_one = true, .members = agent_members,              \
    .help = text, .example = "[{\"kind\": \"blueprint\"}]"

static const struct api_field model_members[] = {
    {.name = "provider",
     .kind = FIELD_WORD,
     .words = model_providers,
     .is_required = true,
     .help = "who has it, and so its wire format; chat is any server of OpenAI's Chat Completions",
     .example = "\"anthropic\""},
    {.name = "name",
     .kind = FIELD_TEXT,
     .max = 200,
     .is_required = true,
     .help = "as the provider names it",
     .example = "\"claude-sonnet-4-5\""},
    {.name = "url",
     .kind = FIELD_TEXT,
     .max = 2000,
     .is_nullable = true,
     .help =
         "where it is asked; without it, the provider's own address. Of this server's network only where the server "
         "allows it",
     .example = "\"https://models.example.org/v1\""},
    {.name = "key",
     .kind = FIELD_TEXT,
     .max = 4000,
     .is_nullable = true,
     .help = "its API key, which is kept sealed and never shown. Without it the one that is there stays, as long as "
             "provider and url do; null takes it away",
     .example = "\"sk-ant-…\""},
    {0},
};

#define SETTINGS_FIELDS                                                                                                \
    {.name = "planner",                                                                                                \
     .kind = FIELD_WORD,                                                                                               \
     .words = planners,                                                                                                \
     .is_nullable = true,                                                                                              \
     .help = "who asks the questions and writes the spec; null: as the server has it",                                 \
     .example = "\"blueprint\""},                                                                                      \
        {AGENT_FIELD(                                                                                                  \
             "who carries out the tasks: one, or the first and who takes its place when it cannot work; null: "        \
             "as the server has it"),                                                                                  \
         .is_nullable = true},                                                                                         \
    {                                                                                                                  \
        .name = "model", .kind = FIELD_OBJECT, .is_nullable = true, .members = model_members,                          \
        .help = "the language model to use; null: the server's"                                                        \
    }

const struct api_field project_create_body[] = {
    {NAME_FIELD, .is_required = true},
    {DESCRIPTION_FIELD, .is_required = true},
    SETTINGS_FIELDS,
    {0},
};

const struct api_field project_update_body[] = {{NAME_FIELD}, {DESCRIPTION_FIELD}, SETTINGS_FIELDS, {0}};

/* ---- planning ---- */

static const struct api_field answer_members[] = {
    {.name = "questionId",
     .kind = FIELD_TEXT,
     .max = 64,
     .is_required = true,
     .help = "as clarify gave it",
     .example = "\"q1\""},
    {.name = "answer",
     .kind = FIELD_ANY,
     .is_required = true,
     .help = "one of the options, a list of them, true or false, a number or a text, by the question's type",
     .example = "\"Email/Password\""},
    {0},
};

const struct api_field answer_body[] = {
    {.name = "answers",
     .kind = FIELD_LIST,
     .max = 100,
     .is_required = true,
     .members = answer_members,
     .help = "a question that is left out takes its default"},
    {0},
};

const struct api_field regenerate_body[] = {
    {.name = "feedback",
     .kind = FIELD_TEXT,
     .max = 5000,
     .help = "what the next version is to do otherwise",
     .example = "\"Add more detail about the notification system\""},
    {0},
};

/* ---- specs ---- */

const struct api_field spec_list_query[] = {PAGE_FIELDS, {0}};

#define DOCUMENT(document, text)                                                                                       \
    { .name = document, .kind = FIELD_TEXT, .max = SPEC_DOCUMENT_MAX, .is_verbatim = true, .help = text }

static const struct api_field document_members[] = {
    {.name = "SPEC.md",
     .kind = FIELD_TEXT,
     .max = SPEC_DOCUMENT_MAX,
     .is_verbatim = true,
     .help = "what the app is and does",
     .example = "\"# My SaaS App Specification\\n\\nAdd a due date to tasks.\\n\""},
    DOCUMENT("ACCEPTANCE.md", "the criteria; one whose words are new has no check, so that a run cannot succeed"),
    DOCUMENT("ROUTES.md", "the app's pages and its API"),
    DOCUMENT("DATA.md", "the app's data model"),
    {0},
};

const struct api_field spec_edit_body[] = {
    {.name = "documents",
     .kind = FIELD_OBJECT,
     .is_required = true,
     .members = document_members,
     .help = "at least one document, whole; those that are not given stay as they are"},
    {.name = "version",
     .kind = FIELD_INT,
     .min = 1,
     .max = INT32_MAX,
     .help = "the version that was edited: refused when there is a newer one",
     .example = "1"},
    {0},
};

/* ---- runs ---- */

static const char *const triggers[] = {"manual", "api", "schedule", "webhook", NULL};

const struct api_field run_list_query[] = {
    PAGE_FIELDS,
    {.name = "status", .kind = FIELD_WORD, .words = run_states, .help = "only runs in this state"},
    {0},
};

#define QUEUE_FIELD                                                                                                    \
    {                                                                                                                  \
        .name = "queue", .kind = FIELD_BOOL, .fallback = "false",                                                      \
        .help =                                                                                                        \
            "when the account has as many builds under way as its tier has, wait for room instead of being refused",   \
        .example = "true"                                                                                              \
    }

const struct api_field run_retry_body[] = {
    QUEUE_FIELD,
    {AGENT_FIELD("who carries out the new run; without it, whoever carried out the old one")},
    {0},
};

const struct api_field task_retry_body[] = {
    QUEUE_FIELD,
    {AGENT_FIELD("who carries out this task; without it, whoever carried out the old run")},
    {0},
};

static const struct api_field task_agent[] = {{AGENT_FIELD("as the run's, for this task alone")}, {0}};

static const struct api_field run_limit_members[] = {
    USD_FIELD("costUsd", "most that the run's calls of models may cost; null: no limit"),
    TOKENS_FIELD("tokens", "most tokens, in and out; null: no limit"),
    {0},
};

#define RUN_LIMITS_FIELD(text)                                                                                         \
    { .name = "limits", .kind = FIELD_OBJECT, .members = run_limit_members, .help = text }

const struct api_field run_resume_body[] = {
    RUN_LIMITS_FIELD("new limits, higher than what is spent; one that is not given stays as it is"),
    {0},
};

const struct api_field run_create_body[] = {
    QUEUE_FIELD,
    {.name = "trigger",
     .kind = FIELD_WORD,
     .words = triggers,
     .fallback = "manual",
     .help = "what set the run off",
     .example = "\"manual\""},
    RUN_LIMITS_FIELD("what may be spent: without room for the next call the run waits"),
    {.name = "maxAttempts",
     .kind = FIELD_INT,
     .min = 1,
     .max = 10,
     .fallback = "3",
     .help = "at a task, when what an agent does is not accepted",
     .example = "3"},
    {AGENT_FIELD("who carries out the tasks; without it, as the project says")},
    {.name = "taskAgents",
     .kind = FIELD_MAP,
     .max = 100,
     .members = task_agent,
     .help = "agents of single tasks, by slug",
     .example = "{\"data-model\": {\"kind\": \"blueprint\"}}"},
    {0},
};

/* ---- tasks ---- */

const struct api_field task_log_query[] = {
    {.name = "follow",
     .kind = FIELD_BOOL,
     .fallback = "false",
     .help = "go on with what is written, until the task has ended"},
    {.name = "offset", .kind = FIELD_INT, .help = "with `follow`: where to begin, in bytes"},
    {0},
};

static const char *const diff_formats[] = {"patch", "json", NULL};

const struct api_field task_diff_query[] = {
    {.name = "format",
     .kind = FIELD_WORD,
     .words = diff_formats,
     .fallback = "patch",
     .help = "`patch`, or `json`: the files, and how many lines of each"},
    {0},
};

/* ---- events ---- */

const struct api_field event_list_query[] = {
    {.name = "after", .kind = FIELD_TIME, .help = "events after this time", .example = "\"2024-01-15T11:30:00Z\""},
    {.name = "afterSequence",
     .kind = FIELD_INT,
     .max = INT32_MAX,
     .fallback = "0",
     .help = "events after this one of the run: the exact cursor"},
    {.name = "type", .kind = FIELD_WORD, .words = event_types, .help = "only events of this type"},
    {.name = "taskId", .kind = FIELD_ID, .prefix = "task", .help = "only events of this task"},
    {.name = "limit", .kind = FIELD_INT, .min = 1, .max = 1000, .fallback = "100", .help = "most events to return"},
    {0},
};

const struct api_field event_stream_query[] = {
    {.name = "Last-Event-ID",
     .kind = FIELD_INT,
     .max = INT32_MAX,
     .fallback = "0",
     .help = "events after this sequence, for clients that cannot set the header of the same name"},
    {.name = "lastEventId", .kind = FIELD_INT, .max = INT32_MAX, .fallback = "0", .help = "the same"},
    {0},
};

/* ---- deliveries ---- */

static const char *const export_formats[] = {"zip", NULL};

/* A malformed id is an id that names no run: the handler answers as for others that are not there. */
#define RUN_FIELD                                                                                                      \
    {                                                                                                                  \
        .name = "runId", .kind = FIELD_TEXT, .max = 64, .help = "a run that succeeded; without it, the newest",        \
        .example = "\"run_01m85s4trxebzrmzwnxs1eg5p2\""                                                                \
    }

const struct api_field export_create_body[] = {
    RUN_FIELD,
    {.name = "format",
     .kind = FIELD_WORD,
     .words = export_formats,
     .fallback = "zip",
     .help = "of the archive",
     .example = "\"zip\""},
    {0},
};

const struct api_field export_list_query[] = {
    PAGE_FIELDS,
    {.name = "status", .kind = FIELD_WORD, .words = export_states, .help = "only exports in this state"},
    {0},
};

const struct api_field deployment_list_query[] = {
    PAGE_FIELDS,
    {.name = "status", .kind = FIELD_WORD, .words = deployment_states, .help = "only deployments in this state"},
    {0},
};

const struct api_field deployment_create_body[] = {
    RUN_FIELD,
    {.name = "provider",
     .kind = FIELD_TEXT,
     .max = 40,
     .is_required = true,
     .help = "the name of a deploy provider of this server",
     .example = "\"local\""},
    {0},
};

/* ---- webhooks ---- */

#define URL_FIELD                                                                                                      \
    .name = "url", .kind = FIELD_TEXT, .max = 2000, .help = "where the messages go: http or https, and public",        \
    .example = "\"https://example.org/hooks/prazium\""

/* A malformed id is an id that names no project. */
#define WEBHOOK_FIELDS                                                                                                 \
    {.name = "projectId",                                                                                              \
     .kind = FIELD_TEXT,                                                                                               \
     .max = 64,                                                                                                        \
     .is_nullable = true,                                                                                              \
     .help = "only what happens in this project; null: in every one of the account"},                                  \
        {.name = "events",                                                                                             \
         .kind = FIELD_LIST,                                                                                           \
         .min = 1,                                                                                                     \
         .max = 50,                                                                                                    \
         .words = webhook_events,                                                                                      \
         .is_nullable = true,                                                                                          \
         .help = "only these; null: all, and those that later versions add",                                           \
         .example = "[\"run.completed\", \"deployment.live\"]"},                                                       \
        {.name = "description",                                                                                        \
         .kind = FIELD_TEXT,                                                                                           \
         .max = 200,                                                                                                   \
         .is_nullable = true,                                                                                          \
         .help = "what it is for",                                                                                     \
         .example = "\"the team's chat\""},                                                                            \
    {                                                                                                                  \
        .name = "enabled", .kind = FIELD_BOOL, .help = "whether messages are sent; they are unless it is false"        \
    }

const struct api_field webhook_create_body[] = {{URL_FIELD, .is_required = true}, WEBHOOK_FIELDS, {0}};

const struct api_field webhook_update_body[] = {{URL_FIELD}, WEBHOOK_FIELDS, {0}};

const struct api_field webhook_delivery_query[] = {
    PAGE_FIELDS,
    {.name = "status", .kind = FIELD_WORD, .words = delivery_states, .help = "only deliveries in this state"},
    {0},
};

/* ---- files ---- */

#define REF_FIELD                                                                                                      \
    {                                                                                                                  \
        .name = "ref", .kind = FIELD_TEXT, .max = 255, .is_verbatim = true, .fallback = "main",                        \
        .help = "a branch, a tag or a commit"                                                                          \
    }

const struct api_field file_list_query[] = {
    REF_FIELD,
    {.name = "path", .kind = FIELD_TEXT, .max = 4096, .is_verbatim = true, .fallback = "/", .help = "a folder"},
    {0},
};

const struct api_field file_get_query[] = {REF_FIELD, {0}};

static const char *const git_services[] = {"git-upload-pack", "git-receive-pack", NULL};

const struct api_field repository_refs_query[] = {
    {.name = "service",
     .kind = FIELD_WORD,
     .words = git_services,
     .is_required = true,
     .help = "what the client is about to do; `git-receive-pack`, which is a push, is refused with 403"},
    {0},
};
