// What every page has: a heading, and something to say when it is empty.

import Link from "next/link";
import type { ReactNode } from "react";
import { Icon, type IconName } from "./icon";

interface PageHeaderProps {
  title: ReactNode;
  /** Where the page belongs: a link back. */
  back?: { href: string; label: string };
  summary?: ReactNode;
  children?: ReactNode;
}

export function PageHeader({ title, back, summary, children }: PageHeaderProps) {
  return (
    <header className="page-header">
      <div className="page-title">
        {back && (
          <Link href={back.href} className="back-link">
            <Icon name="previous" />
            {back.label}
          </Link>
        )}
        <h1>{title}</h1>
        {summary && <p className="muted">{summary}</p>}
      </div>
      {children && <div className="actions">{children}</div>}
    </header>
  );
}

interface EmptyProps {
  icon?: IconName;
  title: string;
  children?: ReactNode;
}

export function Empty({ icon = "entity", title, children }: EmptyProps) {
  return (
    <div className="empty">
      <span className="empty-icon">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}
