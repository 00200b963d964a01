// streams: many readers of a finished run's events, beside Fastify writing the same bytes out of memory.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { freePort, load, loads, output, peerCommand, serve, servePrazium } from './process.mjs'

const READERS = 500
const ROUNDS = 3

async function blocksOf(server, path) {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers: { authorization: `Bearer ${server.key}` } })
  const text = await response.text()
  return text
    .split('\n\n')
    .slice(0, -1)
    .map((block) => `${block}\n\n`)
}

export async function measureStreams(folder, { data, path: run, events }) {
  const path = `/v1${run}/events/stream`
  const prazium = await servePrazium(data, 0)
  const seedPath = join(folder, 'seed.json')
  const seed = JSON.parse(await readFile(seedPath, 'utf8'))
  await writeFile(seedPath, JSON.stringify({ ...seed, blocks: await blocksOf(prazium, path) }))
  const port = await freePort()
  const peer = await serve(peerCommand(port, folder), port, 0)
  peer.key = 'pzm_peer'
  const servers = [prazium, peer]
  const readers = new URL('readers.mjs', import.meta.url).pathname
  for (const server of servers) {
    await output([process.execPath, readers, server.port, path, server.key, READERS, events].map(String), { core: 1 })
    await load(server, path, { clients: READERS, seconds: 1 })
  }
  const measured = await loads(servers, ROUNDS, (server) => load(server, path, { clients: READERS, seconds: 2 }))
  for (const server of servers) await server.stop()
  const [ours, theirs] = measured.map(({ rate, p50, p99 }) => ({ rate: rate * events, p50, p99 }))
  return { readers: READERS, events, prazium: ours, peer: theirs }
}
