import { findEverywhere } from "@/app/search/find";
import { listQuery } from "@/lib/paging";
import { json, route } from "@/server/api";

export const GET = route("read", async ({ query }) => json({ items: await findEverywhere(listQuery(query, []).q) }));
