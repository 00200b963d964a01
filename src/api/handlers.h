/* handlers: every handler of the route table, one file per resource. */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include "api/call.h"

/* reference.c */
api_handler openapi_get, reference_get;
/* health.c */
api_handler health_get;
/* sessions.c */
api_handler session_register, session_login, session_logout, session_me;
/* keys.c */
api_handler key_list, key_create, key_revoke;
/* accounts.c */
api_handler account_list, account_create, account_update;
/* projects.c */
api_handler project_create, project_list, project_get, project_update, project_archive;
/* planning.c */
api_handler project_clarify, project_answer, project_approve, project_regenerate;
/* runs.c */
api_handler run_create, run_list, run_get, run_cancel, run_resume, run_retry, task_list, task_get, task_retry;
/* logs.c */
api_handler task_log_get;
/* diffs.c */
api_handler task_diff;
/* events.c */
api_handler event_list, event_stream;
/* socket.c */
api_handler socket_open;
/* specs.c */
api_handler spec_edit, spec_list, spec_get;
/* deliveries.c */
api_handler export_create, export_list, export_get, export_download, export_delete;
/* deployments.c */
api_handler agent_list;
api_handler provider_list, deployment_create, deployment_list, deployment_get, deployment_stop;
/* webhooks.c */
api_handler webhook_list, webhook_create, webhook_get, webhook_update, webhook_delete, webhook_rotate;
/* webhook_deliveries.c */
api_handler webhook_delivery_list, webhook_delivery_get, webhook_delivery_retry, webhook_ping;
/* spending.c */
api_handler usage_get;
/* stats.c */
api_handler stats_get;
/* scrape.c */
api_handler metrics_get;
/* files.c */
api_handler file_list, file_get;
/* clone.c */
api_handler repository_refs, repository_fetch;

#endif
