// durable: fifty clients write, the server is killed with kill -9 amid it: what it acknowledged is there, all of it and once, and
// nothing is half there.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Server } from './lib.mjs'
import { walked } from './pages.mjs'

const clients = 50
const rounds = 3
const description = 'A shopping list with items and a note for each item.'

// What a client was told, and what it asked for without an answer: either may be there, or not.
class Client {
  constructor(tenant, number) {
    Object.assign(this, { tenant, number, count: 0, projects: new Map(), keys: new Map(), open: undefined })
  }

  async ask(method, path, body, status, acknowledged) {
    this.open = { method, path, body }
    const answer = await this.tenant.call(method, path, body)
    assert.equal(answer.status, status, answer.text)
    acknowledged(answer.body.data)
    this.open = undefined
  }

  // One write after another, of each kind in turn; the names are of one time only.
  async writeOnce(round) {
    const name = `${round}-${this.number}-${this.count++}`
    const known = [...this.projects.keys()]
    const id = known[this.count % known.length]
    const isArchived = this.projects.get(id)?.isArchived
    const kind = known.length === 0 || isArchived ? 0 : this.count % 5
    if (kind === 0) return this.ask('POST', '/projects', { name, description }, 201, (made) => this.projects.set(made.id, { name }))
    if (kind === 1) return this.ask('PATCH', `/projects/${id}`, { name }, 200, () => (this.projects.get(id).name = name))
    if (kind === 2) return this.ask('POST', '/api-keys', { name }, 201, (made) => this.keys.set(made.id, { name, key: made.key }))
    if (kind === 3) return this.ask('POST', `/projects/${id}/clarify`, undefined, 200, () => (this.projects.get(id).isClarifying = true))
    return this.ask('DELETE', `/projects/${id}`, undefined, 200, () => (this.projects.get(id).isArchived = true))
  }
}

// Writes until the server is gone; whoever makes the number of all acknowledged writes full has it killed.
async function writeUntilKilled(server, all, round, kill) {
  await Promise.all(
    all.map(async (client) => {
      while (!kill.isDone) {
        try {
          await client.writeOnce(round)
        } catch (error) {
          if (!kill.isDone || error instanceof assert.AssertionError) throw error
          return
        }
        if (--kill.after === 0) {
          kill.isDone = true
          server.kill()
        }
      }
    }),
  )
  await server.exited
}

function checkProject(client, id, row) {
  const told = client.projects.get(id)
  const { open } = client
  assert.ok(row, `project ${id} was acknowledged and is gone`)
  const isOpen = open?.path.startsWith(`/projects/${id}`)
  const names = [told.name, ...(isOpen && open.method === 'PATCH' ? [open.body.name] : [])]
  assert.ok(names.includes(row.name), `${id} is called ${row.name}, not ${names}`)
  const states = told.isArchived ? ['archived'] : [told.isClarifying ? 'clarifying' : 'draft']
  if (isOpen && open.method === 'DELETE') states.push('archived')
  if (isOpen && open.path.endsWith('/clarify')) states.push('clarifying')
  assert.ok(states.includes(row.status), `${id} is ${row.status}, not ${states}`)
  // What took effect without an answer is so from now on.
  Object.assign(told, { name: row.name, isArchived: row.status === 'archived', isClarifying: row.status === 'clarifying' })
}

// Whatever is there was told, or is what the client was waiting for.
function checkUntold(clientOf, rows, told, path) {
  for (const row of rows) {
    if (told.has(row.id)) continue
    const client = clientOf(row.name)
    assert.deepEqual([client?.open?.method, client?.open?.path, client?.open?.body.name], ['POST', path, row.name], `${row.id} was made by nobody`)
    ;(path === '/projects' ? client.projects : client.keys).set(row.id, { name: row.name })
    client.open = undefined // once
  }
}

async function check(server, tenant, all) {
  const projects = [...(await walked(tenant, '/projects', 100)), ...(await walked(tenant, '/projects?status=archived', 100))]
  const keys = (await walked(tenant, '/api-keys', 100)).filter(({ name }) => name !== 'first key')
  const byId = new Map(projects.map((row) => [row.id, row]))
  assert.equal(byId.size, projects.length, 'nothing is listed twice')
  const clientOf = (name) => all[Number(name.split('-')[1])]
  for (const client of all) {
    for (const id of client.projects.keys()) checkProject(client, id, byId.get(id))
    for (const [id, { name, key }] of client.keys) {
      assert.ok(keys.some((row) => row.id === id && row.name === name), `key ${id} was acknowledged and is gone`)
      if (key) client.lastKey = key
    }
  }
  checkUntold(clientOf, projects, new Map(all.flatMap(({ projects: its }) => [...its])), '/projects')
  checkUntold(clientOf, keys, new Map(all.flatMap(({ keys: its }) => [...its])), '/api-keys')
  for (const client of all) client.open = undefined
  const { lastKey } = all.find((client) => client.lastKey)
  assert.ok((await server.as(lastKey).get('/auth/me')).apiKey)
  return projects
}

// No row without its repository, and, since a start sweeps, no repository without its row.
function checkFolders(server, projects) {
  const repositories = readdirSync(join(server.data, 'repos')).sort()
  assert.deepEqual(repositories, projects.map(({ id }) => `${id}.git`).sort())
  for (const name of repositories) assert.ok(existsSync(join(server.data, 'repos', name, 'HEAD')), `${name} is half made`)
}

async function checkWhole(server, projects) {
  for (const { id, status } of projects.filter((row) => row.status === 'clarifying').slice(0, 5)) {
    const whole = await server.get(`/projects/${id}`)
    assert.deepEqual([whole.status, whole.spec], [status, null])
  }
}

test('what was acknowledged survives kill -9, once and whole', { timeout: 120_000 }, async (t) => {
  const server = await Server.start({ args: ['--workers', '0'] })
  t.after(() => server.remove())
  const tenant = await server.tenant()
  const all = Array.from({ length: clients }, (_, number) => new Client(tenant, number))
  for (let round = 0; round < rounds; round++) {
    await writeUntilKilled(server, all, round, { after: 100 + Math.floor(Math.random() * 200), isDone: false })
    await server.restart()
    tenant.url = server.url
    const projects = await check(server, tenant, all)
    const found = execFileSync('sqlite3', [join(server.data, 'prazium.db'), 'PRAGMA integrity_check; PRAGMA foreign_key_check;'], { encoding: 'utf8' })
    assert.equal(found.trim(), 'ok')
    checkFolders(server, projects)
    await checkWhole(tenant, projects)
    assert.equal((await server.call('GET', '/health')).body.components.database, 'healthy')
  }
})
