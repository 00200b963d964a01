// start: from exec to the first answered GET /health, and the memory of a server that nobody asks anything.
import { readFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'

import { freePort, healthy, median, peerCommand, praziumCommand, sleep, start, stop } from './process.mjs'

const TIMES = 15

async function startOnce(command, port) {
  const began = performance.now()
  const child = start(command)
  await healthy(child, port)
  const elapsed = performance.now() - began
  await stop(child)
  return elapsed
}

const field = (text, name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)[1]) / 1024

async function memory(command, port) {
  const child = start(command)
  await healthy(child, port)
  await sleep(2000)
  const rss = field(readFileSync(`/proc/${child.pid}/status`, 'utf8'), 'VmRSS')
  const pss = field(readFileSync(`/proc/${child.pid}/smaps_rollup`, 'utf8'), 'Pss')
  await stop(child)
  return { rss, pss }
}

// Nothing is removed before all is measured: ext4 is slow to make files soon after many were deleted. The peer opens no database and has one route.
export async function measureStart(folder) {
  const existing = join(folder, 'existing')
  const port = await freePort()
  await startOnce(praziumCommand(port, existing), port)
  const times = { empty: [], existing: [], peer: [] }
  for (let i = 0; i < TIMES; i++) {
    const empty = await mkdtemp(join(folder, 'empty-'))
    times.empty.push(await startOnce(praziumCommand(port, empty), port))
    times.existing.push(await startOnce(praziumCommand(port, existing), port))
    times.peer.push(await startOnce(peerCommand(port), port))
  }
  return {
    empty_ms: median(times.empty),
    existing_ms: median(times.existing),
    peer_ms: median(times.peer),
    memory_mib: await memory(praziumCommand(port, existing), port),
    peer_memory_mib: await memory(peerCommand(port), port),
  }
}
