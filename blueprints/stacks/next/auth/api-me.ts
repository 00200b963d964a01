import { json, route } from "@/server/api";

export const GET = route("own", async ({ user }) => json({ user }));
