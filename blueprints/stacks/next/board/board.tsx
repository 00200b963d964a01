"use client";

import Link from "next/link";
import { useRouter } from "next/navigation";
import { useOptimistic, useState, useTransition, type DragEvent, type ReactNode } from "react";
import { Icon } from "@/components/icon";
import type { Option } from "@/lib/options";

interface Card {
  id: number;
  title: string;
  column: string;
  facts: ReactNode;
}

interface Props {
  slug: string;
  /** The field that a card's column is kept in, and what it is called. */
  field: string;
  label: string;
  columns: Option[];
  cards: Card[];
  canMove: boolean;
}

/** Cards in columns. They are moved by dragging, or by the select on each card. */
export function Board({ slug, field, label, columns, cards, canMove }: Props) {
  const router = useRouter();
  const [, startTransition] = useTransition();
  const [shown, moveCard] = useOptimistic(cards, (current: Card[], moved: { id: number; column: string }) =>
    current.map((card) => (card.id === moved.id ? { ...card, column: moved.column } : card)),
  );
  const [over, setOver] = useState("");
  const [message, setMessage] = useState("");

  const move = (id: number, column: string) => {
    const card = shown.find((candidate) => candidate.id === id);
    if (!card || card.column === column) return;
    startTransition(async () => {
      moveCard({ id, column });
      const body = JSON.stringify({ [field]: column });
      const response = await fetch(`/api/${slug}/${id}`, { method: "PATCH", headers: { "content-type": "application/json" }, body }).catch(() => null);
      const answer = response?.ok ? null : await response?.json().catch(() => null);
      const fault = answer?.fields ? Object.values(answer.fields).join(" ") : "It could not be moved.";
      const target = columns.find((option) => option.value === column)?.label;
      setMessage(response?.ok ? `${card.title} moved to ${target}` : `${card.title}: ${fault}`);
      router.refresh();
    });
  };

  const drop = (event: DragEvent, column: string) => {
    event.preventDefault();
    setOver("");
    move(Number(event.dataTransfer.getData("text/plain")), column);
  };

  return (
    <>
      <p className="board-message" role="status">
        {message}
      </p>
      <div className="board" tabIndex={0} role="group" aria-label={`Columns by ${label}`}>
        {columns.map((column) => {
          const inColumn = shown.filter((card) => card.column === column.value);
          return (
            <section
              key={column.value}
              className={over === column.value ? "board-column is-over" : "board-column"}
              aria-label={column.label}
              onDragOver={(event) => {
                if (!canMove) return;
                event.preventDefault();
                setOver(column.value);
              }}
              onDragLeave={(event) => event.currentTarget.contains(event.relatedTarget as Node) || setOver("")}
              onDrop={(event) => drop(event, column.value)}
            >
              <header>
                <span className={`dot tone-${column.tone}`} aria-hidden="true" />
                <h2>{column.label}</h2>
                <span className="count">{inColumn.length}</span>
                {canMove && (
                  <Link className="icon-button" href={`/${slug}/new?${field}=${encodeURIComponent(column.value)}`} aria-label={`Add to ${column.label}`}>
                    <Icon name="plus" />
                  </Link>
                )}
              </header>
              <ul>
                {inColumn.map((card) => (
                  <li
                    key={card.id}
                    className="board-card card"
                    draggable={canMove}
                    onDragStart={(event) => event.dataTransfer.setData("text/plain", String(card.id))}
                  >
                    <Link href={`/${slug}/${card.id}`} draggable={false}>
                      {card.title}
                    </Link>
                    <div className="board-facts">{card.facts}</div>
                    {canMove && (
                      <select aria-label={`${label} of ${card.title}`} value={card.column} onChange={(event) => move(card.id, event.target.value)}>
                        {columns.map((option) => (
                          <option key={option.value} value={option.value}>
                            {option.label}
                          </option>
                        ))}
                      </select>
                    )}
                  </li>
                ))}
              </ul>
              {inColumn.length === 0 && <p className="board-empty">Nothing here</p>}
            </section>
          );
        })}
      </div>
    </>
  );
}
