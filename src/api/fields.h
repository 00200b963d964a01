/* fields: what the routes take: query parameters and members of bodies, by resource. */
#ifndef API_FIELDS_H
#define API_FIELDS_H

#include "api/route.h"

/* accounts, users and keys */
extern const struct api_field register_body[], login_body[], page_query[], key_create_body[], account_create_body[],
    account_update_body[];
/* spending */
extern const struct api_field usage_query_fields[];
/* projects */
extern const struct api_field project_list_query[], project_create_body[], project_update_body[];
/* planning */
extern const struct api_field answer_body[], regenerate_body[];
/* specs */
extern const struct api_field spec_list_query[], spec_edit_body[];
/* runs */
extern const struct api_field run_list_query[], run_create_body[], run_resume_body[], run_retry_body[],
    task_retry_body[];
/* tasks */
extern const struct api_field task_log_query[], task_diff_query[];
/* events */
extern const struct api_field event_list_query[], event_stream_query[];
/* deliveries */
extern const struct api_field export_create_body[], export_list_query[], deployment_create_body[],
    deployment_list_query[];
/* webhooks */
extern const struct api_field webhook_create_body[], webhook_update_body[], webhook_delivery_query[];
/* files */
extern const struct api_field file_list_query[], file_get_query[], repository_refs_query[];

#endif
