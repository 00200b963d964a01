// search: among 100,000 projects, for words that few and that half of them have: beside Fastify with SQLite, once by a full-text
// index of its own, once by LIKE.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { freePort, load, loads, output, peerCommand, peerNode, serve, servePrazium } from './process.mjs'

const PROJECTS = 100_000
const CLIENTS = 4
const ROUNDS = 3

const fill = (path, kind) => output([peerNode, new URL('fill.mjs', import.meta.url).pathname, path, kind, String(PROJECTS)])

export async function measureSearch(folder) {
  const own = join(folder, 'search')
  const data = join(own, 'data')
  await mkdir(own, { recursive: true })
  // Both make their tables first, and begin anew on what was filled in.
  const [first, second] = [await servePrazium(data, 0), await peerOf(own)]
  for (const server of [first, second]) await server.stop()
  await fill(join(data, 'prazium.db'), 'prazium')
  await fill(join(own, 'peer.db'), 'peer')
  const prazium = await servePrazium(data, 0)
  const peer = await peerOf(own)
  const like = { ...peer, suffix: '&by=like' }
  const servers = [prazium, peer, like]
  const results = { projects: PROJECTS, clients: CLIENTS }
  for (const [name, word] of Object.entries({ few: 'quin', half: 'board' })) {
    const path = (server) => `/v1/projects?search=${word}${server.suffix ?? ''}`
    const totals = []
    for (const server of servers) {
      const answer = await fetch(`http://127.0.0.1:${server.port}${path(server)}`, { headers: { authorization: `Bearer ${server.key}` } })
      const { data: rows, pagination } = await answer.json()
      totals.push(JSON.stringify([pagination.total, rows.map(({ id }) => id)]))
    }
    if (new Set(totals).size > 1) throw new Error(`${word}: they find different projects: ${totals}`)
    const [ours, theirs, scan] = await loads(servers, ROUNDS, (server) => load(server, path(server), { clients: CLIENTS, seconds: 3 }))
    results[name] = { found: JSON.parse(totals[0])[0], prazium: ours, peer: theirs, like: scan }
  }
  for (const server of [prazium, peer]) await server.stop()
  return results
}

async function peerOf(folder) {
  const port = await freePort()
  return Object.assign(await serve(peerCommand(port, folder), port, 0), { key: 'pzm_peer' })
}
