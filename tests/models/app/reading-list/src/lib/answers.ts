// Answers that several routes give.
export const notFound = () => Response.json({ error: "not_found" }, { status: 404 });
export const invalid = (fields: Record<string, string>) => Response.json({ error: "validation", fields }, { status: 400 });
export const badJson = () => Response.json({ error: "bad_json" }, { status: 400 });

// The JSON object that a request brings, or nothing.
export async function bodyOf(request: Request): Promise<Record<string, unknown> | undefined> {
  const body: unknown = await request.json().catch(() => undefined);
  return typeof body === "object" && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : undefined;
}
