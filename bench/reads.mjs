// reads: GET of a project with a bearer key, small and with its whole spec, beside Fastify with SQLite and, where it is
// installed, nginx with a file.
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { freePort, healthy, isPinned, load, loads, peerCommand, serve, servePrazium, start, stop } from './process.mjs'

const CLIENTS = 64
const ROUNDS = 3

async function serveFile(folder, projects, bodies) {
  const port = await freePort()
  const root = join(folder, 'nginx')
  await mkdir(join(root, 'v1', 'projects'), { recursive: true })
  await writeFile(join(root, 'health'), 'ok')
  for (const [index, project] of projects.entries()) await writeFile(join(root, 'v1', 'projects', project.id), bodies[index])
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${root}/temp;`)
  await writeFile(
    join(root, 'nginx.conf'),
    `${process.getuid() === 0 ? 'user root;' : ''}
    worker_processes 1; daemon off; pid ${root}/pid; error_log stderr error;
    events { worker_connections 1024; }
    http {
      access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; default_type application/json;
      open_file_cache max=10; ${paths.join(' ')}
      server { listen 127.0.0.1:${port} reuseport; root ${root}; }
    }`,
  )
  const child = start(['nginx', '-e', 'stderr', '-p', root, '-c', join(root, 'nginx.conf')], { core: 0 })
  await healthy(child, port)
  return { port, key: 'pzm_unused', stop: () => stop(child) }
}

export async function measureReads(folder, { data, plain, planned }) {
  const prazium = await servePrazium(data, 0)
  const peerPort = await freePort()
  const peer = await serve(peerCommand(peerPort, folder), peerPort, 0)
  peer.key = 'pzm_peer'
  const bodies = []
  for (const { id } of [plain, planned]) {
    const texts = []
    for (const server of [prazium, peer]) {
      const response = await fetch(`http://127.0.0.1:${server.port}/v1/projects/${id}`, { headers: { authorization: `Bearer ${server.key}` } })
      texts.push(await response.text())
    }
    const [ours, theirs] = texts.map((text) => JSON.stringify(JSON.parse(text).data.spec?.documents ?? null))
    if (ours !== theirs) throw new Error('the peer answers something else')
    bodies.push(texts[0])
  }
  const servers = [prazium, peer]
  if (process.env.PATH.split(':').some((part) => existsSync(join(part, 'nginx'))))
    servers.push(await serveFile(folder, [plain, planned], bodies))
  const results = {}
  for (const [index, name] of ['small', 'with_spec'].entries()) {
    const path = `/v1/projects/${[plain, planned][index].id}`
    for (const server of servers) await load(server, path, { clients: CLIENTS, seconds: 1 }) // compiles the peer's code
    const [ours, theirs, file] = await loads(servers, ROUNDS, (server) => load(server, path, { clients: CLIENTS, seconds: 2 }))
    results[name] = { bytes: Buffer.byteLength(bodies[index]), prazium: ours, peer: theirs, nginx: file }
  }
  for (const server of servers) await server.stop()
  return { clients: CLIENTS, is_pinned: isPinned, ...results }
}
