import { json, publicRoute } from "@/server/api";
import { db } from "@/db/client";

export const GET = publicRoute(async () => {
  await db.one("SELECT 1");
  return json({ status: "ok" });
});
