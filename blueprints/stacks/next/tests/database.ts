// Gives a test file a database of its own. Imported before anything that opens one.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

const folder = mkdtempSync(join(tmpdir(), "app-test-"));
process.env.DATABASE_PATH = join(folder, "app.db");
process.env.UPLOADS_PATH = join(folder, "uploads");

after(() => rmSync(folder, { recursive: true, force: true }));
