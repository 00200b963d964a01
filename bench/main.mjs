// main: all measurements in one run, one after the other; the table, and results.json.
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describeMachine } from './machine.mjs'
import { peerNode } from './process.mjs'
import { measureReads } from './reads.mjs'
import { measureRuns } from './runs.mjs'
import { measureSearch } from './search.mjs'
import { measureStart } from './start.mjs'
import { measureStreams } from './streams.mjs'
import { tableOf } from './table.mjs'
import { measureWrites } from './writes.mjs'

if (!peerNode) {
  console.error(`bench: there is no Node for the peers on ${process.arch}; see bench/package.json`)
  process.exit(1)
}

// On the disk that the project lies on: a /tmp in memory would make durable writes look cheap.
const build = new URL('../build/', import.meta.url).pathname
await mkdir(build, { recursive: true })
const folder = await mkdtemp(join(build, 'bench-'))
// However this ends: whoever still runs is killed before.
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }))
const interrupt = () => process.exit(130)
process.on('SIGINT', interrupt).on('SIGTERM', interrupt)

async function step(name, measure) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${name} …`)
  const result = await measure()
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  return result
}

const began = performance.now()
const machine = await step('machine', () => describeMachine(folder))
const start = await step('start', () => measureStart(folder))
const runs = await step('runs', () => measureRuns(folder))
const reads = await step('reads', () => measureReads(folder, runs))
const search = await step('search', () => measureSearch(folder))
const writes = await step('writes', () => measureWrites(folder))
const streams = await step('streams', () => measureStreams(folder, runs))
const seconds = (performance.now() - began) / 1000
const results = { time: new Date().toISOString(), seconds, machine, start, runs: runs.result, reads, search, writes, streams }
await writeFile(new URL('results.json', import.meta.url), JSON.stringify(results, null, 2) + '\n')
console.log(tableOf(results))
