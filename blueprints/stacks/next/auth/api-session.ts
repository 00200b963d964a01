// What signing in and signing up share: the session's cookie, and a limit on guessing.

import { SESSION_COOKIE, SESSION_DAYS, createSession } from "@/auth/sessions";
import type { User } from "@/auth/users";
import { RequestFault } from "@/lib/faults";
import { json } from "@/server/api";

export async function startSession(request: Request, user: User, status: number): Promise<Response> {
  const response = json({ user }, status);
  response.headers.set("set-cookie", sessionCookie(request, await createSession(user.id), SESSION_DAYS * 86_400));
  return response;
}

export function sessionCookie(request: Request, value: string, maxAgeSeconds: number): string {
  const scheme = request.headers.get("x-forwarded-proto") ?? new URL(request.url).protocol;
  const secure = scheme.startsWith("https") ? "; Secure" : "";
  return `${SESSION_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${secure}`;
}

const MOST_ATTEMPTS = 20;
const WINDOW_MS = 5 * 60_000;
const attempts = new Map<string, { count: number; until: number }>();

/** Counts a try for an account; too many within the window are refused. */
export function allowAttempt(account: string): void {
  const time = Date.now();
  const key = account.trim().toLowerCase().slice(0, 320);
  if (attempts.size > 10_000) attempts.clear();
  const known = attempts.get(key);
  const current = known && known.until > time ? known : { count: 0, until: time + WINDOW_MS };
  current.count++;
  attempts.set(key, current);
  if (current.count > MOST_ATTEMPTS) throw new RequestFault(429, "too_many_attempts");
}
