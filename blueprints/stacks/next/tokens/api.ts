import { createToken, listTokens } from "@/auth/tokens";
import { json, readJson, route } from "@/server/api";

export const GET = route("own", async ({ user }) => json({ items: await listTokens(user) }));

export const POST = route("own", async ({ request, user }) => json(await createToken(await readJson(request), user), 201));
