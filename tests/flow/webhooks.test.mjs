// webhooks: making, changing, listing them; and every refusal.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { faultsOf, is, page, refused, refusesBadBodies, refusesMembers, sameNotFound, shape, success } from './expect.mjs'
import { Server } from './lib.mjs'
import { walked } from './pages.mjs'

const unknown = { webhook: 'hook_01h455vb4pex5vsknk084sn02q', delivery: 'msg_01h455vb4pex5vsknk084sn02q', project: 'proj_01h455vb4pex5vsknk084sn02q' }
const url = 'https://example.org/hooks/prazium'
const secret = is.matching(/^whsec_[A-Za-z0-9+/]{43}=$/)

const webhook = {
  id: is.id('hook'),
  url,
  projectId: null,
  events: null,
  description: null,
  enabled: true,
  disabledReason: null,
  createdAt: is.time,
  updatedAt: is.time,
}

let server
before(async () => (server = await Server.start({ args: ['--workers', '0'] })))
after(() => server.remove())

const make = async (of, body = {}) => success(await of.call('POST', '/webhooks', { url, ...body }), 201)

describe('POST /webhooks', () => {
  test('makes one, and shows its secret', async () => {
    const tenant = await server.tenant()
    const made = await make(tenant)
    shape(made, { ...webhook, secret })
    const read = success(await tenant.call('GET', `/webhooks/${made.id}`))
    shape(read, { ...webhook, id: made.id, createdAt: made.createdAt, updatedAt: made.updatedAt })
  })

  test('keeps what it is given, each event once and in order', async () => {
    const tenant = await server.tenant()
    const project = await tenant.post('/projects', { name: 'A', description: 'A list of things to do.' })
    const made = await make(tenant, { projectId: project.id, events: ['run.completed', 'spec.ready', 'run.completed'], description: ' chat ', enabled: false })
    shape(made, { ...webhook, secret, projectId: project.id, events: ['spec.ready', 'run.completed'], description: 'chat', enabled: false })
  })

  test('refuses what is wrong, all at once', async () => {
    const answer = await server.call('POST', '/webhooks', { url: 'ftp://example.org', events: ['run.finished', 7], description: '', enabled: 'yes', secret: 'x' })
    refused(answer, 400, 'secret')
    assert.deepEqual(faultsOf(answer).sort(), ['description', 'enabled', 'events[0]', 'events[1]', 'secret'])
    refused(await server.call('POST', '/webhooks', { url, events: [] }), 400, 'events')
    await refusesMembers(server, 'POST', '/webhooks', { url })
    await refusesBadBodies(server, 'POST', '/webhooks', { url })
  })

  for (const bad of ['', 'x', '/hooks', 'example.org', 'ftp://example.org/', 'https://', 'https://user:word@example.org/', 'file:///etc/passwd', `https://example.org/${'x'.repeat(2000)}`, 7, null]) {
    test(`refuses the URL ${JSON.stringify(bad)?.slice(0, 40)}`, async () => refused(await server.call('POST', '/webhooks', { url: bad }), 400, 'url'))
  }

  for (const host of ['127.0.0.1', 'localhost', 'a.localhost', '[::1]', '10.1.2.3', '192.168.0.1:8080', '169.254.169.254', '[fd00::1]', '[::ffff:127.0.0.1]', '0.0.0.0', '2130706433', '0x7f.1']) {
    test(`refuses the private address ${host}`, async () => {
      const error = refused(await server.call('POST', '/webhooks', { url: `http://${host}/` }), 400, 'url')
      assert.match(error.message, /private address/)
    })
  }

  test('refuses projects that are not there, and others\'', async () => {
    const tenant = await server.tenant()
    const project = await tenant.post('/projects', { name: 'A', description: 'A list of things to do.' })
    for (const projectId of [unknown.project, 'x', project.id]) refused(await server.call('POST', '/webhooks', { url, projectId }), 404, 'projectId')
  })

  test('at most 20 an account, also of many asked for at once', async () => {
    const tenant = await server.tenant()
    const answers = await Promise.all(Array.from({ length: 23 }, () => tenant.call('POST', '/webhooks', { url })))
    assert.deepEqual([201, 409].map((status) => answers.filter((answer) => answer.status === status).length), [20, 3])
    const error = refused(await tenant.call('POST', '/webhooks', { url }), 409)
    assert.equal(error.details.limit, 20)
    const [first] = page(await tenant.call('GET', '/webhooks'), { total: 20 })
    success(await tenant.call('DELETE', `/webhooks/${first.id}`))
    await make(tenant)
  })
})

describe('GET /webhooks', () => {
  test('lists the newest first, without secrets', async () => {
    const tenant = await server.tenant()
    const made = [await make(tenant), await make(tenant), await make(tenant)]
    const listed = page(await tenant.call('GET', '/webhooks'), { total: 3 })
    assert.deepEqual(listed.map(({ id }) => id), made.map(({ id }) => id).reverse())
    for (const item of listed) shape(item, webhook)
    assert.deepEqual(page(await tenant.call('GET', '/webhooks?page=2&pageSize=2'), { page: 2, pageSize: 2, total: 3 }).map(({ id }) => id), [made[0].id])
    assert.deepEqual(await walked(tenant, '/webhooks', 2), listed)
    for (const [query, field] of [['page=0', 'page'], ['pageSize=101', 'pageSize'], ['status=x', 'status']]) refused(await tenant.call('GET', `/webhooks?${query}`), 400, field)
  })
})

describe('PATCH /webhooks/:webhookId', () => {
  test('changes what is given, and nothing else', async () => {
    const tenant = await server.tenant()
    const project = await tenant.post('/projects', { name: 'A', description: 'A list of things to do.' })
    const { secret: _, ...made } = await make(tenant, { events: ['run.completed'], description: 'chat' })
    const patch = async (body) => success(await tenant.call('PATCH', `/webhooks/${made.id}`, body))
    shape(await patch({}), { ...made, updatedAt: is.time })
    shape(await patch({ url: 'https://example.com/', enabled: false }), { ...made, url: 'https://example.com/', enabled: false, updatedAt: is.time })
    shape(await patch({ events: null, description: null, projectId: project.id }), { ...made, url: 'https://example.com/', enabled: false, events: null, description: null, projectId: project.id, updatedAt: is.time })
    shape(await patch({ projectId: null, enabled: true, url }), { ...made, events: null, description: null, updatedAt: is.time })
    refused(await tenant.call('PATCH', `/webhooks/${made.id}`, { url: 'http://127.0.0.1/' }), 400, 'url')
    refused(await tenant.call('PATCH', `/webhooks/${made.id}`, { projectId: unknown.project }), 404, 'projectId')
    refused(await tenant.call('PATCH', `/webhooks/${made.id}`, { enabled: null }), 400, 'enabled')
    shape(success(await tenant.call('GET', `/webhooks/${made.id}`)), { ...made, events: null, description: null, updatedAt: is.time })
  })
})

describe('a secret', () => {
  test('is replaced by another', async () => {
    const made = await make(server)
    const rotated = success(await server.call('POST', `/webhooks/${made.id}/rotate-secret`))
    shape(rotated, { ...webhook, id: made.id, secret })
    assert.notEqual(rotated.secret, made.secret)
  })

  test('is the same for a repeat of the request, and no other\'s', async () => {
    const made = await make(server)
    const key = { 'idempotency-key': randomUUID() }
    const rotate = (rest) => server.call('POST', `/webhooks/${made.id}/${rest}`, {}, key)
    const first = success(await rotate('rotate-secret'))
    assert.deepEqual(success(await rotate('rotate-secret')), first)
    refused(await rotate('rotate-secret?x=1'), 409, 'Idempotency-Key')
    refused(await rotate('ping'), 409, 'Idempotency-Key')
  })
})

describe('a disabled webhook', () => {
  test('sends no test message, and nothing again', async () => {
    const made = await make(server, { enabled: false })
    refused(await server.call('POST', `/webhooks/${made.id}/ping`), 409)
    page(await server.call('GET', `/webhooks/${made.id}/deliveries`), { total: 0 })
  })
})

describe('others\' webhooks', () => {
  test('are as if they were not', async () => {
    const tenant = await server.tenant()
    const mine = await make(server), theirs = await make(tenant)
    const ids = [theirs.id, unknown.webhook, 'x', mine.id.replace('hook', 'key')]
    for (const [method, rest, body] of [['GET', ''], ['PATCH', '', {}], ['DELETE', ''], ['POST', '/rotate-secret'], ['POST', '/ping'], ['GET', '/deliveries'], ['GET', `/deliveries/${unknown.delivery}`], ['POST', `/deliveries/${unknown.delivery}/retry`]]) {
      await sameNotFound(server, method, ids.map((id) => `/webhooks/${id}${rest}`), body)
    }
    for (const [method, rest] of [['GET', ''], ['POST', '/retry']]) {
      await sameNotFound(server, method, [unknown.delivery, 'x'].map((id) => `/webhooks/${mine.id}/deliveries/${id}${rest}`))
    }
    assert.equal(page(await tenant.call('GET', '/webhooks'), { total: 1 })[0].id, theirs.id)
  })

  test('are gone when they are deleted', async () => {
    const made = await make(server)
    shape(success(await server.call('DELETE', `/webhooks/${made.id}`)), { id: made.id, status: 'deleted' })
    await sameNotFound(server, 'GET', [`/webhooks/${made.id}`, `/webhooks/${unknown.webhook}`])
    refused(await server.call('DELETE', `/webhooks/${made.id}`), 404)
  })
})
