// admin: what those who run the server see: /admin/stats with true numbers, and /metrics for Prometheus.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { is, refused, shape, success } from './expect.mjs'
import { binary, cleanEnv, Server, until } from './lib.mjs'
import { growing, parsed, valueOf } from './prometheus.mjs'

let server, memberKey
before(async () => {
  server = await Server.start({ args: ['--workers', '0'] })
  memberKey = execFileSync(binary, ['key', 'create', '--data', server.data], { env: cleanEnv, encoding: 'utf8' }).trim()
})
after(() => server.remove())

const stats = {
  projects: { total: is.int, active: is.int },
  runs: { total: is.int, succeeded: is.int, failed: is.int, cancelled: is.int, inProgress: is.int },
  queue: { pending: is.int, processing: is.int },
  workers: { total: is.int, active: is.int, busy: is.int },
  deployments: { deploying: is.int, live: is.int },
  streams: { connections: is.int, eventStreams: is.int, webSockets: is.int },
  spending: { totalUsd: is.number, monthUsd: is.number, reservedUsd: is.number },
  version: '1.0.0',
  startedAt: is.time,
  uptimeSeconds: is.int,
}
const totalOf = async (query = '') => (await server.call('GET', `/projects${query}`)).body.pagination.total

describe('GET /admin/stats', () => {
  test('has true numbers, which agree with the lists', async () => {
    const before = success(await server.call('GET', '/admin/stats'))
    shape(before, stats)
    const [kept, archived, building] = [await server.draft(), await server.draft(), await server.approvedProject()]
    assert.equal(kept.status, 'draft')
    await server.answer('DELETE', `/projects/${archived.id}`)
    const run = await server.post(`/projects/${building.id}/runs`)
    const now = success(await server.call('GET', '/admin/stats'))
    shape(now, stats)
    assert.equal(now.projects.total, before.projects.total + 3)
    assert.equal(now.projects.active, before.projects.active + 2)
    assert.equal(now.projects.active, await totalOf())
    assert.equal(now.projects.total, (await totalOf()) + (await totalOf('?status=archived')))
    assert.deepEqual(now.runs, { ...before.runs, total: before.runs.total + 1, inProgress: before.runs.inProgress + 1 })
    assert.equal(now.runs.succeeded + now.runs.failed + now.runs.cancelled + now.runs.inProgress, now.runs.total)
    assert.deepEqual(now.queue, { pending: before.queue.pending + 1, processing: 0 })
    assert.deepEqual(now.workers, { total: 0, active: 0, busy: 0 })
    assert.ok(Date.parse(now.startedAt) <= Date.now() && now.uptimeSeconds >= before.uptimeSeconds)

    // Who listens to the run is counted.
    const aborter = new AbortController()
    await server.fetch(`/v1/projects/${building.id}/runs/${run.id}/events/stream`, { signal: aborter.signal })
    assert.equal((await server.get('/admin/stats')).streams.eventStreams, before.streams.eventStreams + 1)
    aborter.abort()
    await until('the stream is over', 20, async () => (await server.get('/admin/stats')).streams.eventStreams === before.streams.eventStreams)
  })

  test('with workers has them, idle', async (t) => {
    const other = await Server.start({ args: ['--workers', '3'] })
    t.after(() => other.remove())
    assert.deepEqual((await other.get('/admin/stats')).workers, { total: 3, active: 3, busy: 0 })
  })

  test('is for administrators', async () => {
    refused(await server.call('GET', '/admin/stats', undefined, { authorization: undefined }), 401)
    refused(await server.call('GET', '/admin/stats', undefined, { authorization: `Bearer ${memberKey}` }), 403)
  })
})

describe('GET /metrics', () => {
  const scrape = async (headers = { authorization: undefined }) => {
    const response = await server.fetch('/metrics', { headers })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
  const metrics = async () => parsed((await scrape()).text)
  const requests = (method, route, status) => ({ method, route, status })

  test('is the text format, strictly', async () => {
    const answer = await scrape()
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    const all = parsed(answer.text)
    for (const name of [
      'process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_virtual_memory_bytes', 'process_open_fds',
      'process_max_fds', 'process_start_time_seconds', 'prazium_http_connections', 'prazium_http_requests_in_flight',
      'prazium_store_commits_total', 'prazium_store_writes_total', 'prazium_up', 'prazium_degraded',
    ]) {
      assert.ok(Number.isFinite(valueOf(all, name)), name)
    }
    assert.equal(valueOf(all, 'prazium_build_info', { version: '1.0.0' }), 1)
    assert.equal(valueOf(all, 'prazium_up'), 1)
    assert.equal(valueOf(all, 'prazium_degraded'), 1) // there are no workers
    assert.equal(valueOf(all, 'prazium_workers'), 0)
    assert.ok(valueOf(all, 'process_resident_memory_bytes') > 1 << 20)
    assert.ok(Math.abs(valueOf(all, 'process_start_time_seconds') - Date.now() / 1000) < 600)
    assert.ok(valueOf(all, 'process_open_fds') > 5 && valueOf(all, 'process_open_fds') < valueOf(all, 'process_max_fds'))
  })

  test('counts requests by method, route and class of status, with how long they took', async () => {
    const route = '/v1/projects/:project'
    const before = await metrics()
    const { id } = await server.draft()
    for (let i = 0; i < 3; i++) await server.get(`/projects/${id}`)
    await server.call('GET', '/projects/nobody')
    await server.fetch(`/v1/projects/${id}`, { method: 'HEAD' })
    await server.call('GET', '/"nothing"\\%0Ahere')
    const after = await metrics()
    const more = (labels) => valueOf(after, 'prazium_http_requests_total', labels) - (valueOf(before, 'prazium_http_requests_total', labels) ?? 0)
    assert.equal(more(requests('POST', '/v1/projects', '2xx')), 1)
    assert.equal(more(requests('GET', route, '2xx')), 3)
    assert.equal(more(requests('GET', route, '4xx')), 1)
    assert.equal(more(requests('HEAD', route, '2xx')), 1)
    assert.equal(more(requests('GET', '(none)', '4xx')), 1)
    const timed = (all) => valueOf(all, 'prazium_http_request_duration_seconds', { method: 'GET', route }, '_count') ?? 0
    assert.equal(timed(after) - timed(before), 5)
  })

  test('only grows, where it counts', async () => {
    const before = growing(await metrics())
    await Promise.all(Array.from({ length: 50 }, (_, i) => server.call(i % 2 ? 'GET' : 'POST', '/projects', i % 2 ? undefined : { name: 'x', description: 'y' })))
    const after = growing(await metrics())
    for (const [key, value] of before) assert.ok(after.get(key) >= value, `${key}: ${value}, then ${after.get(key)}`)
  })

  test('says how much there is in which state, as /admin/stats does', async () => {
    const building = await server.approvedProject()
    const events = valueOf(await metrics(), 'prazium_events_appended_total')
    await server.post(`/projects/${building.id}/runs`)
    const all = await metrics()
    const now = await server.get('/admin/stats')
    const sum = (name) => all.get(name).samples.reduce((total, { value }) => total + value, 0)
    assert.equal(sum('prazium_projects'), now.projects.total)
    assert.equal(sum('prazium_runs'), now.runs.total)
    assert.equal(valueOf(all, 'prazium_jobs', { state: 'pending' }), now.queue.pending)
    assert.equal(valueOf(all, 'prazium_jobs_due'), now.queue.pending)
    assert.equal(valueOf(all, 'prazium_webhook_deliveries_pending'), 0)
    assert.ok(valueOf(all, 'prazium_events_appended_total') > events)
  })

  test('needs an administrator key from elsewhere, which is what a proxy speaks for', async () => {
    for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via']) {
      assert.equal((await scrape({ authorization: undefined, [header]: '198.51.100.7' })).status, 401, header)
      assert.equal((await scrape({ authorization: `Bearer ${memberKey}`, [header]: '127.0.0.1' })).status, 403, header)
      assert.equal((await scrape({ [header]: '198.51.100.7' })).status, 200, header)
    }
  })
})
