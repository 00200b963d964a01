// peer PORT [FOLDER]: Fastify on 127.0.0.1. With a FOLDER the routes that are measured, over SQLite with the same
// durability, and whatever seed.json there brings. Where there is a choice it is made in the peer's favour: answers are
// put together as text, statements are prepared once, and there is no journal to write; the search index is filled
// for the search alone.
import Fastify from 'fastify'
import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const [port, folder] = process.argv.slice(2)
const run = promisify(execFile)
const app = Fastify()

app.get('/health', () => ({ status: 'healthy', version: '1.0.0', components: { database: 'healthy', redis: 'healthy', workers: 'healthy' } }))
if (folder) await addRoutes()
await app.listen({ port: Number(port), host: '127.0.0.1' })
process.on('SIGTERM', () => process.exit(0))

async function openDatabase() {
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(join(folder, 'peer.db'))
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS api_key (hash TEXT PRIMARY KEY, account TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS project (id TEXT PRIMARY KEY, account TEXT NOT NULL, name TEXT NOT NULL,
      description TEXT NOT NULL, status TEXT NOT NULL, repo_path TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
    CREATE VIRTUAL TABLE IF NOT EXISTS project_text USING fts5 (name, description, content='project', prefix='2 3');
    CREATE TABLE IF NOT EXISTS spec (project TEXT PRIMARY KEY, json TEXT NOT NULL);`)
  return db
}

async function addRoutes() {
  const db = await openDatabase()
  const seed = existsSync(join(folder, 'seed.json')) ? JSON.parse(readFileSync(join(folder, 'seed.json'), 'utf8')) : {}
  const findKey = db.prepare('SELECT account FROM api_key WHERE hash = ?')
  const insert = db.prepare('INSERT INTO project VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING')
  const find = db.prepare('SELECT * FROM project WHERE id = ? AND account = ?')
  const findSpec = db.prepare('SELECT json FROM spec WHERE project = ?')
  const update = db.prepare('UPDATE project SET name = ?, updated_at = ? WHERE id = ? AND account = ?')
  const sha256 = (text) => createHash('sha256').update(text).digest('hex')

  db.prepare('INSERT INTO api_key VALUES (?, ?) ON CONFLICT DO NOTHING').run(sha256('pzm_peer'), 'acct_peer')
  for (const p of seed.projects ?? []) {
    insert.run(p.id, 'acct_peer', p.name, p.description, p.status, p.repoPath, p.createdAt, p.updatedAt)
    if (p.spec) db.prepare('INSERT INTO spec VALUES (?, ?) ON CONFLICT DO NOTHING').run(p.id, JSON.stringify(p.spec))
  }

  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.url === '/health') return
    const [scheme, key] = (request.headers.authorization ?? '').split(' ')
    const row = scheme === 'Bearer' && findKey.get(sha256(key))
    if (!row) return reply.code(401).send({ success: false, error: { code: 'UNAUTHORIZED', message: 'The API key is not valid' } })
    request.account = row.account
  })

  const json = (reply, code, row, spec) => {
    const project = {
      id: row.id,
      name: row.name,
      description: row.description,
      status: row.status,
      repoPath: row.repo_path,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    }
    const text = JSON.stringify(project).slice(0, -1)
    return reply.code(code).type('application/json; charset=utf-8').send(`{"success":true,"data":${text},"spec":${spec ?? 'null'}}}`)
  }

  app.get('/v1/projects/:id', (request, reply) => {
    const row = find.get(request.params.id, request.account)
    if (!row) return reply.code(404).send({ success: false, error: { code: 'NOT_FOUND', message: 'Project not found' } })
    return json(reply, 200, row, row.status === 'draft' ? undefined : findSpec.get(row.id)?.json)
  })

  // The newest 20 that have a word with this beginning, and how many there are.
  const page = (found) => [
    db.prepare(`SELECT COUNT(*) AS total FROM project p WHERE account = ?1 AND ${found}`),
    db.prepare(`SELECT id, name, description, status, created_at, updated_at FROM project p WHERE account = ?1 AND ${found} ORDER BY id DESC LIMIT 20`),
  ]
  const matching = page('p.rowid IN (SELECT rowid FROM project_text WHERE project_text MATCH ?2)')
  const scanning = page("(' ' || name || ' ' || description LIKE ?2)")
  app.get('/v1/projects', (request, reply) => {
    const { search, by } = request.query
    const [total, rows] = by === 'like' ? scanning : matching
    const what = by === 'like' ? `% ${search}%` : `"${search}"*`
    const data = rows.all(request.account, what).map((row) => ({
      id: row.id,
      name: row.name,
      description: row.description,
      status: row.status,
      latestRun: null,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    }))
    const found = total.get(request.account, what).total
    return reply.send({ success: true, data, pagination: { page: 1, pageSize: 20, total: found, totalPages: Math.ceil(found / 20) } })
  })

  const text = { type: 'string', minLength: 1, maxLength: 20000 }
  const created = { type: 'object', required: ['name', 'description'], additionalProperties: false, properties: { name: text, description: text } }
  app.post('/v1/projects', { schema: { body: created } }, async (request, reply) => {
    const now = new Date().toISOString()
    const id = `proj_${randomUUID()}`
    const path = join(folder, 'repos', `${id}.git`)
    await run('git', ['init', '--quiet', '--bare', path])
    const { name, description } = request.body
    insert.run(id, request.account, name, description, 'draft', path, now, now)
    return json(reply, 201, { id, name, description, status: 'draft', repo_path: path, created_at: now, updated_at: now })
  })

  app.patch('/v1/projects/:id', { schema: { body: { ...created, required: ['name'] } } }, (request, reply) => {
    const { changes } = update.run(request.body.name, new Date().toISOString(), request.params.id, request.account)
    if (!changes) return reply.code(404).send({ success: false, error: { code: 'NOT_FOUND', message: 'Project not found' } })
    return json(reply, 200, find.get(request.params.id, request.account))
  })

  app.get('/v1/projects/:id/runs/:run/events/stream', (request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    for (const block of seed.blocks) reply.raw.write(block)
    reply.raw.end()
  })
}
