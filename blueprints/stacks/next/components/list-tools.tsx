"use client";

import { useRouter } from "next/navigation";
import { useTransition, type FormEvent } from "react";
import { Icon } from "./icon";

export interface Filter {
  name: string;
  label: string;
  options: { value: string; label: string }[];
}

interface Props {
  path: string;
  params: Record<string, string>;
  /** Whether there is text to search. */
  searchable: boolean;
  filters: Filter[];
  /** What a flagged row is called, where rows can be flagged. */
  flag?: string;
}

/** Search and filters of a list. A plain form, which a change of a filter submits by itself. */
export function ListTools({ path, params, searchable, filters, flag }: Props) {
  const router = useRouter();
  const [isPending, startTransition] = useTransition();

  const show = (form: HTMLFormElement) => {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && value) query.set(name, value);
    }
    startTransition(() => router.push(query.size > 0 ? `${path}?${query}` : path));
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    show(event.currentTarget);
  };

  const isNarrowed = Object.keys(params).some((name) => name !== "page" && name !== "sort");
  if (!searchable && filters.length === 0 && !flag) return null;
  return (
    <form className="list-tools" action={path} role="search" onSubmit={submit} aria-busy={isPending} key={JSON.stringify(params)}>
      {searchable && (
        <span className="search-box">
          <Icon name="search" />
          <input type="search" name="q" placeholder="Search" aria-label="Search" defaultValue={params.q ?? ""} />
        </span>
      )}
      {filters.map((filter) => (
        <select
          key={filter.name}
          name={filter.name}
          aria-label={filter.label}
          className={params[filter.name] ? "filter is-set" : "filter"}
          defaultValue={params[filter.name] ?? ""}
          onChange={(event) => show(event.currentTarget.form!)}
        >
          <option value="">{filter.label}</option>
          {filter.options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      ))}
      {flag && (
        <label className={params.flag ? "chip is-set" : "chip"}>
          <input type="checkbox" name="flag" value="1" defaultChecked={params.flag === "1"} onChange={(event) => show(event.currentTarget.form!)} />
          <Icon name="flag" />
          {flag}
        </label>
      )}
      {isNarrowed && (
        <button type="button" className="link-button" onClick={() => startTransition(() => router.push(path))}>
          Clear
        </button>
      )}
      <noscript>
        <button type="submit" className="button">
          Show
        </button>
      </noscript>
    </form>
  );
}
