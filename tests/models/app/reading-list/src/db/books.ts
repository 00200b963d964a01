// The books, in the SQLite file that DATABASE_PATH names.
import { createClient, type Client, type Row } from "@libsql/client";
import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Book, BookValues } from "../lib/book";

const columns = { title: "title", author: "author", isRead: "is_read" } as const;
let opened: Promise<Client> | undefined;

async function open(): Promise<Client> {
  const path = resolve(/* turbopackIgnore: true */ process.env.DATABASE_PATH || "./data/app.db");
  mkdirSync(dirname(path), { recursive: true });
  const client = createClient({ url: `file:${path}` });
  await client.execute(
    "CREATE TABLE IF NOT EXISTS books (id INTEGER PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL, is_read INTEGER NOT NULL)",
  );
  return client;
}

const database = () => (opened ??= open());

function bookOf(row: Row): Book {
  return { id: Number(row.id), title: String(row.title), author: String(row.author), isRead: Number(row.is_read) === 1 };
}

// The newest first.
export async function listBooks(): Promise<Book[]> {
  const { rows } = await (await database()).execute("SELECT * FROM books ORDER BY id DESC");
  return rows.map(bookOf);
}

export async function findBook(id: number): Promise<Book | undefined> {
  const { rows } = await (await database()).execute({ sql: "SELECT * FROM books WHERE id = ?", args: [id] });
  return rows.length ? bookOf(rows[0]) : undefined;
}

export async function addBook({ title, author, isRead }: BookValues): Promise<Book> {
  const sql = "INSERT INTO books (title, author, is_read) VALUES (?, ?, ?) RETURNING *";
  const { rows } = await (await database()).execute({ sql, args: [title, author, isRead ? 1 : 0] });
  return bookOf(rows[0]);
}

export async function changeBook(id: number, values: Partial<BookValues>): Promise<Book | undefined> {
  for (const [name, column] of Object.entries(columns)) {
    const value = values[name as keyof BookValues];
    if (value === undefined) continue;
    await (await database()).execute({ sql: `UPDATE books SET ${column} = ? WHERE id = ?`, args: [typeof value === "boolean" ? Number(value) : value, id] });
  }
  return findBook(id);
}

export async function removeBook(id: number): Promise<boolean> {
  const { rowsAffected } = await (await database()).execute({ sql: "DELETE FROM books WHERE id = ?", args: [id] });
  return rowsAffected > 0;
}
