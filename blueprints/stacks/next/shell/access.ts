// Who is looking at a page, and whether they may.

import { cookies } from "next/headers";
import { redirect } from "next/navigation";
import { cache } from "react";
import { SESSION_COOKIE, findSessionUser } from "@/auth/sessions";
import { canWrite, type User } from "@/auth/users";
import { forbiddenFault } from "@/lib/faults";

export const currentUser = cache(async (): Promise<User | null> => {
  const token = (await cookies()).get(SESSION_COOKIE)?.value;
  return token ? findSessionUser(token) : null;
});

/** The person signed in; anybody else is sent to sign in and comes back to `path`. */
export async function requireUser(path: string): Promise<User> {
  const user = await currentUser();
  if (!user) redirect(`/sign-in?next=${encodeURIComponent(path)}`);
  return user;
}

/** The person signed in, who must be allowed to write. */
export async function requireWriter(path: string): Promise<User> {
  const user = await requireUser(path);
  if (!canWrite(user)) throw forbiddenFault();
  return user;
}
