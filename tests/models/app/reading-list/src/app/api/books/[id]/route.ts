import { changeBook, findBook, removeBook } from "@/db/books";
import { badJson, bodyOf, invalid, notFound } from "@/lib/answers";
import { checkChange } from "@/lib/book";

export const dynamic = "force-dynamic";

type Context = { params: Promise<{ id: string }> };

async function idOf({ params }: Context): Promise<number> {
  const { id } = await params;
  return /^[1-9]\d{0,14}$/.test(id) ? Number(id) : 0;
}

export async function GET(_request: Request, context: Context) {
  const book = await findBook(await idOf(context));
  return book ? Response.json(book) : notFound();
}

export async function PATCH(request: Request, context: Context) {
  const body = await bodyOf(request);
  if (!body) return badJson();
  const checked = checkChange(body);
  if ("fields" in checked) return invalid(checked.fields);
  const book = await changeBook(await idOf(context), checked.values);
  return book ? Response.json(book) : notFound();
}

export async function DELETE(_request: Request, context: Context) {
  return (await removeBook(await idOf(context))) ? new Response(null, { status: 204 }) : notFound();
}
