import { deleteSession } from "@/auth/sessions";
import { publicRoute, requireSameOrigin, sessionToken } from "@/server/api";
import { sessionCookie } from "../session";

export const POST = publicRoute(async (request) => {
  requireSameOrigin(request);
  const token = sessionToken(request);
  if (token) await deleteSession(token);
  return new Response(null, { status: 204, headers: { "set-cookie": sessionCookie(request, "", 0) } });
});
