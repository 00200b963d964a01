// Builds the condition of a list from what it was asked for.

import type { InValue } from "@libsql/client";

export class Where {
  private readonly conditions: string[] = [];
  readonly args: InValue[] = [];

  /** Every word must occur in one of the columns. */
  search(text: string | undefined, columns: readonly string[]): void {
    for (const word of (text ?? "").split(/\s+/).filter(Boolean)) {
      const pattern = `%${word.replace(/[\\%_]/g, "\\$&")}%`;
      this.add(columns.map((column) => `${column} LIKE ? ESCAPE '\\'`).join(" OR ") || "0", ...columns.map(() => pattern));
    }
  }

  equals(column: string, value: string | undefined): void {
    if (value !== undefined) this.add(`${column} = ?`, value);
  }

  /** `value` is a row's id, or "none". */
  refersTo(column: string, value: string | undefined): void {
    if (value === "none") this.add(`${column} IS NULL`);
    else if (value !== undefined) this.add(`${column} = ?`, /^\d{1,15}$/.test(value) ? Number(value) : -1);
  }

  isTrue(column: string, value: string | undefined): void {
    if (value !== undefined) this.add(`${column} = ?`, value === "true" || value === "1" ? 1 : 0);
  }

  add(condition: string, ...args: InValue[]): void {
    this.conditions.push(`(${condition})`);
    this.args.push(...args);
  }

  toString(): string {
    return this.conditions.length > 0 ? `WHERE ${this.conditions.join(" AND ")}` : "";
  }
}

/** The order of a list: by the field asked for, where the entity has it, else the newest first. */
export function orderBy(sort: string | undefined, columns: Record<string, string>): string {
  const descending = sort?.startsWith("-");
  const name = descending ? sort!.slice(1) : (sort ?? "");
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
  return column ? `ORDER BY ${column} ${descending ? "DESC" : "ASC"}, t."id" DESC` : `ORDER BY t."id" DESC`;
}
