import { countUnread, listNotifications } from "@/db/notifications";
import { json, route } from "@/server/api";

export const GET = route("own", async ({ user }) => json({ items: await listNotifications(user), unread: await countUnread(user) }));
