// told: what webhooks are sent, and what becomes of it: retries, receivers that are slow, gone or private, a server that is killed.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { is, page, refused, shape, success } from './expect.mjs'
import { Server, until } from './lib.mjs'
import { checkMessage, isSigned, Receiver } from './receiver.mjs'

const open = ['--workers', '0', '--webhook-private-addresses', 'allow']
const description = 'A list of books with title and author.'

let server
before(async () => (server = await Server.start({ args: open })))
after(() => server.remove())

// A webhook of a new account, and its receiver, which goes when the test ends.
async function told(t, { answer, ...body } = {}, of = server) {
  const [tenant, receiver] = [await of.tenant(), await Receiver.start(answer)]
  t.after(() => receiver.stop())
  const hook = await tenant.post('/webhooks', { url: receiver.url, ...body })
  const path = `/webhooks/${hook.id}`
  const deliveries = async (query = '') => (await tenant.call('GET', `${path}/deliveries${query}`)).body.data
  const settled = (id, isIt) => until(`${id} is as it should be`, 30, async () => {
    const delivery = await tenant.get(`${path}/deliveries/${id}`)
    return isIt(delivery) && delivery
  })
  return { tenant, receiver, hook, path, deliveries, settled, ping: () => tenant.post(`${path}/ping`) }
}

const ended = ({ status }) => status !== 'pending'
const tried = ({ status, error }) => status === 'pending' && error !== null

describe('a message', { concurrency: true }, () => {
  test('is sent, signed, and in the log', async (t) => {
    const { tenant, receiver, hook, path, settled } = await told(t)
    const begun = success(await tenant.call('POST', `${path}/ping`), 202)
    const delivery = { id: is.id('msg'), webhookId: hook.id, type: 'ping', status: 'pending', attempts: 0, responseStatus: null, responseTimeMs: null, error: null, lastAttemptAt: null, nextAttemptAt: is.time, createdAt: is.time, completedAt: null }
    shape(begun, delivery)
    const [message] = await receiver.reach(1)
    checkMessage(message, hook.secret)
    assert.equal(message.headers['webhook-id'], begun.id)
    shape(message.body, { type: 'ping', timestamp: is.time, data: { webhookId: hook.id } })
    const done = await settled(begun.id, ended)
    shape(done, { ...delivery, id: begun.id, status: 'delivered', attempts: 1, responseStatus: 200, responseTimeMs: is.int, lastAttemptAt: is.time, nextAttemptAt: null, completedAt: is.time, message: message.body })
    const { message: _, ...listed } = done
    assert.deepEqual(page(await tenant.call('GET', `${path}/deliveries?status=delivered`), { total: 1 }), [listed])
    assert.deepEqual(page(await tenant.call('GET', `${path}/deliveries?status=failed`), { total: 0 }), [])
    refused(await tenant.call('GET', `${path}/deliveries?status=done`), 400, 'status')
  })

  test('tells of plans, runs and archives what happened, and to whom it belongs', async (t) => {
    const { tenant, receiver, hook } = await told(t)
    const project = await tenant.approvedProject(description, 'Books')
    const other = await server.tenant()
    await other.plannedProject(description, 'Not theirs')
    const run = await tenant.post(`/projects/${project.id}/runs`, { trigger: 'api' })
    const archived = await tenant.plannedProject(description, 'Old books')
    await tenant.answer('DELETE', `/projects/${archived.id}`)
    const messages = await receiver.reach(5)
    for (const message of messages) checkMessage(message, hook.secret)
    const wanted = [
      ['spec.ready', { projectId: project.id, name: 'Books', status: 'spec_review', specVersion: 1 }],
      ['spec.approved', { projectId: project.id, name: 'Books', status: 'approved', specVersion: 1 }],
      ['run.started', { projectId: project.id, runId: run.id, runNumber: 1, status: 'decomposing', trigger: 'api', error: null }],
      ['spec.ready', { projectId: archived.id, name: 'Old books', status: 'spec_review', specVersion: 1 }],
      ['project.archived', { projectId: archived.id, name: 'Old books', status: 'archived', specVersion: 1 }],
    ]
    // Order is best effort: by the time of what happened it is right.
    const got = messages.map(({ body }) => body).sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1)).map(({ type, data }) => [type, data])
    assert.deepEqual(got, wanted)
    assert.equal(new Set(messages.map(({ headers }) => headers['webhook-id'])).size, 5)
  })

  test('goes only where its project and its type are listened for', async (t) => {
    const { tenant, receiver: all, settled, path } = await told(t)
    const [one, two] = [await tenant.draft(description, 'One'), await tenant.draft(description, 'Two')]
    const [ofOne, approvals, off] = [await Receiver.start(), await Receiver.start(), await Receiver.start()]
    t.after(() => Promise.all([ofOne, approvals, off].map((receiver) => receiver.stop())))
    const hooks = [
      await tenant.post('/webhooks', { url: ofOne.url, projectId: one.id }),
      await tenant.post('/webhooks', { url: approvals.url, events: ['spec.approved'] }),
      await tenant.post('/webhooks', { url: off.url, enabled: false }),
    ]
    for (const { id } of [one, two]) {
      await tenant.post(`/projects/${id}/clarify`)
      await tenant.post(`/projects/${id}/answers`, { answers: [] })
      await tenant.post(`/projects/${id}/approve`)
    }
    const counts = await Promise.all(hooks.map(async ({ id }) => (await tenant.call('GET', `/webhooks/${id}/deliveries`)).body.pagination.total))
    assert.deepEqual(counts, [2, 2, 0], 'deliveries are written with what happened')
    await Promise.all([all.reach(4), ofOne.reach(2), approvals.reach(2)])
    assert.deepEqual(all.types().sort(), ['spec.approved', 'spec.approved', 'spec.ready', 'spec.ready'])
    assert.deepEqual(ofOne.got.map(({ body }) => body.data.projectId), [one.id, one.id])
    assert.deepEqual(approvals.types(), ['spec.approved', 'spec.approved'])
    assert.deepEqual(approvals.got.map(({ body }) => body.data.projectId).sort(), [one.id, two.id].sort())
    const { id } = await tenant.post(`${path}/ping`)
    await settled(id, ended)
    assert.deepEqual(off.got, [])
  })

  test('is sent again after an error, under the same id, with the same body', async (t) => {
    const { receiver, hook, settled, ping } = await told(t, { answer: (_, response, count) => response.writeHead(count === 1 ? 500 : 204).end() })
    const { id } = await ping()
    const failed = await settled(id, tried)
    assert.deepEqual([failed.attempts, failed.responseStatus, failed.error], [1, 500, 'The receiver answered 500'])
    const wait = Date.parse(failed.nextAttemptAt) - Date.parse(failed.lastAttemptAt)
    assert.ok(wait >= 5000 && wait < 66_000, `${wait} ms`)
    const [first, second] = await receiver.reach(2)
    for (const message of [first, second]) checkMessage(message, hook.secret)
    assert.equal(second.headers['webhook-id'], id)
    assert.equal(second.text, first.text)
    assert.ok(second.at - first.at >= 5000)
    const done = await settled(id, ended)
    assert.deepEqual([done.status, done.attempts, done.responseStatus, done.error], ['delivered', 2, 204, null])
  })

  for (const [status, headers, least, most] of [
    [302, { location: '/elsewhere' }, 5, 66],
    [400, { 'retry-after': '7200' }, 5, 66],
    [429, { 'retry-after': '7200' }, 7200, 7260],
    [503, { 'retry-after': new Date(Date.now() + 3600_000).toUTCString() }, 3500, 3660],
    [503, { 'retry-after': '999999999' }, 86_400, 86_460],
    [503, { 'retry-after': 'soon' }, 5, 66],
  ]) {
    test(`waits when the answer is ${status} ${JSON.stringify(headers)}`, async (t) => {
      const { receiver, settled, ping } = await told(t, { answer: (_, response) => response.writeHead(status, headers).end() })
      const failed = await settled((await ping()).id, tried)
      const wait = (Date.parse(failed.nextAttemptAt) - Date.parse(failed.lastAttemptAt)) / 1000
      assert.ok(wait >= least && wait <= most, `${wait} s`)
      assert.equal(failed.error, `The receiver answered ${status}`)
      assert.deepEqual(receiver.got.map(({ path }) => path).filter((path) => path !== '/hook'), [], 'redirects are not followed')
    })
  }

  test('is not waited for longer than the time it has', { timeout: 60_000 }, async (t) => {
    const { settled, ping } = await told(t, { answer: () => {} })
    const { id } = await ping()
    const failed = await until('the time is over', 40, async () => settled(id, tried).catch(() => undefined))
    assert.deepEqual([failed.attempts, failed.responseStatus, failed.responseTimeMs], [1, null, null])
    assert.match(failed.error, /timed out|timeout/i)
  })

  test('has failed for now when nobody is there', async (t) => {
    const { receiver, settled, ping } = await told(t)
    await receiver.stop()
    const failed = await settled((await ping()).id, tried)
    assert.equal(failed.responseStatus, null)
    assert.match(failed.error, /connect/i)
  })

  test('may be answered at length', async (t) => {
    const { settled, ping } = await told(t, { answer: (_, response) => response.end('x'.repeat(1 << 20)) })
    assert.equal((await settled((await ping()).id, ended)).status, 'delivered')
  })

  test('is delayed by no slow receiver of others', async (t) => {
    const slow = await told(t, { answer: () => {} })
    const fast = await told(t)
    for (let i = 0; i < 6; i++) await slow.ping()
    await slow.receiver.reach(4)
    await Promise.all(Array.from({ length: 8 }, fast.ping))
    await fast.receiver.reach(8)
    assert.equal(slow.receiver.got.length, 4, 'four at a time')
    await until('all are in the log', 30, async () => (await fast.deliveries('?status=delivered')).length === 8)
    assert.equal((await slow.deliveries('?status=pending')).length, 6)
    const inHand = slow.receiver.got[0].headers['webhook-id']
    refused(await slow.tenant.call('POST', `${slow.path}/deliveries/${inHand}/retry`), 409)
    const metrics = await (await server.fetch('/metrics')).text()
    const counted = (text) => Number(new RegExp(`^${text} (\\d+)$`, 'm').exec(metrics)?.[1])
    assert.ok(counted('prazium_webhook_deliveries_pending') >= 6)
    assert.equal(counted('prazium_webhook_deliveries\\{state="pending"\\}'), counted('prazium_webhook_deliveries_pending'))
    assert.ok(counted('prazium_webhook_deliveries\\{state="delivered"\\}') >= 8)
  })

  test('is sent again when asked, its attempts anew', async (t) => {
    let status = 400
    const { tenant, receiver, path, settled, ping } = await told(t, { answer: (_, response) => response.writeHead(status).end() })
    const { id } = await ping()
    await settled(id, tried)
    status = 200
    const again = success(await tenant.call('POST', `${path}/deliveries/${id}/retry`), 202)
    assert.deepEqual([again.id, again.status, again.attempts], [id, 'pending', 1])
    assert.equal((await settled(id, ended)).attempts, 2)
    const anew = success(await tenant.call('POST', `${path}/deliveries/${id}/retry`), 202)
    assert.deepEqual([anew.id, anew.status, anew.attempts, anew.completedAt], [id, 'pending', 0, null])
    const messages = await receiver.reach(3)
    assert.deepEqual(messages.map(({ headers }) => headers['webhook-id']), [id, id, id])
    assert.equal((await settled(id, ended)).attempts, 1)
    await tenant.answer('PATCH', path, { enabled: false })
    refused(await tenant.call('POST', `${path}/deliveries/${id}/retry`), 409)
  })
})

describe('a webhook', { concurrency: true }, () => {
  test('that is gone is disabled, until somebody enables it', async (t) => {
    let status = 410
    const { tenant, receiver, path, settled, ping, deliveries } = await told(t, { answer: (_, response) => response.writeHead(status).end() })
    const { id } = await ping()
    const failed = await settled(id, ended)
    assert.deepEqual([failed.status, failed.responseStatus, failed.error, failed.nextAttemptAt], ['failed', 410, 'The receiver answered 410', null])
    const gone = await tenant.get(path)
    assert.deepEqual([gone.enabled, gone.disabledReason], [false, 'The receiver answered 410 Gone'])
    refused(await tenant.call('POST', `${path}/ping`), 409)
    await tenant.plannedProject(description)
    assert.equal((await deliveries()).length, 1, 'it is told nothing more')
    status = 200
    const back = await tenant.answer('PATCH', path, { enabled: true })
    assert.deepEqual([back.enabled, back.disabledReason], [true, null])
    await ping()
    await receiver.reach(2)
  })

  test('that its owner disables drops what it was still to be told', async (t) => {
    const { tenant, path, settled, ping } = await told(t, { answer: (_, response) => response.writeHead(500).end() })
    const { id } = await ping()
    await settled(id, tried)
    await tenant.answer('PATCH', path, { enabled: false })
    const failed = await tenant.get(`${path}/deliveries/${id}`)
    assert.deepEqual([failed.status, failed.error, failed.nextAttemptAt], ['failed', 'The webhook was disabled', null])
  })

  test('that is deleted is told nothing more, and its log goes', async (t) => {
    const { tenant, receiver, path, settled, ping } = await told(t, { answer: (_, response) => response.writeHead(500).end() })
    const { id } = await ping()
    await settled(id, tried)
    success(await tenant.call('DELETE', path))
    refused(await tenant.call('GET', `${path}/deliveries/${id}`), 404)
    refused(await tenant.call('GET', `${path}/deliveries`), 404)
    await tenant.plannedProject(description)
    assert.equal(receiver.got.length, 1)
  })

  test('whose secret is new signs with the old one, too', async (t) => {
    const { tenant, receiver, hook, path, ping } = await told(t)
    const { secret } = await tenant.post(`${path}/rotate-secret`)
    await ping()
    const [message] = await receiver.reach(1)
    assert.equal(message.headers['webhook-signature'].split(' ').length, 2)
    for (const one of [secret, hook.secret]) assert.ok(isSigned(one, message))
  })

  test('goes where it was sent last', async (t) => {
    const { tenant, receiver, path, ping } = await told(t)
    const elsewhere = await Receiver.start()
    t.after(() => elsewhere.stop())
    await tenant.answer('PATCH', path, { url: elsewhere.url })
    await ping()
    await elsewhere.reach(1)
    assert.deepEqual(receiver.got, [])
  })
})

describe('a private address', () => {
  test('is not connected to, though a name leads there', async (t) => {
    const closed = await Server.start({ args: ['--workers', '0'] })
    t.after(() => closed.remove())
    const receiver = await Receiver.start()
    t.after(() => receiver.stop())
    // Made while it was allowed; each connection is looked at, not only what was asked for at first.
    await closed.stop()
    await closed.restart(open)
    const hook = await closed.post('/webhooks', { url: receiver.url })
    await closed.stop()
    await closed.restart(['--workers', '0'])
    refused(await closed.call('POST', '/webhooks', { url: receiver.url }), 400, 'url')
    const { id } = await closed.post(`/webhooks/${hook.id}/ping`)
    const failed = await until('it is refused', 30, async () => {
      const delivery = await closed.get(`/webhooks/${hook.id}/deliveries/${id}`)
      return tried(delivery) && delivery
    })
    assert.deepEqual([failed.error, failed.responseStatus], ['The host has no public address', null])
    assert.deepEqual(receiver.got, [])
  })
})

describe('a server that is killed', () => {
  test('sends what was pending, and what was under way, when it is back', async (t) => {
    const own = await Server.start({ args: open })
    t.after(() => own.remove())
    let isSilent = true
    const { tenant, receiver, hook, path } = await told(t, { answer: (_, response) => isSilent || response.end() }, own)
    const project = await tenant.plannedProject(description)
    for (let i = 0; i < 4; i++) await tenant.post(`${path}/ping`)
    await tenant.post(`/projects/${project.id}/approve`)
    const before = await receiver.reach(4)
    await own.kill()
    isSilent = false
    await own.restart()
    const back = Object.assign(own.as(tenant.key), {})
    const all = await until('everything is delivered', 30, async () => {
      const { data, pagination } = (await back.call('GET', `${path}/deliveries?status=delivered`)).body
      return pagination.total === 6 && data
    })
    for (const message of receiver.got) checkMessage(message, hook.secret)
    const ids = receiver.got.map(({ headers }) => headers['webhook-id'])
    assert.equal(ids.length, 4 + 6, 'those that had not been answered come again')
    assert.deepEqual(new Set(ids), new Set(all.map(({ id }) => id)))
    for (const { headers } of before) assert.equal(ids.filter((id) => id === headers['webhook-id']).length, 2)
    assert.deepEqual(all.map(({ type }) => type).sort(), ['ping', 'ping', 'ping', 'ping', 'spec.approved', 'spec.ready'])
  })
})
