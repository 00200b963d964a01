// auth: who may ask, for every endpoint, and that accounts do not see each other.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { join } from 'node:path'
import { needsKey, page, refused, sameNotFound, success } from './expect.mjs'
import { Server } from './lib.mjs'
import { prazium, sha256 } from './programs.mjs'

let server, project
before(async () => {
  server = await Server.start({ args: ['--workers', '0'] })
  project = await server.plannedProject()
})
after(() => server.remove())

const id = (prefix) => `${prefix}_01h455vb4pex5vsknk084sn02q`
const run = `/projects/:project/runs/${id('run')}`
const endpoints = [
  ['GET', '/projects'],
  ['POST', '/projects'],
  ['GET', '/projects/:project'],
  ['PATCH', '/projects/:project'],
  ['DELETE', '/projects/:project'],
  ['POST', '/projects/:project/clarify'],
  ['POST', '/projects/:project/answers'],
  ['POST', '/projects/:project/approve'],
  ['POST', '/projects/:project/regenerate'],
  ['POST', '/projects/:project/runs'],
  ['GET', '/projects/:project/runs'],
  ['GET', run],
  ['POST', `${run}/cancel`],
  ['POST', `${run}/retry`],
  ['GET', `${run}/tasks`],
  ['GET', `${run}/tasks/${id('task')}`],
  ['GET', `${run}/events`],
  ['GET', `${run}/events/stream`],
  ['POST', '/projects/:project/export'],
  ['GET', `/projects/:project/exports/${id('exp')}`],
  ['GET', `/projects/:project/exports/${id('exp')}/download`],
  ['POST', '/projects/:project/deploy'],
  ['GET', `/projects/:project/deployments/${id('dep')}`],
  ['GET', '/projects/:project/files'],
  ['GET', '/projects/:project/files/package.json'],
]

for (const [method, path] of endpoints) {
  test(`${method} ${path} needs a key`, async () => {
    await needsKey(server, method, path.replace(':project', project.id), method === 'GET' ? undefined : {})
    assert.equal((await server.get(`/projects/${project.id}`)).status, 'spec_review', 'and nothing was done')
  })
}

test('the scheme is of any case, the key is not', async () => {
  success({ ...(await server.call('GET', `/projects/${project.id}`, undefined, { authorization: `bearer ${server.key}` })) })
  refused(await server.call('GET', '/projects', undefined, { authorization: `Bearer ${server.key.toUpperCase()}` }), 401)
  refused(await server.call('GET', '/projects', undefined, { authorization: `Bearer ${server.key}x` }), 401)
  refused(await server.call('GET', '/projects', undefined, { authorization: `Bearer ${server.key.slice(0, -1)}` }), 401)
})

test('a refusal comes before the body is read, and before what is not there', async () => {
  const authorization = 'Bearer pzm_wrong'
  refused(await server.call('POST', '/projects', '{"broken', { authorization }), 401)
  refused(await server.call('GET', `/projects/${id('proj')}`, undefined, { authorization }), 401)
})

test('a key made on the command line works at once, and no more once it is revoked', async () => {
  const made = await prazium(['key', 'create', '--name', 'robot', '--data', server.data])
  assert.equal(made.code, 0, made.stderr)
  assert.match(made.stdout, /^pzm_[0-9a-z]{38}\n$/)
  const authorization = `Bearer ${made.stdout.trim()}`
  page(await server.call('GET', '/projects', undefined, { authorization }), { total: 1 })

  const listed = await prazium(['key', 'list', '--data', server.data])
  assert.equal(listed.code, 0, listed.stderr)
  assert.ok(!listed.stdout.includes(made.stdout.trim()), 'keys are shown once')
  const line = listed.stdout.split('\n').find((text) => text.endsWith('robot'))
  assert.match(line, /^key_\S+ {2}…\S{4} {2}member {2}live/)
  assert.equal(line.split('…')[1].slice(0, 4), made.stdout.trim().slice(-4))

  const revoked = await prazium(['key', 'revoke', line.split(' ')[0], '--data', server.data])
  assert.equal(revoked.code, 0, revoked.stderr)
  refused(await server.call('GET', '/projects', undefined, { authorization }), 401)
  page(await server.call('GET', '/projects'), { total: 1 })

  const again = await prazium(['key', 'revoke', line.split(' ')[0], '--data', server.data])
  assert.equal(again.code, 4, 'there is no such live key any more')
  assert.match((await prazium(['key', 'list', '--data', server.data])).stdout, /member {2}revoked/)
})

test("another account's projects are not there", async () => {
  const other = await server.tenant()
  page(await other.call('GET', '/projects'), { total: 0 })
  for (const [method, path] of endpoints.filter(([, at]) => at.includes(':project'))) {
    await sameNotFound(other, method, [path.replace(':project', project.id), path.replace(':project', id('proj'))], bodyFor(method, path))
  }
  const mine = await server.get(`/projects/${project.id}`)
  assert.equal(mine.status, 'spec_review')
  assert.equal(mine.name, 'Flow')
})

function bodyFor(method, path) {
  if (method === 'PATCH') return { name: 'Stolen' }
  if (path.endsWith('/answers')) return { answers: [] }
  if (path.endsWith('/deploy')) return { provider: 'local' }
  return undefined
}
