// health: the one answer without an envelope and without a key.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { refused, shape } from './expect.mjs'
import { cleanEnv, Server } from './lib.mjs'

let server
// Whether there is a fence depends on the machine; who does without on purpose need not be told.
before(async () => (server = await Server.start({ args: ['--sandbox', 'off'] })))
after(() => server.remove())

const components = { database: 'healthy', redis: 'healthy', workers: 'healthy' }
const backends = { database: 'sqlite', redis: 'memory', workers: 'embedded' }

for (const path of ['/health', '/v1/health']) {
  test(`${path} answers without a key`, async () => {
    const response = await server.fetch(path, { headers: { authorization: undefined } })
    assert.equal(response.status, 200)
    assert.match(response.headers.get('content-type'), /^application\/json/)
    shape(await response.json(), { status: 'healthy', version: '1.0.0', components, backends, reasons: [] })
  })

  test(`${path} does not mind a wrong key`, async () => {
    const response = await server.fetch(path, { headers: { authorization: 'Bearer nonsense' } })
    assert.equal(response.status, 200)
  })

  test(`${path} answers HEAD with the headers alone`, async () => {
    const response = await server.fetch(path, { method: 'HEAD' })
    assert.equal(response.status, 200)
    assert.match(response.headers.get('content-type'), /^application\/json/)
    assert.equal(await response.text(), '')
  })
}

test('/v1/health allows nothing but to read', async () => {
  const answer = await server.call('POST', '/health', {})
  refused(answer, 405)
  assert.equal(answer.headers.get('allow'), 'GET, HEAD, OPTIONS')
})

test('without workers it is degraded, and says so', async (t) => {
  const idle = await Server.start({ args: ['--workers', '0', '--sandbox', 'off'] })
  t.after(() => idle.remove())
  const response = await idle.fetch('/health')
  assert.equal(response.status, 200)
  shape(await response.json(), {
    status: 'degraded',
    version: '1.0.0',
    components: { ...components, workers: 'degraded' },
    backends,
    reasons: ['No worker runs: builds, exports and deployments wait'],
  })
})

test('without bubblewrap it works, and says so; or does not start, where it must have it', async (t) => {
  const bin = await mkdtemp(join(tmpdir(), 'prazium-flow-bin-'))
  t.after(() => rm(bin, { recursive: true, force: true }))
  const { PATH } = process.env
  t.after(() => (cleanEnv.PATH = PATH))
  cleanEnv.PATH = bin
  const bare = await Server.start()
  t.after(() => bare.remove())
  const health = await (await bare.fetch('/health')).json()
  const said = 'What is built and run is not fenced in: bubblewrap is not installed'
  assert.deepEqual([health.status, health.reasons], ['healthy', [said]])
  assert.match(bare.log, /what is built and run is not fenced in.*bubblewrap is not installed/)
  await assert.rejects(Server.start({ args: ['--sandbox', 'bwrap'] }), /--sandbox bwrap: commands cannot be fenced: bubblewrap is not installed/)
})
