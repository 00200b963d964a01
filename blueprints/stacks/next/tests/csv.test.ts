import assert from "node:assert/strict";
import test from "node:test";
import { parseCsv, writeCsv } from "../src/lib/csv";

test("what was written is read again", () => {
  const rows = [["name", "note"], ['The "best"', "one, two\nthree"], ["", "x"]];
  assert.deepEqual(parseCsv(writeCsv(rows)), rows);
});

test("line ends, empty lines and a byte order mark do not matter", () => {
  assert.deepEqual(parseCsv("\uFEFFa,b\n1,2\r\n\r\n3,4"), [["a", "b"], ["1", "2"], ["3", "4"]]);
});

test("a text that a spreadsheet would run is made harmless", () => {
  assert.equal(writeCsv([["=1+1", "-5", -5]]), "'=1+1,-5,-5\r\n");
});
