import { signUp } from "@/auth/users";
import { publicRoute, readJson, requireSameOrigin } from "@/server/api";
import { startSession } from "../session";

export const POST = publicRoute(async (request) => {
  requireSameOrigin(request);
  return startSession(request, await signUp(await readJson(request)), 201);
});
