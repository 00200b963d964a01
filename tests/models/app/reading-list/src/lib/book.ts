// What a book is, and what a request may say of one.
export type Book = { id: number; title: string; author: string; isRead: boolean };
export type BookValues = Omit<Book, "id">;
export type Checked<T> = { values: T } | { fields: Record<string, string> };

const longest = 200;

function text(label: string, value: unknown): { value?: string; fault?: string } {
  if (typeof value !== "string") return { fault: `${label} must be text` };
  const trimmed = value.trim();
  if (trimmed === "") return { fault: `${label} is required` };
  return trimmed.length > longest ? { fault: `${label} must be at most ${longest} characters` } : { value: trimmed };
}

// The members that are there, each checked.
export function checkChange(body: Record<string, unknown>): Checked<Partial<BookValues>> {
  const values: Partial<BookValues> = {};
  const fields: Record<string, string> = {};
  for (const [name, label] of [["title", "Title"], ["author", "Author"]] as const) {
    if (body[name] === undefined) continue;
    const { value, fault } = text(label, body[name]);
    if (fault) fields[name] = fault;
    else values[name] = value;
  }
  if (body.isRead !== undefined) {
    if (typeof body.isRead === "boolean") values.isRead = body.isRead;
    else fields.isRead = "Read must be true or false";
  }
  return Object.keys(fields).length ? { fields } : { values };
}

export function checkNew(body: Record<string, unknown>): Checked<BookValues> {
  const checked = checkChange({ ...body, title: body.title ?? "", author: body.author ?? "" });
  return "fields" in checked ? checked : { values: { isRead: false, ...checked.values } as BookValues };
}
