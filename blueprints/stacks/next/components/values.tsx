// How each kind of value is shown. A value that is not there is a dash.

import Link from "next/link";
import { formatDate, formatMinutes, formatMoney, formatNumber } from "@/lib/format";
import { optionOf, type FileInfo, type Option } from "@/lib/options";
import { Icon } from "./icon";

export { LocalTime as Instant } from "./local-time";

export function Badge({ options, value }: { options: readonly Option[]; value: string | null }) {
  const option = optionOf(options, value);
  return option ? <span className={`badge tone-${option.tone}`}>{option.label}</span> : <None />;
}

function None() {
  return (
    <span className="none" aria-label="None">
      –
    </span>
  );
}

export const Text = ({ value }: { value: string | null }) => (value ? <>{value}</> : <None />);
export const LongText = ({ value }: { value: string | null }) => (value ? <span className="long-text">{value}</span> : <None />);
export const Count = ({ value }: { value: number | null }) => (value === null ? <None /> : <span className="num">{formatNumber(value)}</span>);
export const Money = ({ value }: { value: number | null }) => (value === null ? <None /> : <span className="num">{formatMoney(value)}</span>);
export const Minutes = ({ value }: { value: number | null }) => (value === null ? <None /> : <span className="num">{formatMinutes(value)}</span>);
export const Day = ({ value }: { value: string | null }) => (value ? <time dateTime={value}>{formatDate(value)}</time> : <None />);
export const YesNo = ({ value }: { value: boolean }) => <span className={value ? "badge tone-success" : "badge tone-neutral"}>{value ? "Yes" : "No"}</span>;

export const Email = ({ value }: { value: string | null }) => (value ? <a href={`mailto:${value}`}>{value}</a> : <None />);
export const Phone = ({ value }: { value: string | null }) => (value ? <a href={`tel:${value.replace(/[^+\d]/g, "")}`}>{value}</a> : <None />);

export function WebLink({ value }: { value: string | null }) {
  if (!value) return <None />;
  return (
    <a href={value} rel="noreferrer noopener" target="_blank">
      {value.replace(/^https?:\/\/(www\.)?/, "").replace(/\/$/, "")}
    </a>
  );
}

export function Rating({ value }: { value: number | null }) {
  if (value === null) return <None />;
  return (
    <span className="rating" role="img" aria-label={`${value} of 5`}>
      {"★".repeat(value)}
      <span className="rating-rest">{"★".repeat(5 - value)}</span>
    </span>
  );
}

export function Tags({ value }: { value: string[] }) {
  if (value.length === 0) return <None />;
  return (
    <span className="tags">
      {value.map((tag) => (
        <span key={tag} className="tag">
          {tag}
        </span>
      ))}
    </span>
  );
}

export function Reference({ href, label }: { href: string; label: string | null }) {
  return label === null ? <None /> : <Link href={href}>{label}</Link>;
}

export function FileLink({ value }: { value: FileInfo | null }) {
  if (!value) return <None />;
  return (
    <a className="file-link" href={value.href}>
      <Icon name="file" />
      {value.name.replace(/^[0-9a-f]{18}-/, "")}
    </a>
  );
}

export function Flags({ value }: { value: string[] }) {
  return value.map((flag) => (
    <span key={flag} className="badge tone-warning">
      <Icon name="flag" />
      {flag}
    </span>
  ));
}
