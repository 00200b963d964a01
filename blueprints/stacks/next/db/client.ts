// The database: one SQLite file, opened and migrated at first use.

import { createClient, type Client, type InValue, type Row } from "@libsql/client";
import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { migrations } from "./migrations";

export type { Row };

/** What reads and writes share; a transaction is one too. */
export interface Queries {
  all(sql: string, args?: InValue[]): Promise<Row[]>;
  one(sql: string, args?: InValue[]): Promise<Row | undefined>;
}

export interface Tx extends Queries {
  run(sql: string, args?: InValue[]): Promise<number>;
  /** Inserts a row, given by its columns, and returns its id. */
  insert(table: string, columns: Record<string, InValue>): Promise<number>;
  update(table: string, id: number, columns: Record<string, InValue>): Promise<void>;
}

interface Database {
  client: Client;
  /** Resolves when the last write has ended: writes run one after another. */
  lastWrite: Promise<unknown>;
}

// Next.js may load this module more than once; the file is opened once all the same.
const shared = globalThis as { openDatabase?: Promise<Database> };

function database(): Promise<Database> {
  shared.openDatabase ??= open().catch((error) => {
    shared.openDatabase = undefined;
    throw error;
  });
  return shared.openDatabase;
}

async function open(): Promise<Database> {
  const path = resolve(/* turbopackIgnore: true */ process.env.DATABASE_PATH || "./data/app.db");
  mkdirSync(dirname(path), { recursive: true });
  const client = createClient({ url: `file:${path}`, timeout: 5000 });
  await client.execute("PRAGMA journal_mode = WAL");
  await migrate(client);
  return { client, lastWrite: Promise.resolve() };
}

/** Carries out the migrations that the file has not seen yet, all or none of them. */
async function migrate(client: Client): Promise<void> {
  const tx = await client.transaction("write");
  try {
    await tx.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL)");
    const done = new Set((await tx.execute("SELECT name FROM migrations")).rows.map((row) => row.name));
    for (const migration of migrations) {
      if (done.has(migration.name)) continue;
      for (const statement of migration.statements) await tx.execute(statement);
      await tx.execute({ sql: "INSERT INTO migrations VALUES (?, ?)", args: [migration.name, new Date().toISOString()] });
    }
    await tx.commit();
  } finally {
    tx.close();
  }
}

type Execute = (sql: string, args: InValue[]) => Promise<{ rows: Row[]; rowsAffected: number; lastInsertRowid?: bigint }>;

function queries(execute: Execute): Tx {
  const quote = (name: string) => `"${name}"`;
  return {
    all: async (sql, args = []) => (await execute(sql, args)).rows,
    one: async (sql, args = []) => (await execute(sql, args)).rows[0],
    run: async (sql, args = []) => (await execute(sql, args)).rowsAffected,
    insert: async (table, columns) => {
      const names = Object.keys(columns);
      const marks = names.map(() => "?").join(", ");
      const sql = `INSERT INTO ${quote(table)} (${names.map(quote).join(", ")}) VALUES (${marks})`;
      return Number((await execute(sql, Object.values(columns))).lastInsertRowid);
    },
    update: async (table, id, columns) => {
      const sets = Object.keys(columns).map((name) => `${quote(name)} = ?`).join(", ");
      await execute(`UPDATE ${quote(table)} SET ${sets} WHERE "id" = ?`, [...Object.values(columns), id]);
    },
  };
}

/** Reads outside a transaction. */
export const db: Queries = {
  all: async (sql, args) => queries(await reader()).all(sql, args),
  one: async (sql, args) => queries(await reader()).one(sql, args),
};

async function reader(): Promise<Execute> {
  const { client } = await database();
  return (sql, args) => client.execute({ sql, args });
}

/**
 * Runs `work` alone: no other write happens between its first read and its commit, so that what it checked still holds
 * when it writes. Whatever it throws undoes it.
 */
export async function inTransaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
  const current = await database();
  const turn = current.lastWrite.then(async () => {
    const tx = await current.client.transaction("write");
    try {
      const result = await work(queries((sql, args) => tx.execute({ sql, args })));
      await tx.commit();
      return result;
    } finally {
      tx.close();
    }
  });
  current.lastWrite = turn.catch(() => undefined);
  return turn;
}

/** Whether a write failed because another row still refers to this one. */
export function isForeignKeyFault(error: unknown): boolean {
  return error instanceof Error && /FOREIGN KEY constraint failed/.test(error.message);
}

export const now = (): string => new Date().toISOString();
