// client: a TypeScript client generated from the OpenAPI document compiles, and drives the whole life of a build.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { printedDocument } from '../contract/document.mjs'
import { is } from './expect.mjs'
import { isDense, Server } from './lib.mjs'

const tools = new URL('../contract/', import.meta.url).pathname
const document = printedDocument()

let folder, server
before(async () => {
  folder = mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), 'prazium-client-'))
  server = await Server.start()
})
after(async () => {
  rmSync(folder, { recursive: true })
  await server.remove()
})

async function node(program, ...args) {
  const run = promisify(execFile)(process.execPath, [`${tools}node_modules/${program}`, ...args], { cwd: folder, timeout: 120_000, maxBuffer: 1 << 24 })
  const { stdout } = await run.catch((error) => assert.fail(`${program}: ${error.stdout}${error.stderr}`))
  return stdout
}

test('its types are generated, and hold in every strictness', async () => {
  symlinkSync(`${tools}node_modules`, join(folder, 'node_modules'))
  for (const name of ['life.ts', 'tsconfig.json']) copyFileSync(tools + name, join(folder, name))
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(document))
  await node('openapi-typescript/bin/cli.js', 'openapi.json', '--output', 'api.d.ts', '--default-non-nullable', 'false')
  assert.equal(await node('typescript/bin/tsc', '--project', '.'), '')
})

test('the compiler refuses what the document forbids', async () => {
  const lines = [
    "import createClient from 'openapi-fetch'",
    "import type { paths } from './api.js'",
    'const client = createClient<paths>({})',
    "await client.POST('/v1/projects', { body: { name: 'x' } })",
    "await client.POST('/v1/projects', { body: { name: 'x', description: 7 } })",
    "await client.GET('/v1/projects', { params: { query: { status: 'nonsense' } } })",
    "await client.GET('/v1/nothing')",
    "await client.DELETE('/v1/projects')",
  ]
  writeFileSync(join(folder, 'wrong.ts'), lines.join('\n'))
  const compiled = promisify(execFile)(process.execPath, [`${tools}node_modules/typescript/bin/tsc`, '--project', '.', '--noEmit'], { cwd: folder })
  const { stdout } = await compiled.catch((error) => error)
  rmSync(join(folder, 'wrong.ts'))
  assert.deepEqual([...new Set([...stdout.matchAll(/wrong\.ts\((\d+),/g)].map(([, line]) => Number(line)))], [4, 5, 6, 7, 8], stdout)
})

test('it drives the whole life of a build', async () => {
  const { default: life } = await import(pathToFileURL(join(folder, 'life.js')))
  const told = await life(server.url, server.key, document.components.schemas.EventType.enum)
  assert.equal(told.health, 'healthy')
  assert.ok(is.id('proj')(told.draft.id))
  assert.deepEqual(told.versions, [1, 2, 2])
  assert.deepEqual({ ...told.run, criteria: undefined }, { status: 'succeeded', error: null, trigger: 'api', criteria: undefined })
  assert.ok(told.run.criteria.length > 0 && told.run.criteria.every((status) => status === 'proven'))
  assert.ok(isDense(told.streamed.map(({ sequence }) => sequence)), 'neither hole nor double over the cut')
  assert.deepEqual(told.streamed, told.polled)
  assert.equal(told.task.status, 'succeeded')
  assert.ok(told.task.files.length > 0)
  assert.equal(told.export.status, 'completed')
  assert.equal(told.export.bytes, told.export.sizeBytes)
  assert.equal(told.export.name, 'attachment; filename="recipe-box-run-1.zip"')
  assert.equal(told.deployment.status, 'live', told.deployment.error)
  assert.equal((await fetch(told.deployment.url)).status, 200)
  assert.ok(told.entries.includes('package.json'))
  assert.equal(told.file.encoding, 'utf-8')
  assert.ok(told.file.content.length > 0)
  assert.deepEqual(told.listed, [told.draft.id])
  assert.equal(told.total, 1)
  assert.deepEqual(told.missing, { status: 404, code: 'NOT_FOUND' })
})
