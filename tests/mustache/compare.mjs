// compare: renders the same templates over the same data with npm's mustache and with the server's renderer.
// Usage: node compare.mjs RENDER VIEW FILES (programs of tests/tools). Needs `npm ci` here first.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import Mustache from "mustache";
import { cases } from "./cases.mjs";

const [renderTool, viewTool, filesTool] = process.argv.slice(2);
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const faults = [];
let count = 0;

function render(template, contexts, partial) {
  let context = new Mustache.Context(contexts[0]);
  for (const next of contexts.slice(1)) context = context.push(next);
  return new Mustache.Writer().render(template, context, partial);
}

function compare(name, expected, got) {
  count++;
  if (expected !== got) faults.push(`${name}\n  npm:  ${JSON.stringify(expected)}\n  here: ${JSON.stringify(got)}`);
}

function compareCases(list) {
  const results = JSON.parse(execFileSync(renderTool, { input: JSON.stringify(list), maxBuffer: 1 << 28, encoding: "utf8" }));
  list.forEach(({ template, contexts, partials }, index) => {
    let expected;
    try {
      expected = render(template, contexts, (name) => (Object.hasOwn(partials, name) ? partials[name] : undefined));
    } catch {
      expected = undefined; // both refuse it, each in its own words
    }
    compare(JSON.stringify({ template, contexts, partials }), expected, results[index].text);
  });
}

/** Templates put together at random from pieces that meet each other rarely in written ones. */
function randomCases(seed, total) {
  const next = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  const pieces = ["{{a}}", "{{{b}}}", "{{& c }}", "{{d.e}}", "{{.}}", "{{! note }}", "{{>p}}", "{{> q }}", "  ", "\t", " ", "\n", "\n", "\r\n",
    "text", "{", "}", "é", "{{=<% %>=}}<%a%><%={{ }}=%>", "{{list.0}}", "{{d.missing}}", "{{=| |=}}|b||={{ }}=|"];
  const sections = ["a", "list", "d", "none", "no", "d.e", "empty", "zero", "objects"];
  const body = (depth) => {
    let text = "";
    for (let i = next(6); i >= 0; i--) {
      if (depth > 0 && next(3) === 0) {
        const name = sections[next(sections.length)];
        text += `{{${"#^"[next(2)]}${name}}}${next(2) ? "\n" : ""}${body(depth - 1)}${next(2) ? "  " : ""}{{/${name}}}`;
      } else text += pieces[next(pieces.length)];
    }
    return text;
  };
  const data = { a: "A<&>", b: "\"b'/`=", c: 1.5, d: { e: "deep", a: "inner" }, list: [1, "two", false], no: false, empty: [], zero: 0,
    objects: [{ a: 1 }, { b: null }], f: true };
  const partials = { p: "p1 {{a}}\n  p2\n", q: "{{#list}}\n[{{.}}]\n{{/list}}" };
  return Array.from({ length: total }, () => ({ template: body(3), contexts: next(2) ? [data] : [data, { a: "top", d: { e: 2 } }], partials }));
}

/** The stack's own templates over the views of the example plans. */
function compareStack(planFile) {
  const folder = path.join(root, "blueprints/stacks/next");
  const stack = JSON.parse(fs.readFileSync(path.join(folder, "stack.json"), "utf8"));
  const out = fs.mkdtempSync(path.join(os.tmpdir(), "prazium-files-"));
  const view = JSON.parse(execFileSync(viewTool, [planFile], { maxBuffer: 1 << 28, encoding: "utf8" }));
  const parts = JSON.parse(execFileSync(filesTool, [planFile, out, path.join(root, "blueprints")], { maxBuffer: 1 << 28, encoding: "utf8" }));
  const partial = (name) => fs.readFileSync(path.join(folder, `${name}.mustache`), "utf8");
  for (const part of parts) {
    const { each, files } = stack.parts[part.kind];
    const subject = each && view[each].find((item) => part.id.endsWith(`:${item.slug}`));
    const contexts = subject ? [view, subject] : [view];
    const paths = new Map(files.map((file) => [render(file.path, contexts), file]));
    for (const name of part.paths) {
      const file = paths.get(name);
      const text = fs.readFileSync(path.join(folder, file.template), "utf8");
      compare(`${path.basename(planFile)}: ${name}`, file.copy ? text : render(text, contexts, partial), fs.readFileSync(path.join(out, name), "utf8"));
    }
  }
  fs.rmSync(out, { recursive: true });
}

compareCases(cases);
compareCases(randomCases(1, 4000));
const plans = path.join(root, "tests/data/plans");
for (const name of fs.readdirSync(plans).sort()) compareStack(path.join(plans, name));
for (const fault of faults.slice(0, 20)) console.error(fault);
console.log(`${count} texts compared, ${faults.length} differ`);
process.exit(faults.length ? 1 : 0);
