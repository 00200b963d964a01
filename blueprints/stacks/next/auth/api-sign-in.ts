import { checkCredentials } from "@/auth/users";
import { publicRoute, readJson, requireSameOrigin } from "@/server/api";
import { allowAttempt, startSession } from "../session";

export const POST = publicRoute(async (request) => {
  requireSameOrigin(request);
  const body = await readJson(request);
  allowAttempt(String(body.email));
  return startSession(request, await checkCredentials(body), 200);
});
