// Sessions live on the server; the browser holds a random token of which only the hash is stored.

import { db, inTransaction, now } from "../db/client";
import { hashSecret, newSecret } from "./secrets";
import { userFromRow, type User } from "./users";

export const SESSION_COOKIE = "session";
export const SESSION_DAYS = 30;

export async function createSession(userId: number): Promise<string> {
  const token = newSecret();
  const expires = new Date(Date.now() + SESSION_DAYS * 86_400_000).toISOString();
  await inTransaction(async (tx) => {
    await tx.run(`DELETE FROM "sessions" WHERE "expires_at" < ?`, [now()]);
    await tx.insert("sessions", { token_hash: hashSecret(token), user_id: userId, expires_at: expires });
  });
  return token;
}

export async function findSessionUser(token: string): Promise<User | null> {
  const row = await db.one(
    `SELECT u.* FROM "sessions" s JOIN "users" u ON u."id" = s."user_id" WHERE s."token_hash" = ? AND s."expires_at" > ?`,
    [hashSecret(token), now()],
  );
  return row ? userFromRow(row) : null;
}

export async function deleteSession(token: string): Promise<void> {
  await inTransaction((tx) => tx.run(`DELETE FROM "sessions" WHERE "token_hash" = ?`, [hashSecret(token)]));
}
