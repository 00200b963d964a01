import { addBook, listBooks } from "@/db/books";
import { badJson, bodyOf, invalid } from "@/lib/answers";
import { checkNew } from "@/lib/book";

export const dynamic = "force-dynamic";

export async function GET() {
  const items = await listBooks();
  return Response.json({ items, total: items.length });
}

export async function POST(request: Request) {
  const body = await bodyOf(request);
  if (!body) return badJson();
  const checked = checkNew(body);
  return "fields" in checked ? invalid(checked.fields) : Response.json(await addBook(checked.values), { status: 201 });
}
