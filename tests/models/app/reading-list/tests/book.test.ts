import assert from "node:assert/strict";
import { test } from "node:test";
import { checkChange, checkNew } from "../src/lib/book";

test("a new book needs a title and an author", () => {
  assert.deepEqual(checkNew({}), { fields: { title: "Title is required", author: "Author is required" } });
  assert.deepEqual(checkNew({ title: " Emma ", author: "Jane Austen" }), { values: { title: "Emma", author: "Jane Austen", isRead: false } });
});

test("a change says only what it changes", () => {
  assert.deepEqual(checkChange({ isRead: true }), { values: { isRead: true } });
  assert.deepEqual(checkChange({ isRead: "yes" }), { fields: { isRead: "Read must be true or false" } });
  assert.deepEqual(checkChange({ title: "x".repeat(201) }), { fields: { title: "Title must be at most 200 characters" } });
});
