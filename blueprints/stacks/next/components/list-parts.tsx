// What goes around the rows of a list: headings that sort, pages, and the lists of related rows.

import Link from "next/link";
import { formatDate, plural } from "@/lib/format";
import { optionOf, type Option } from "@/lib/options";
import type { Page } from "@/lib/paging";
import { Icon } from "./icon";
import { LocalTime } from "./local-time";

function withParams(path: string, params: URLSearchParams, changes: Record<string, string>): string {
  const next = new URLSearchParams(params);
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  return next.size > 0 ? `${path}?${next}` : path;
}

interface SortHeadingProps {
  path: string;
  params: URLSearchParams;
  name: string;
  label: string;
  numeric?: boolean;
}

export function SortHeading({ path, params, name, label, numeric }: SortHeadingProps) {
  const sort = params.get("sort");
  const isUp = sort === name;
  const isDown = sort === `-${name}`;
  const next = isUp ? `-${name}` : isDown ? "" : name;
  return (
    <th scope="col" className={numeric ? "num" : undefined} aria-sort={isUp ? "ascending" : isDown ? "descending" : undefined}>
      <Link href={withParams(path, params, { sort: next, page: "" })} className="sort-link" scroll={false}>
        {label}
        <span aria-hidden="true">{isUp ? " ↑" : isDown ? " ↓" : ""}</span>
      </Link>
    </th>
  );
}

export function Pager({ path, params, page }: { path: string; params: URLSearchParams; page: Page<unknown> }) {
  const last = Math.max(1, Math.ceil(page.total / page.pageSize));
  if (last === 1) return null;
  const from = (page.page - 1) * page.pageSize + 1;
  const link = (to: number, label: string, isThere: boolean) =>
    isThere ? (
      <Link className="button" href={withParams(path, params, { page: String(to) })}>
        {label}
      </Link>
    ) : (
      <span className="button" aria-disabled="true">
        {label}
      </span>
    );
  return (
    <nav className="pager" aria-label="Pages">
      <span className="muted">
        {from}–{Math.min(from + page.items.length - 1, page.total)} of {page.total}
      </span>
      {link(page.page - 1, "Previous", page.page > 1)}
      {link(page.page + 1, "Next", page.page < last)}
    </nav>
  );
}

interface RelatedItem {
  id: number;
  title: string;
  status: string | null;
  date: string | null;
}

interface RelatedProps {
  title: string;
  slug: string;
  /** The row that these refer to, and the field they do it by; without it they are simply the latest. */
  of?: { field: string; id: number };
  list: { items: RelatedItem[]; total: number };
  statuses: readonly Option[];
  one: string;
  many: string;
  canAdd: boolean;
}

export function RelatedRows({ title, slug, of, list, statuses, one, many, canAdd }: RelatedProps) {
  const query = of ? `?${of.field}=${of.id}` : "";
  const status = (item: RelatedItem) => optionOf(statuses, item.status);
  return (
    <section className="card related" aria-label={title}>
      <header className="card-header">
        <h2>{title}</h2>
        <span className="count">{list.total}</span>
        {canAdd && (
          <Link className="button small" href={`/${slug}/new${query}`} aria-label={`Add ${one}`}>
            <Icon name="plus" />
            Add
          </Link>
        )}
      </header>
      {list.items.length === 0 ? (
        <p className="muted card-note">No {many} yet.</p>
      ) : (
        <ul className="rows">
          {list.items.map((item) => (
            <li key={item.id}>
              <Link href={`/${slug}/${item.id}`} className="row-link">
                <span className="row-title">{item.title}</span>
                {status(item) && <span className={`badge tone-${status(item)!.tone}`}>{status(item)!.label}</span>}
                {item.date && <span className="muted">{item.date.includes("T") ? <LocalTime value={item.date} /> : formatDate(item.date)}</span>}
              </Link>
            </li>
          ))}
        </ul>
      )}
      {list.total > list.items.length && (
        <Link className="card-more" href={`/${slug}${query}`}>
          All {plural(list.total, one, many)}
        </Link>
      )}
    </section>
  );
}
