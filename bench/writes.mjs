// writes: durable changes at several numbers of clients: a new project, which makes a repository, and a new name for one.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { freePort, load, loads, peerCommand, serve, servePrazium } from './process.mjs'

const ROUNDS = 3
const name = 'Bench'
const description = 'A project management tool with team collaboration features, task boards, and time tracking.'

export async function measureWrites(folder) {
  const own = join(folder, 'writes')
  await mkdir(join(own, 'repos'), { recursive: true })
  const prazium = await servePrazium(join(own, 'data'), 0)
  const port = await freePort()
  const peer = await serve(peerCommand(port, own), port, 0)
  peer.key = 'pzm_peer'
  const servers = [prazium, peer]
  for (const server of servers) {
    server.project = (await server.call('POST', '/projects', { name, description })).id
    await load(server, `/v1/projects/${server.project}`, { clients: 16, seconds: 1, method: 'PATCH', body: { name } })
  }
  const results = { create: {}, change: {} }
  for (const clients of [1, 16, 64]) {
    const options = { clients, seconds: 1 }
    const change = (server) => load(server, `/v1/projects/${server.project}`, { ...options, method: 'PATCH', body: { name } })
    const create = (server) => load(server, '/v1/projects', { ...options, method: 'POST', body: { name, description } })
    for (const [key, measure] of Object.entries({ change, create })) {
      const [ours, theirs] = await loads(servers, ROUNDS, measure)
      results[key][clients] = { prazium: ours, peer: theirs }
    }
  }
  for (const server of servers) await server.stop()
  return results
}
