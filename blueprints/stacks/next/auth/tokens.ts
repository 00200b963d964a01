// API tokens: a person's key for programs. Shown once, stored as a hash.

import { db, inTransaction, now } from "../db/client";
import { notFoundFault } from "../lib/faults";
import { Reader, type Body } from "../lib/reader";
import { hashSecret, newSecret } from "./secrets";
import { userFromRow, type User } from "./users";

export interface ApiToken {
  id: number;
  name: string;
  createdAt: string;
  usedAt: string | null;
}

export async function listTokens(user: User): Promise<ApiToken[]> {
  const rows = await db.all(`SELECT * FROM "api_tokens" WHERE "user_id" = ? ORDER BY "id" DESC`, [user.id]);
  return rows.map((row) => ({
    id: row.id as number,
    name: row.name as string,
    createdAt: row.created_at as string,
    usedAt: row.used_at as string | null,
  }));
}

/** The answer holds the token itself; it cannot be read again. */
export async function createToken(body: Body, user: User): Promise<{ id: number; name: string; token: string }> {
  const reader = new Reader(body);
  const name = reader.text("name", "Name", { required: true, max: 100 });
  reader.done();
  const token = `tok_${newSecret()}`;
  const columns = { user_id: user.id, name, token_hash: hashSecret(token), created_at: now() };
  const id = await inTransaction((tx) => tx.insert("api_tokens", columns));
  return { id, name, token };
}

export async function deleteToken(id: number, user: User): Promise<void> {
  const deleted = await inTransaction((tx) => tx.run(`DELETE FROM "api_tokens" WHERE "id" = ? AND "user_id" = ?`, [id, user.id]));
  if (deleted === 0) throw notFoundFault();
}

export async function findTokenUser(token: string): Promise<User | null> {
  const hash = hashSecret(token);
  const row = await db.one(`SELECT u.* FROM "api_tokens" a JOIN "users" u ON u."id" = a."user_id" WHERE a."token_hash" = ?`, [hash]);
  if (!row) return null;
  await inTransaction((tx) => tx.run(`UPDATE "api_tokens" SET "used_at" = ? WHERE "token_hash" = ?`, [now(), hash]));
  return userFromRow(row);
}
