// spending: usage, limits of runs and accounts, and runs that wait.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { is, refused, shape, success, unspent } from './expect.mjs'
import { Server } from './lib.mjs'

let server, tenant, project, run, path
before(async () => {
  server = await Server.start({ args: ['--workers', '0'] })
  project = await server.approvedProject()
  run = await server.post(`/projects/${project.id}/runs`, { limits: { costUsd: 1.5, tokens: 200000 }, maxAttempts: 2 })
  path = `/projects/${project.id}/runs/${run.id}`
  tenant = await server.tenant('free')
})
after(() => server.remove())

const noRun = 'run_01m85s4trxebzrmzwnxs1eg5p2'

describe('limits of a run', () => {
  test('are kept, and so are the attempts', async () => {
    const got = await server.get(path)
    assert.deepEqual(got.limits, { costUsd: 1.5, tokens: 200000 })
    assert.equal(got.maxAttempts, 2)
    assert.deepEqual(got.usage, unspent)
  })

  test('must be amounts', async () => {
    const { id } = await server.approvedProject()
    const runs = `/projects/${id}/runs`
    for (const [limits, field] of [
      [{ costUsd: -1 }, 'limits.costUsd'],
      [{ costUsd: '1' }, 'limits.costUsd'],
      [{ costUsd: 0.0000005 }, 'limits.costUsd'],
      [{ costUsd: 1000001 }, 'limits.costUsd'],
      [{ tokens: 1.5 }, 'limits.tokens'],
      [{ tokens: -1 }, 'limits.tokens'],
      [{ dollars: 1 }, 'limits.dollars'],
      [3, 'limits'],
    ])
      refused(await server.call('POST', runs, { limits }), 400, field)
    for (const maxAttempts of [0, 11, '3']) refused(await server.call('POST', runs, { maxAttempts }), 400, 'maxAttempts')
    const free = success(await server.call('POST', runs, { limits: { costUsd: 0.000001, tokens: null } }), 201)
    assert.deepEqual((await server.get(`${runs}/${free.id}`)).limits, { costUsd: 0.000001, tokens: null })
  })
})

describe('GET /usage', () => {
  const report = { from: is.time, to: is.time, groupBy: 'day', totals: { calls: 0, ...unspent }, groups: [], isTruncated: false }

  test('is empty where nothing was used', async () => {
    shape(success(await tenant.call('GET', '/usage')), report)
    const query = `?from=2024-01-01T00:00:00Z&to=2024-02-01T00:00:00Z&projectId=${project.id}&runId=${run.id}&groupBy=model`
    shape(success(await server.call('GET', `/usage${query}`)), { ...report, groupBy: 'model', from: '2024-01-01T00:00:00.000Z', to: '2024-02-01T00:00:00.000Z' })
  })

  test('says what it does not understand', async () => {
    refused(await tenant.call('GET', '/usage?groupBy=year'), 400, 'groupBy')
    refused(await tenant.call('GET', '/usage?from=yesterday'), 400, 'from')
    refused(await tenant.call('GET', '/usage?from=2024-02-01&to=2024-01-01'), 400, 'from')
    refused(await tenant.call('GET', '/usage?runId=7'), 400, 'runId')
  })
})

describe('limits of an account', () => {
  test('are set, shown and taken away by administrators', async () => {
    const made = success(await server.call('POST', '/admin/accounts', { name: 'Thrifty', limits: { costUsdPerMonth: 20 } }), 201)
    assert.deepEqual(made.limits, { costUsdPerMonth: 20, tokensPerMonth: null })
    const change = async (limits) => success(await server.call('PATCH', `/admin/accounts/${made.id}`, { limits })).limits
    assert.deepEqual(await change({ tokensPerMonth: 1000 }), { costUsdPerMonth: 20, tokensPerMonth: 1000 })
    assert.deepEqual(await change({ costUsdPerMonth: null }), { costUsdPerMonth: null, tokensPerMonth: 1000 })
    const { data } = (await server.call('GET', '/admin/accounts?pageSize=100')).body
    const row = data.find(({ id }) => id === made.id)
    assert.deepEqual(row.limits, { costUsdPerMonth: null, tokensPerMonth: 1000 })
    assert.deepEqual(row.usage, unspent)
    refused(await server.call('PATCH', `/admin/accounts/${made.id}`, { limits: { costUsdPerMonth: -1 } }), 400, 'limits.costUsdPerMonth')
    refused(await server.call('PATCH', `/admin/accounts/${made.id}`, { limits: {} }), 400, 'name')
    refused(await tenant.call('PATCH', `/admin/accounts/${made.id}`, { limits: { costUsdPerMonth: 1 } }), 403)
  })
})

describe('POST …/runs/:runId/resume', () => {
  test('is for runs that wait, of this project', async () => {
    refused(await server.call('POST', `${path}/resume`), 409)
    refused(await server.call('POST', `/projects/${project.id}/runs/${noRun}/resume`), 404)
    refused(await tenant.call('POST', `${path}/resume`), 404)
    refused(await server.call('POST', `${path}/resume`, { limits: { costUsd: -1 } }), 400, 'limits.costUsd')
    refused(await server.call('POST', `${path}/resume`, { maxAttempts: 1 }), 400, 'maxAttempts')
  })

  // No model is called here: what a run that waits has in the database is written there.
  test('lets one go on, with limits that leave room', async () => {
    const waiting = { reason: 'run_cost_limit', limit: 1.5, spent: 1.4, message: 'There is no room.', resumesAt: null }
    const why = JSON.stringify(waiting)
    const sql = `UPDATE run SET state = 'waiting', waits_from = 'decomposing', waiting_json = '${why}' WHERE id = '${run.id}';
      INSERT INTO usage_total VALUES ('${run.id}', 0, 3, 1, 1000, 400, 0, 50, 1400000)`
    execFileSync('sqlite3', ['-cmd', '.timeout 20000', `${server.data}/prazium.db`, sql])
    const got = await server.get(path)
    assert.equal(got.status, 'waiting')
    assert.deepEqual(got.waiting, waiting)
    assert.deepEqual(got.usage, { inputTokens: 1000, cachedTokens: 400, outputTokens: 50, costUsd: 1.4, isComplete: false })
    const { data } = (await server.call('GET', `/projects/${project.id}/runs?status=waiting`)).body
    assert.deepEqual(data.map(({ id, waiting: why }) => [id, why]), [[run.id, waiting]])
    const error = refused(await server.call('POST', `${path}/resume`, { limits: { costUsd: 1.4 } }), 400, 'limits.costUsd')
    assert.match(error.message, /higher than what is spent, which is 1\.4/)
    refused(await server.call('POST', `${path}/resume`, { limits: { tokens: 1050 } }), 400, 'limits.tokens')
    shape(success(await server.call('POST', `${path}/resume`, { limits: { costUsd: 3 } })), { id: run.id, status: 'decomposing', limits: { costUsd: 3, tokens: 200000 } })
    const resumed = await server.get(path)
    assert.equal(resumed.status, 'decomposing')
    assert.equal(resumed.waiting, null)
    assert.deepEqual((await server.get(`${path}/events`)).map(({ eventType }) => eventType), ['RUN_STARTED', 'RUN_RESUMED'])
    refused(await server.call('POST', `${path}/resume`), 409)
  })
})
