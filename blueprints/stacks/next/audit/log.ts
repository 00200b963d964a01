// What was changed, by whom and when; the newest first.

import { db } from "@/db/client";

export interface AuditEntry {
  id: number;
  action: string;
  entity: string;
  entityId: number;
  title: string;
  actor: string | null;
  at: string;
}

export const AUDIT_PAGE_SIZE = 50;

export async function listAudit(page: number): Promise<AuditEntry[]> {
  const rows = await db.all(`SELECT * FROM "audit" ORDER BY "id" DESC LIMIT ? OFFSET ?`, [AUDIT_PAGE_SIZE, (page - 1) * AUDIT_PAGE_SIZE]);
  return rows.map((row) => ({
    id: row.id as number,
    action: row.action as string,
    entity: row.entity as string,
    entityId: row.entity_id as number,
    title: row.title as string,
    actor: row.actor as string | null,
    at: row.at as string,
  }));
}
