// What people are told about: rows that others added or gave to them.

import type { User } from "../auth/users";
import { db, inTransaction, now } from "./client";

export interface Notification {
  id: number;
  message: string;
  href: string;
  createdAt: string;
  readAt: string | null;
}

const MOST_SHOWN = 100;

export async function listNotifications(user: User): Promise<Notification[]> {
  const rows = await db.all(`SELECT * FROM "notifications" WHERE "user_id" = ? ORDER BY "id" DESC LIMIT ${MOST_SHOWN}`, [user.id]);
  return rows.map((row) => ({
    id: row.id as number,
    message: row.message as string,
    href: row.href as string,
    createdAt: row.created_at as string,
    readAt: row.read_at as string | null,
  }));
}

export async function countUnread(user: User): Promise<number> {
  const row = await db.one(`SELECT COUNT(*) AS "unread" FROM "notifications" WHERE "user_id" = ? AND "read_at" IS NULL`, [user.id]);
  return row!.unread as number;
}

export async function markAllRead(user: User): Promise<void> {
  await inTransaction((tx) => tx.run(`UPDATE "notifications" SET "read_at" = ? WHERE "user_id" = ? AND "read_at" IS NULL`, [now(), user.id]));
}
