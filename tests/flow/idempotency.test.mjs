// idempotency: a POST with an Idempotency-Key takes effect once, however often it is sent, and whatever happens to the server.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { operationsOf, printedDocument } from '../contract/document.mjs'
import { pathWithout } from '../contract/schema.mjs'
import { refused, success } from './expect.mjs'
import { Server } from './lib.mjs'

const description = 'A shopping list with items and a note for each item.'
const body = { name: 'Once', description }
const field = 'Idempotency-Key'
const keyed = (key) => ({ 'idempotency-key': key })
const isReplay = (answer) => answer.headers.get('idempotent-replayed') === 'true'

describe('a key', () => {
  let server
  before(async () => (server = await Server.start({ args: ['--workers', '0'] })))
  after(() => server.remove())

  const create = (who, key, what = body) => who.call('POST', '/projects', what, keyed(key))
  const names = async (who) => (await who.get('/projects?pageSize=100')).map(({ name }) => name)

  test('has the first answer given again, byte for byte', async () => {
    const tenant = await server.tenant()
    const key = randomUUID()
    const first = await create(tenant, key)
    success(first, 201)
    assert.ok(!isReplay(first))
    for (let i = 0; i < 3; i++) {
      const again = await create(tenant, key)
      assert.deepEqual([again.status, again.text, isReplay(again)], [201, first.text, true])
      assert.equal(again.headers.get('content-type'), first.headers.get('content-type'))
    }
    assert.deepEqual(await names(tenant), ['Once'])
    success(await create(tenant, randomUUID()), 201)
    assert.equal((await names(tenant)).length, 2)
  })

  test('belongs to one request: another path, query, body or role is refused', async () => {
    const key = randomUUID()
    const tenant = await server.tenant()
    success(await create(tenant, key), 201)
    refused(await create(tenant, key, { ...body, name: 'Twice' }), 409, field)
    refused(await tenant.call('POST', '/projects', `${JSON.stringify(body)} `, keyed(key)), 409, field)
    refused(await tenant.call('POST', '/api-keys', { name: 'Twice' }, keyed(key)), 409, field)
    refused(await tenant.call('POST', '/projects?x=1', body, keyed(key)), 409, field)
    assert.deepEqual(await names(tenant), ['Once'])

    const member = server.as((await server.post('/api-keys', { name: 'member' })).key)
    const admins = { name: 'root', role: 'admin' }
    success(await server.call('POST', '/api-keys', admins, keyed(key)), 201)
    refused(await member.call('POST', '/api-keys', admins, keyed(key)), 409, field)
  })

  test('belongs to one account', async () => {
    const key = randomUUID()
    const [one, two] = [await server.tenant(), await server.tenant()]
    const [a, b] = [success(await create(one, key), 201), success(await create(two, key), 201)]
    assert.notEqual(a.id, b.id)
    assert.ok(isReplay(await create(one, key)) && isReplay(await create(two, key)))
  })

  test('is 1 to 255 visible ASCII characters, given once', async () => {
    const tenant = await server.tenant()
    for (const key of ['', 'two words', 'x'.repeat(256), 'schl\u00fcssel', 'a, b']) refused(await create(tenant, key), 400, field)
    const head = `POST /v1/projects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tenant.key}\r\nContent-Type: application/json\r\nConnection: close\r\n`
    const text = JSON.stringify(body)
    const twice = await server.raw(`${head}Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: ${text.length}\r\n\r\n${text}`)
    assert.deepEqual([twice.status, twice.body.error.details.field], [400, field])
    assert.deepEqual(await names(tenant), [])
    for (const key of ['!', '~'.repeat(255), '"8e03978e"']) success(await create(tenant, key), 201)
  })

  test('is free again after a refusal', async () => {
    const key = randomUUID()
    const tenant = await server.tenant()
    refused(await create(tenant, key, { name: 'Once' }), 400, 'description')
    success(await create(tenant, key), 201)
    const runs = `/projects/${(await tenant.draft(description)).id}/runs`
    const other = randomUUID()
    refused(await tenant.call('POST', runs, undefined, keyed(other)), 409)
    refused(await tenant.call('POST', runs, undefined, keyed(other)), 409)
    const project = await tenant.approvedProject(description)
    success(await tenant.call('POST', `/projects/${project.id}/runs`, undefined, keyed(other)), 201)
  })

  test('means nothing to other methods', async () => {
    const key = randomUUID()
    const tenant = await server.tenant()
    const { id } = success(await create(tenant, key), 201)
    assert.equal(success(await tenant.call('PATCH', `/projects/${id}`, { name: 'A' }, keyed(key))).name, 'A')
    assert.equal(success(await tenant.call('PATCH', `/projects/${id}`, { name: 'B' }, keyed(key))).name, 'B')
    assert.equal(success(await tenant.call('GET', `/projects/${id}`, undefined, keyed('no key'))).name, 'B')
  })

  test('has twenty racing requests make one thing', async () => {
    const key = randomUUID()
    const tenant = await server.tenant()
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(tenant, key)))
    const made = answers.filter(({ status }) => status === 201)
    assert.equal(made.filter((answer) => !isReplay(answer)).length, 1)
    assert.equal(new Set(made.map(({ text }) => text)).size, 1)
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      refused(answer, 409, field)
      assert.equal(answer.headers.get('retry-after'), '1')
    }
    assert.deepEqual(await names(tenant), ['Once'])
    assert.equal((await create(tenant, key)).text, made[0].text)
  })

  test('shows a secret again to whoever has both, and keeps neither', async () => {
    const key = `idempotency-${randomUUID()}`
    const tenant = await server.tenant()
    const first = await tenant.call('POST', '/api-keys', { name: 'Secret' }, keyed(key))
    const again = await tenant.call('POST', '/api-keys', { name: 'Secret' }, keyed(key))
    assert.equal(again.text, first.text)
    const secret = success(first, 201).key
    assert.ok(Array.isArray(await server.as(secret).get('/projects')))
    assert.equal((await tenant.get('/api-keys')).filter(({ name }) => name === 'Secret').length, 1)
    for (const file of ['prazium.db', 'prazium.db-wal']) {
      const stored = readFileSync(join(server.data, file), 'latin1')
      for (const text of [secret, key]) assert.ok(!stored.includes(text), `${file} holds what is secret`)
    }
  })

  test('of planning: each step once, each answer again', async () => {
    const tenant = await server.tenant()
    const { id } = await tenant.draft(description)
    const step = async (rest, what, status = 200) => {
      const key = randomUUID()
      const answers = []
      for (let i = 0; i < 2; i++) answers.push(await tenant.call('POST', `/projects/${id}/${rest}`, what, keyed(key)))
      success(answers[0], status)
      assert.deepEqual([answers[1].status, answers[1].text, isReplay(answers[1])], [status, answers[0].text, true])
      return answers[0].body.data
    }
    const { questions } = await step('clarify')
    assert.ok(questions.length > 0)
    await step('answers', { answers: [] })
    assert.equal((await step('regenerate', { feedback: 'Add a due date to items.' })).spec.version, 2)
    assert.equal((await tenant.get(`/projects/${id}/specs`)).length, 2)
    await step('approve')
    const run = await step('runs', { trigger: 'api' }, 201)
    assert.equal((await tenant.get(`/projects/${id}/runs`)).length, 1)
    assert.equal((await tenant.get(`/projects/${id}/runs/${run.id}`)).status, 'decomposing')
  })

  test('of an account that is made', async () => {
    const key = randomUUID()
    const make = () => server.call('POST', '/admin/accounts', { name: 'Made once' }, keyed(key))
    const [first, again] = [await make(), await make()]
    success(first, 201)
    assert.equal(again.text, first.text)
  })
})

describe('every POST that asks who one is', () => {
  const document = printedDocument()
  const posts = operationsOf(document).filter(({ method, operation }) => method === 'post' && operation.security.length > 0)
  let server, used
  before(async () => {
    server = await Server.start({ args: ['--workers', '0'] })
    used = randomUUID()
    success(await server.call('POST', '/projects', { ...body, name: 'Used' }, keyed(used)), 201)
  })
  after(() => server.remove())

  for (const { path, operation, parameters } of posts) {
    const takes = parameters.some(({ name }) => name === field)
    const json = operation.requestBody?.content['application/json']
    if (!json) {
      test(`${operation.operationId} is none of them: it changes nothing`, () => assert.ok(!takes && !operation.responses[409]))
      continue
    }
    test(operation.operationId, async () => {
      assert.ok(takes, 'has it in the document')
      const what = json.example
      const concrete = pathWithout(document, path, parameters).replace(/^\/v1/, '')
      refused(await server.call('POST', concrete, what, keyed(used)), 409, field)
      refused(await server.call('POST', concrete, what, keyed('not one')), 400, field)
    })
  }
})

// A server that is killed while clients repeat what they were not answered: nothing is made twice, and nothing that was answered is gone.
test('kill -9 between the effect and the answer doubles nothing', { timeout: 120_000 }, async (t) => {
  const server = await Server.start({ args: ['--workers', '0'] })
  t.after(() => server.remove())
  const tenant = await server.tenant()
  const clients = 12
  const rounds = 3
  for (let round = 0; round < rounds; round++) {
    const answered = new Map()
    const tried = []
    let isDead = false
    const client = async (number) => {
      for (let i = 0; !isDead; i++) {
        const key = `${round}-${number}-${i}`
        tried.push(key)
        try {
          const answer = await server.as(tenant.key).call('POST', '/projects', { name: key, description }, keyed(key))
          if (answer.status === 201) answered.set(key, answer.text)
          if (answered.size > 20 * (round + 1) && !isDead) {
            isDead = true
            server.kill()
          }
        } catch (error) {
          assert.ok(isDead, `the server ended by itself: ${error}`)
        }
      }
    }
    await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
    await server.exited
    await server.restart()
    const who = Object.assign(server.as(tenant.key))
    for (const key of tried) {
      const answer = await who.call('POST', '/projects', { name: key, description }, keyed(key))
      success(answer, 201)
      if (answered.has(key)) assert.deepEqual([answer.text, isReplay(answer)], [answered.get(key), true])
    }
    const all = []
    for (let page = 1, some; (some = await who.get(`/projects?pageSize=100&page=${page}`)).length > 0; page++) all.push(...some.map(({ name }) => name))
    const mine = all.filter((name) => name.startsWith(`${round}-`))
    assert.deepEqual(mine.toSorted(), tried.toSorted())
  }
})

// Cancelling answers when the processes are gone: the effect is stored long before.
test('a cancel that was never answered is answered after a crash', { timeout: 120_000 }, async (t) => {
  const server = await Server.start({ args: ['--workers', '1'] })
  t.after(() => server.remove())
  const project = await server.approvedProject(description)
  const run = await server.post(`/projects/${project.id}/runs`)
  const path = `/projects/${project.id}/runs/${run.id}`
  await server.reached(project.id, run.id, 'TASK_STARTED')
  const key = randomUUID()
  const cancel = () => server.call('POST', `${path}/cancel`, undefined, keyed(key))
  const [first] = await Promise.all([
    cancel().catch(() => undefined),
    (async () => {
      for (;;) {
        const { cancelRequested, status } = await server.get(path).catch(() => ({ status: 'gone' }))
        if (cancelRequested || ['cancelled', 'gone'].includes(status)) return server.kill()
      }
    })(),
  ])
  await server.exited
  await server.restart()
  const again = await cancel()
  assert.deepEqual(success(again), { id: run.id, status: 'cancelled' })
  if (first?.status === 200) assert.equal(again.text, first.text)
  const third = await cancel()
  assert.deepEqual([third.text, isReplay(third)], [again.text, true])
  refused(await server.call('POST', `${path}/cancel`), 409)
})
