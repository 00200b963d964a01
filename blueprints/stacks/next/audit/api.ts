import { listAudit } from "@/app/audit/log";
import { listQuery } from "@/lib/paging";
import { json, route } from "@/server/api";

export const GET = route("read", async ({ query }) => json({ items: await listAudit(listQuery(query, []).page) }));
