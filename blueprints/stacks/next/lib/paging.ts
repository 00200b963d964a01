// What a list is asked for, and what it answers.

export const PAGE_SIZE = 20;

export interface ListQuery {
  q?: string;
  page?: number;
  pageSize?: number;
  /** Values to match exactly, by field name. */
  filters?: Record<string, string>;
  /** Only rows that carry a flag. */
  flag?: boolean;
  /** A field name, with a leading "-" for descending. */
  sort?: string;
}

export interface Page<T> {
  items: T[];
  total: number;
  page: number;
  pageSize: number;
}

export type SearchParams = Promise<Record<string, string | string[] | undefined>>;

/** Reads a list's query from an address; only the fields named can be filtered by. */
export function listQuery(params: URLSearchParams, filterable: readonly string[]): Required<ListQuery> {
  const filters: Record<string, string> = {};
  for (const name of filterable) {
    const value = params.get(name);
    if (value) filters[name] = value;
  }
  const page = Number.parseInt(params.get("page") ?? "1", 10);
  return {
    q: (params.get("q") ?? "").trim().slice(0, 200),
    page: Number.isSafeInteger(page) && page > 0 ? Math.min(page, 1_000_000) : 1,
    pageSize: PAGE_SIZE,
    filters,
    flag: params.get("flag") === "1",
    sort: params.get("sort") ?? "",
  };
}

export async function readSearchParams(searchParams: SearchParams): Promise<URLSearchParams> {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(await searchParams)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) params.set(name, first);
  }
  return params;
}

/** A row's id from an address, or null for what cannot be one. */
export function readId(text: string): number | null {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}
