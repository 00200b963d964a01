// Turns what people type, in a form or a CSV file, into the values of a body. What does not fit is left as text,
// for the reader to refuse with a message.

import type { Body } from "./reader";

export type Texts = Record<string, string>;
type Converter = (text: string) => unknown;

export const asText: Converter = (text) => text;

export const asNumber: Converter = (text) => {
  const trimmed = text.trim().replace(",", ".");
  return trimmed !== "" && Number.isFinite(Number(trimmed)) ? Number(trimmed) : text;
};

/** "12.50" becomes 1250. */
export const asCents: Converter = (text) => {
  const value = asNumber(text);
  return typeof value === "number" ? Math.round(value * 100) : text;
};

export const asBoolean: Converter = (text) => {
  const word = text.trim().toLowerCase();
  if (["true", "yes", "1", "on"].includes(word)) return true;
  if (["false", "no", "0", "off", ""].includes(word)) return false;
  return text;
};

export const asTags: Converter = (text) => text.split(",").map((tag) => tag.trim()).filter(Boolean);

/** Converts the texts that are there; a field without a text stays out of the body. */
export function bodyFromTexts(texts: Texts, converters: Record<string, Converter>): Body {
  const body: Body = {};
  for (const [name, convert] of Object.entries(converters)) {
    if (Object.hasOwn(texts, name)) body[name] = convert(texts[name]);
  }
  return body;
}
