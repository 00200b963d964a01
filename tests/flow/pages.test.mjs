// pages: lists by page and by cursor, while things come and go.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { page, refused } from './expect.mjs'
import { Server } from './lib.mjs'
import { walked } from './pages.mjs'

const description = 'A shopping list with items and a note for each item.'

let server
before(async () => (server = await Server.start({ args: ['--workers', '0'] })))
after(() => server.remove())

const idsOf = (items) => items.map(({ id }) => id)
const unique = (ids) => new Set(ids).size === ids.length

async function drafts(tenant, count, name = 'Number') {
  const ids = []
  for (let i = 0; i < count; i++) ids.push((await tenant.draft(description, `${name} ${i}`)).id)
  return ids
}

test('a walk gives each project once, newest first', async () => {
  const tenant = await server.tenant()
  assert.deepEqual(await walked(tenant, '/projects', 4), [])
  const ids = await drafts(tenant, 9)
  for (const size of [1, 3, 4, 8, 9, 10, 100]) assert.deepEqual(idsOf(await walked(tenant, '/projects', size)), ids.toReversed())
  assert.deepEqual(await walked(tenant, '/projects', 2), await tenant.get('/projects'))
})

test('a walk is not led astray by what comes and goes between its pages', async () => {
  const tenant = await server.tenant()
  const ids = await drafts(tenant, 15)
  const gone = new Set()
  const seen = await walked(tenant, '/projects', 3, async (items) => {
    await drafts(tenant, 2, 'New')
    const passed = items.at(-1).id
    const ahead = ids.find((id) => !gone.has(id) && id < passed)
    for (const id of [passed, ahead].filter(Boolean)) {
      gone.add(id)
      await tenant.answer('DELETE', `/projects/${id}`)
    }
  })
  assert.ok(gone.size > 5)
  assert.ok(unique(idsOf(seen)))
  assert.deepEqual(idsOf(seen).filter((id) => !gone.has(id)), ids.toReversed().filter((id) => !gone.has(id)))
})

test('nor by what comes and goes all the while', async () => {
  const tenant = await server.tenant()
  const ids = await drafts(tenant, 18)
  const going = ids.filter((_, i) => i % 3 === 1)
  let isOver = false
  const writer = async () => {
    while (!isOver) {
      await tenant.draft(description, 'Meanwhile')
      if (going.length > 0) await tenant.answer('DELETE', `/projects/${going.pop()}`)
    }
  }
  const writers = [writer(), writer()]
  const walks = await Promise.all([1, 2, 5].map((size) => walked(tenant, '/projects', size)))
  isOver = true
  await Promise.all(writers)
  const staying = ids.filter((_, i) => i % 3 !== 1).reverse()
  for (const walk of walks.map(idsOf)) {
    assert.ok(unique(walk))
    assert.deepEqual(walk.filter((id) => staying.includes(id)), staying)
  }
})

test('a page shows one state, in one order: what comes moves rows on and hides none', async () => {
  const tenant = await server.tenant()
  const ids = await drafts(tenant, 12)
  const seen = []
  for (let number = 1; seen.length < 12 || !seen.includes(ids[0]); number++) {
    const { data, pagination } = (await tenant.call('GET', `/projects?page=${number}&pageSize=4`)).body
    assert.deepEqual(idsOf(data), idsOf(data).toSorted().reverse())
    assert.deepEqual(Object.keys(pagination), ['page', 'pageSize', 'total', 'totalPages'])
    seen.push(...idsOf(data))
    await tenant.draft(description, 'Between')
  }
  for (const id of ids) assert.ok(seen.includes(id))
})

test('filters hold for the whole walk', async () => {
  const tenant = await server.tenant()
  const [reds, blues] = [await drafts(tenant, 7, 'Red'), await drafts(tenant, 5, 'Blue')]
  for (const id of [...reds.slice(0, 5), ...blues.slice(0, 2)]) await tenant.answer('DELETE', `/projects/${id}`)
  const list = async (query) => idsOf(await walked(tenant, `/projects?${query}`, 2))
  assert.deepEqual(await list('search=red'), reds.slice(5).reverse())
  assert.deepEqual(await list('search=red&status=archived'), reds.slice(0, 5).reverse())
  assert.deepEqual(await list('search=shopping'), [...blues.slice(2).reverse(), ...reds.slice(5).reverse()])
  assert.deepEqual(await list('status=archived'), [...reds.slice(0, 5), ...blues.slice(0, 2)].sort().reverse())
  assert.deepEqual(await list('search=green'), [])
})

test('runs and specs are walked by their numbers', async () => {
  const tenant = await server.tenant('free')
  const busy = await tenant.approvedProject(description, 'Busy')
  await tenant.post(`/projects/${busy.id}/runs`)
  const { id } = await tenant.approvedProject(description, 'Walked')
  for (let i = 0; i < 5; i++) {
    const run = await tenant.post(`/projects/${id}/runs`, { queue: true })
    await tenant.post(`/projects/${id}/runs/${run.id}/cancel`)
  }
  const numbers = async (query, size) => (await walked(tenant, `/projects/${id}/runs${query}`, size)).map(({ runNumber }) => runNumber)
  for (const size of [1, 2, 5, 6]) assert.deepEqual(await numbers('', size), [5, 4, 3, 2, 1])
  assert.deepEqual(await numbers('?status=cancelled', 2), [5, 4, 3, 2, 1])
  assert.deepEqual(await numbers('?status=failed', 2), [])
  for (let i = 0; i < 3; i++) await tenant.post(`/projects/${id}/regenerate`)
  const versions = await walked(tenant, `/projects/${id}/specs`, 1, async (items) => {
    if (items.length === 1) await tenant.post(`/projects/${id}/regenerate`)
  })
  assert.deepEqual(versions.map(({ version }) => version), [4, 3, 2, 1])
})

test('API keys and accounts are walked', async () => {
  const tenant = await server.tenant()
  for (let i = 0; i < 4; i++) await tenant.post('/api-keys', { name: `Key ${i}` })
  const keys = await walked(tenant, '/api-keys', 2, () => tenant.post('/api-keys', { name: 'Later' }))
  assert.deepEqual(keys.map(({ name }) => name), ['Key 3', 'Key 2', 'Key 1', 'Key 0', 'first key'])
  const all = idsOf(await server.get('/admin/accounts?pageSize=100'))
  assert.ok(all.length > 5)
  assert.deepEqual(idsOf(await walked(server, '/admin/accounts', 3, () => server.tenant())), all)
})

test('a cursor belongs to its list, and is not to be made up', async () => {
  const [tenant, other] = [await server.tenant(), await server.tenant()]
  await drafts(tenant, 3)
  await drafts(other, 3)
  const { id } = await tenant.plannedProject(description, 'Planned')
  await tenant.post(`/projects/${id}/regenerate`)
  const cursorOf = async (path) => (await tenant.call('GET', `${path}${path.includes('?') ? '&' : '?'}pageSize=1&cursor=`)).body.pagination.nextCursor
  const refuses = async (who, path, cursor) => refused(await who.call('GET', `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`), 400, 'cursor')
  const [projects, specs, found] = [await cursorOf('/projects'), await cursorOf(`/projects/${id}/specs`), await cursorOf('/projects?search=number')]
  for (const cursor of [specs, found]) await refuses(tenant, '/projects', cursor)
  await refuses(other, '/projects', projects)
  await refuses(tenant, `/projects/${id}/specs`, projects)
  await refuses(tenant, `/projects/${id}/runs`, specs)
  await refuses(tenant, '/projects?search=planned', found)
  await refuses(tenant, '/projects?status=draft', projects)
  for (const cursor of ['x', ' ', '%', 'AAAA', projects.slice(1), projects.slice(0, -1), `${projects}A`, `${projects}=`, projects.toUpperCase(), 'A'.repeat(200), 'A'.repeat(201), '\u00e4']) await refuses(tenant, '/projects', cursor)
  // One with the right binding and a key that is none.
  const forged = (text) => Buffer.from(Buffer.from(projects, 'base64url').toString().slice(0, 16) + text).toString('base64url')
  for (const key of ['', '0', 'zz', "proj_'; DROP TABLE project; --", `run_${'0'.repeat(26)}`, 'proj_zzzzzzzzzzzzzzzzzzzzzzzzzz', 'proj_\0']) await refuses(tenant, '/projects', forged(key))
  refused(await tenant.call('GET', `/projects?page=1&cursor=${projects}`), 400, 'cursor')
  refused(await tenant.call('GET', '/projects?page=2&cursor='), 400, 'cursor')
  refused(await tenant.call('GET', '/projects?cursor=&cursor='), 400, 'cursor')
  // Sizes may change on the way.
  const rest = (await tenant.call('GET', `/projects?pageSize=50&cursor=${projects}`)).body
  assert.deepEqual([rest.data.length, rest.pagination.nextCursor], [3, null])
  page(await tenant.call('GET', '/projects'), { total: 4 })
})
