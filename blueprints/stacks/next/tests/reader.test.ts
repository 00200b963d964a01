import assert from "node:assert/strict";
import test from "node:test";
import { ValidationFault } from "../src/lib/faults";
import { Reader, type Body } from "../src/lib/reader";
import { asBoolean, asCents, asNumber, asTags, bodyFromTexts } from "../src/lib/texts";

/** What is wrong with a body, by field. */
function faultsOf(body: Body, read: (reader: Reader) => void): Record<string, string> {
  const reader = new Reader(body);
  read(reader);
  try {
    reader.done();
  } catch (error) {
    if (error instanceof ValidationFault) return error.fields;
    throw error;
  }
  return {};
}

test("a missing value is refused only where it is required", () => {
  const read = (reader: Reader) => {
    reader.text("title", "Title", { required: true });
    reader.text("note", "Note", {});
  };
  assert.deepEqual(faultsOf({}, read), { title: "Title is required" });
  assert.deepEqual(faultsOf({ title: "  " }, read), { title: "Title is required" });
  assert.deepEqual(faultsOf({ title: "A" }, read), {});
});

test("texts are trimmed and have a longest length", () => {
  assert.equal(new Reader({ title: " A " }).text("title", "Title", { required: true }), "A");
  assert.deepEqual(faultsOf({ title: "abcd" }, (reader) => reader.text("title", "Title", { max: 3 })), { title: "Title must be at most 3 characters" });
  assert.deepEqual(faultsOf({ title: 5 }, (reader) => reader.text("title", "Title", {})), { title: "Title must be text" });
});

test("numbers keep their kind and bounds", () => {
  const read = (reader: Reader) => reader.integer("count", "Count", { min: 1, max: 9 });
  assert.deepEqual(faultsOf({ count: 1.5 }, read), { count: "Count must be a whole number" });
  assert.deepEqual(faultsOf({ count: "4" }, read), { count: "Count must be a whole number" });
  assert.deepEqual(faultsOf({ count: 0 }, read), { count: "Count must be at least 1" });
  assert.deepEqual(faultsOf({ count: 10 }, read), { count: "Count must be at most 9" });
  assert.deepEqual(faultsOf({ price: -1 }, (reader) => reader.money("price", "Price", { min: 0 })), { price: "Price must be at least 0.00" });
});

test("dates, times and instants must exist", () => {
  assert.deepEqual(faultsOf({ on: "2026-02-30" }, (reader) => reader.date("on", "On", {})), { on: "On must be a date" });
  assert.deepEqual(faultsOf({ at: "25:00" }, (reader) => reader.time("at", "At", {})), { at: "At must be a time such as 09:30" });
  assert.deepEqual(faultsOf({ at: "soon" }, (reader) => reader.datetime("at", "At", {})), { at: "At must be a date and time" });
  assert.equal(new Reader({ at: "2026-03-02T10:00:00+02:00" }).datetime("at", "At", {}), "2026-03-02T08:00:00.000Z");
});

test("addresses are checked", () => {
  assert.deepEqual(faultsOf({ email: "nobody" }, (reader) => reader.email("email", "Email", {})), { email: "Email must be an email address" });
  assert.deepEqual(faultsOf({ site: "javascript:alert(1)" }, (reader) => reader.url("site", "Site", {})), { site: "Site must be a web address" });
});

test("a choice is one of its values, or its default", () => {
  const choices = [{ value: "a" }, { value: "b" }] as const;
  assert.deepEqual(faultsOf({ kind: "c" }, (reader) => reader.choice("kind", "Kind", choices, {})), { kind: "Kind must be one of a, b" });
  assert.equal(new Reader({}).choice("kind", "Kind", choices, { required: true, default: "b" }), "b");
});

test("a change keeps what it does not name", () => {
  const reader = new Reader({ note: null }, { title: "Kept", note: "Old" });
  assert.equal(reader.text("title", "Title", { required: true }), "Kept");
  assert.equal(reader.text("note", "Note", {}), null);
  reader.done();
});

test("texts of a form become values, and stay texts where they do not fit", () => {
  const converters = { count: asNumber, price: asCents, done: asBoolean, tags: asTags };
  const body = bodyFromTexts({ count: "4", price: "12.50", done: "true", tags: "a, b,", other: "x" }, converters);
  assert.deepEqual(body, { count: 4, price: 1250, done: true, tags: ["a", "b"] });
  assert.deepEqual(bodyFromTexts({ count: "four" }, converters), { count: "four" });
});
