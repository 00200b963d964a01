// Uploaded files: their bytes lie in a folder, what they are in the database.

import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ValidationFault } from "../lib/faults";
import type { FileInfo } from "../lib/options";
import { db, inTransaction, now } from "./client";

export const MAX_FILE_BYTES = 10 * 1024 * 1024;

const folder = (): string => resolve(/* turbopackIgnore: true */ process.env.UPLOADS_PATH || "./data/uploads");

const hrefOf = (name: string): string => `/api/files/${encodeURIComponent(name)}`;

/** Keeps what is harmless of a file's name and puts something unguessable before it. */
function storedName(original: string): string {
  const harmless = original.normalize("NFKD").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[.-]+/, "").slice(-80);
  return `${randomBytes(9).toString("hex")}-${harmless || "file"}`;
}

export async function storeFile(file: File): Promise<FileInfo> {
  if (file.size === 0) throw new ValidationFault({ file: "File must not be empty" });
  if (file.size > MAX_FILE_BYTES) throw new ValidationFault({ file: "File must be at most 10 MB" });
  const info = { name: storedName(file.name), size: file.size, type: file.type || "application/octet-stream" };
  await mkdir(folder(), { recursive: true });
  await writeFile(join(folder(), info.name), Buffer.from(await file.arrayBuffer()), { flag: "wx" });
  await inTransaction((tx) => tx.insert("files", { ...info, created_at: now() }));
  return { ...info, href: hrefOf(info.name) };
}

export async function readStoredFile(name: string): Promise<{ info: FileInfo; bytes: Buffer } | null> {
  // The name is looked up before it becomes a path, so that it can be none but a stored one.
  const row = await db.one(`SELECT "name", "size", "type" FROM "files" WHERE "name" = ?`, [name]);
  if (!row) return null;
  const info = { name, size: row.size as number, type: row.type as string, href: hrefOf(name) };
  const bytes = await readFile(join(folder(), name)).catch(() => null);
  return bytes ? { info, bytes } : null;
}

/** SQL for what is known of the file that a column names, as JSON. */
export const fileOf = (column: string): string =>
  `(SELECT json_object('name', f."name", 'size', f."size", 'type', f."type") FROM "files" f WHERE f."name" = ${column})`;

export function fileFromJson(json: unknown): FileInfo | null {
  if (typeof json !== "string") return null;
  const file = JSON.parse(json) as Omit<FileInfo, "href">;
  return { ...file, href: hrefOf(file.name) };
}
