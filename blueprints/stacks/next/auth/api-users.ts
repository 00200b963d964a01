import { listUsers } from "@/auth/users";
import { json, route } from "@/server/api";

export const GET = route("manage", async () => json({ items: await listUsers() }));
