import { markAllRead } from "@/db/notifications";
import { noContent, route } from "@/server/api";

export const POST = route("own", async ({ user }) => {
  await markAllRead(user);
  return noContent();
});
