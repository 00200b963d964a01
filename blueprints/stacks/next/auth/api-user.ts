import { changeRole } from "@/auth/users";
import { json, readJson, route } from "@/server/api";

export const PATCH = route("manage", async ({ id, request }) => json(await changeRole(id(), await readJson(request))));
