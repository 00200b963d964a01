// runs: beginning, listing, reading, cancelling and retrying, up to the end that built.test.mjs and interrupted.test.mjs see.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { checkCancelled } from './ended.mjs'
import { is, page, refused, refusesBadBodies, refusesMembers, sameNotFound, shape, success, unlimited, unspent } from './expect.mjs'
import { projectTool, Server } from './lib.mjs'
import { processesOf } from './programs.mjs'

const unknown = { project: 'proj_01h455vb4pex5vsknk084sn02q', run: 'run_01h455vb4pex5vsknk084sn02q', task: 'task_01h455vb4pex5vsknk084sn02q' }

// Without workers a run stays as it began.
describe('without workers', () => {
  let server
  before(async () => (server = await Server.start({ args: ['--workers', '0'] })))
  after(() => server.remove())

  const begun = (id, trigger = 'manual') => ({
    id: is.id('run'),
    projectId: id,
    runNumber: 1,
    status: 'decomposing',
    trigger,
    resumesRunId: null,
    createdAt: is.time,
  })

  describe('POST /projects/:projectId/runs', () => {
    test('begins a run of the approved spec', async () => {
      const { id } = await server.approvedProject()
      const run = success(await server.call('POST', `/projects/${id}/runs`), 201)
      shape(run, begun(id))
      assert.equal((await server.get(`/projects/${id}`)).status, 'building')
    })

    for (const trigger of ['manual', 'api', 'schedule', 'webhook']) {
      test(`keeps the trigger ${trigger}`, async () => {
        const { id } = await server.approvedProject()
        shape(success(await server.call('POST', `/projects/${id}/runs`, { trigger }), 201), begun(id, trigger))
      })
    }

    test('takes an empty object', async () => {
      const { id } = await server.approvedProject()
      shape(success(await server.call('POST', `/projects/${id}/runs`, {}), 201), begun(id))
    })

    test('refuses other triggers, other members, other bodies', async () => {
      const { id } = await server.approvedProject()
      const path = `/projects/${id}/runs`
      for (const trigger of ['', 'retry', 'MANUAL', null, 1, ['manual']]) refused(await server.call('POST', path, { trigger }), 400, 'trigger')
      await refusesMembers(server, 'POST', path)
      await refusesBadBodies(server, 'POST', path, {})
      page(await server.call('GET', path), { total: 0 })
      assert.equal((await server.get(`/projects/${id}`)).status, 'approved')
    })

    test('needs an approved spec', async () => {
      const { id } = await server.draft()
      refused(await server.call('POST', `/projects/${id}/runs`), 409)
      await server.post(`/projects/${id}/clarify`)
      refused(await server.call('POST', `/projects/${id}/runs`), 409)
      await server.post(`/projects/${id}/answers`, { answers: [] })
      refused(await server.call('POST', `/projects/${id}/runs`), 409)
      await server.post(`/projects/${id}/approve`)
      success(await server.call('POST', `/projects/${id}/runs`), 201)
    })

    test('allows one at a time, also of many asked for at once', async () => {
      const { id } = await server.approvedProject()
      const answers = await Promise.all(Array.from({ length: 6 }, () => server.call('POST', `/projects/${id}/runs`)))
      assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409, 409])
      refused(await server.call('POST', `/projects/${id}/runs`), 409)
      page(await server.call('GET', `/projects/${id}/runs`), { total: 1 })
    })

    test('is not there', () => sameNotFound(server, 'POST', [`/projects/${unknown.project}/runs`, '/projects/x/runs']))
  })

  describe('a run that is at work', () => {
    let project, run, path
    before(async () => {
      project = await server.approvedProject()
      run = await server.post(`/projects/${project.id}/runs`, { trigger: 'api' })
      path = `/projects/${project.id}/runs/${run.id}`
    })

    test('is read', async () => {
      shape(success(await server.call('GET', path)), {
        id: run.id,
        projectId: project.id,
        runNumber: 1,
        status: 'decomposing',
        trigger: 'api',
        specSnapshot: { ...project.spec, approvedAt: is.time },
        tasksJson: null,
        tasks: [],
        verificationResult: null,
        error: null,
        cancelRequested: false,
        queuePosition: null,
        usage: unspent,
        limits: unlimited,
        waiting: null,
        maxAttempts: 3,
        settings: { agent: [{ kind: 'blueprint', model: null }], taskAgents: {} },
        resumesRunId: null,
        commitSha: null,
        createdAt: run.createdAt,
        startedAt: is.time,
        completedAt: null,
      })
    })

    test('is listed', async () => {
      const items = page(await server.call('GET', `/projects/${project.id}/runs`), { total: 1 })
      shape(items, (list) => list.length === 1)
      shape(items[0], {
        id: run.id,
        runNumber: 1,
        status: 'decomposing',
        trigger: 'api',
        tasksSummary: { total: 0, succeeded: 0, failed: 0 },
        usage: unspent,
        limits: unlimited,
        waiting: null,
        createdAt: run.createdAt,
        startedAt: is.time,
        completedAt: null,
      })
    })

    test('has no tasks yet, and one event', async () => {
      assert.deepEqual(success(await server.call('GET', `${path}/tasks`)), [])
      const events = success(await server.call('GET', `${path}/events`))
      assert.equal(events.length, 1)
      shape(events[0], {
        id: is.id('evt'),
        runId: run.id,
        taskId: null,
        eventType: 'RUN_STARTED',
        payload: { status: 'decomposing' },
        sequence: 1,
        createdAt: is.time,
      })
    })

    test('cannot be retried, exported or deployed', async () => {
      refused(await server.call('POST', `${path}/retry`), 409)
      refused(await server.call('POST', `/projects/${project.id}/export`, { runId: run.id }), 409, 'runId')
      refused(await server.call('POST', `/projects/${project.id}/deploy`, { runId: run.id, provider: 'local' }), 409, 'runId')
      refused(await server.call('POST', `/projects/${project.id}/export`), 409)
      refused(await server.call('POST', `/projects/${project.id}/deploy`, { provider: 'local' }), 409)
    })

    test('is not to be found under another project, nor anything else of it', async () => {
      const other = await server.approvedProject()
      const mine = await server.post(`/projects/${other.id}/runs`)
      for (const [method, rest] of [['GET', ''], ['POST', '/cancel'], ['POST', '/retry'], ['GET', '/tasks'], ['GET', `/tasks/${unknown.task}`], ['GET', '/events'], ['GET', '/events/stream']]) {
        const of = (id) => `/projects/${other.id}/runs/${id}${rest}`
        await sameNotFound(server, method, [of(run.id), of(unknown.run), of('x'), of(mine.id.replace('run', 'task')), of('%27')])
        await sameNotFound(server, method, [`/projects/${unknown.project}/runs/${run.id}${rest}`, `/projects/x/runs/${run.id}${rest}`])
      }
      assert.equal((await server.get(path)).status, 'decomposing')
    })

    test('is found by the UUID of its id too', async () => {
      const digits = '0123456789abcdefghjkmnpqrstvwxyz'
      const number = [...run.id.slice(4)].reduce((sum, digit) => sum * 32n + BigInt(digits.indexOf(digit)), 0n)
      const uuid = number.toString(16).padStart(32, '0').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
      assert.equal((await server.get(`/projects/${project.id}/runs/${uuid}`)).id, run.id)
    })

    for (const [query, field] of [['page=0', 'page'], ['pageSize=101', 'pageSize'], ['pageSize=x', 'pageSize'], ['status=done', 'status'], ['status=building', 'status'], ['search=x', 'search'], ['page=1&page=1', 'page']]) {
      test(`its list refuses ?${query}`, async () => refused(await server.call('GET', `/projects/${project.id}/runs?${query}`), 400, field))
    }
  })
})

describe('with workers', () => {
  let server, project
  const runs = []
  before(async () => {
    server = await Server.start()
    project = await server.approvedProject(projectTool, 'Cancelled')
  })
  after(() => server.remove())
  const path = (run, rest = '') => `/projects/${project.id}/runs/${run.id}${rest}`

  test('a run is cancelled while its tasks are done', async () => {
    const run = await server.post(`/projects/${project.id}/runs`)
    await server.reached(project.id, run.id, 'TASK_STARTED')
    assert.equal((await server.get(path(run))).status, 'executing')
    shape(success(await server.call('POST', path(run, '/cancel'))), { id: run.id, status: 'cancelled' })
    await checkCancelled(server, project, run)
    runs.push(await server.get(path(run)))
  })

  test('a cancelled run stays as it is', async () => {
    const [run] = runs
    refused(await server.call('POST', path(run, '/cancel')), 409)
    refused(await server.call('POST', `/projects/${project.id}/export`, { runId: run.id }), 409, 'runId')
    refused(await server.call('POST', `/projects/${project.id}/deploy`, { runId: run.id, provider: 'local' }), 409, 'runId')
    assert.deepEqual(await server.get(path(run)), run)
  })

  test('and is retried with the same spec, though another was approved since', async () => {
    await server.post(`/projects/${project.id}/regenerate`, { feedback: 'Remove the search.' })
    refused(await server.call('POST', path(runs[0], '/retry')), 409)
    await server.post(`/projects/${project.id}/approve`)
    const again = success(await server.call('POST', path(runs[0], '/retry')), 201)
    shape(again, { id: is.id('run'), projectId: project.id, runNumber: 2, status: 'decomposing', trigger: 'retry', resumesRunId: null, createdAt: is.time })
    assert.equal((await server.get(path(again))).specSnapshot.version, 1)
    success(await server.call('POST', path(again, '/cancel')))
    const fresh = success(await server.call('POST', `/projects/${project.id}/runs`), 201)
    assert.equal(fresh.runNumber, 3)
    assert.equal((await server.get(path(fresh))).specSnapshot.version, 2)
    success(await server.call('POST', path(fresh, '/cancel')))
    for (const run of [again, fresh]) {
      await checkCancelled(server, project, run)
      runs.unshift(await server.get(path(run)))
    }
  })

  test('cancelling and retrying take no members', async () => {
    for (const rest of ['/cancel', '/retry']) {
      await refusesMembers(server, 'POST', path(runs[0], rest))
      await refusesBadBodies(server, 'POST', path(runs[0], rest), {})
    }
  })

  test('of many cancels at once, each answers cancelled or that it was', async () => {
    const run = await server.post(`/projects/${project.id}/runs`)
    const answers = await Promise.all(Array.from({ length: 4 }, () => server.call('POST', path(run, '/cancel'))))
    assert.ok(answers.some(({ status }) => status === 200))
    for (const answer of answers) {
      if (answer.status === 200) assert.deepEqual(answer.body.data, { id: run.id, status: 'cancelled' })
      else refused(answer, 409)
    }
    await checkCancelled(server, project, run)
    runs.unshift(await server.get(path(run)))
  })

  test('lists the latest first, in pages, by status', async () => {
    const list = (query) => server.call('GET', `/projects/${project.id}/runs${query}`)
    assert.deepEqual(page(await list(''), { total: 4 }).map((item) => item.runNumber), [4, 3, 2, 1])
    assert.deepEqual(page(await list('?page=2&pageSize=3'), { page: 2, pageSize: 3, total: 4 }).map((item) => item.id), [runs[3].id])
    assert.deepEqual(page(await list('?page=9'), { page: 9, total: 4 }), [])
    assert.equal(page(await list('?status=cancelled'), { total: 4 }).length, 4)
    for (const status of ['queued', 'decomposing', 'executing', 'verifying', 'succeeded', 'failed']) {
      assert.deepEqual(page(await list(`?status=${status}`), { total: 0 }), [])
    }
    for (const item of page(await list(''), { total: 4 })) {
      assert.equal(item.status, 'cancelled')
      assert.ok(is.time(item.completedAt) && item.completedAt >= item.startedAt)
    }
  })

  test('nothing has changed of the first', async () => {
    const [first] = runs.slice(-1)
    assert.deepEqual(await server.get(path(first)), first)
    assert.deepEqual(processesOf(server.data, server.child.pid), [])
  })
})
