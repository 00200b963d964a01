// queue: how many builds an account has at once, what waits for room, and in what order it begins.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { is, refused, success } from './expect.mjs'
import { Server, until } from './lib.mjs'

let server
before(async () => {
  server = await Server.start({ args: ['--workers', '2'] })
})
after(() => server.remove())

const description = 'A shopping list with items and a note for each item.'

async function projects(tenant, count) {
  const all = []
  for (let i = 0; i < count; i++) all.push(await tenant.approvedProject(description, `Number ${i}`))
  return all
}

const run = (tenant, project, body) => tenant.call('POST', `/projects/${project.id}/runs`, body)
const stateOf = async (tenant, { projectId, id }) => (await tenant.get(`/projects/${projectId}/runs/${id}`)).status
const isOver = (status) => ['succeeded', 'failed', 'cancelled'].includes(status)

test('one of twenty racing starts of a free account begins', async () => {
  const tenant = await server.tenant('free')
  const all = await projects(tenant, 6)
  const answers = await Promise.all(all.map((project) => run(tenant, project)))
  const begun = answers.filter(({ status }) => status === 201)
  assert.equal(begun.length, 1)
  const [{ id, projectId, status }] = begun.map((answer) => success(answer, 201))
  assert.equal(status, 'decomposing')
  for (const answer of answers.filter((one) => one.status !== 201)) {
    const error = refused(answer, 429)
    assert.deepEqual([error.details.limit, error.details.active, error.details.activeRuns], [1, 1, [id]])
    assert.ok(Number(answer.headers.get('retry-after')) > 0)
  }
  assert.equal((await tenant.get(`/projects/${all.find((one) => one.id !== projectId).id}`)).status, 'approved', 'who was refused is as before')
  await tenant.post(`/projects/${projectId}/runs/${id}/cancel`)
  success(await run(tenant, all.find((one) => one.id !== projectId)), 201)
})

test('who may wait begins in order, over a restart, and one at a time', { timeout: 400_000 }, async () => {
  const tenant = await server.tenant('free')
  const all = await projects(tenant, 5)
  const runs = []
  for (const project of all) runs.push(success(await run(tenant, project, { queue: true }), 201))
  assert.deepEqual(runs.map(({ status }) => status), ['decomposing', 'queued', 'queued', 'queued', 'queued'])
  const positions = await Promise.all(runs.map((one) => tenant.get(`/projects/${one.projectId}/runs/${one.id}`).then(({ queuePosition }) => queuePosition)))
  assert.deepEqual(positions, [null, 1, 2, 3, 4])
  refused(await run(tenant, all[1], { queue: true }), 409)
  refused(await run(tenant, await tenant.approvedProject(description, 'Impatient')), 429)
  const cancelled = await tenant.post(`/projects/${runs[3].projectId}/runs/${runs[3].id}/cancel`)
  assert.equal(cancelled.status, 'cancelled')
  assert.deepEqual((await tenant.events(runs[3].projectId, runs[3].id)).map(({ eventType, sequence }) => [eventType, sequence]), [['RUN_COMPLETED', 1]])
  await server.kill()
  await server.restart()
  const again = Object.assign(server.as(tenant.key), { account: tenant.account })
  // Each is cancelled as it begins, which makes room for the next.
  const begun = []
  await until('all ended', 120, async () => {
    const states = await Promise.all(runs.map((one) => stateOf(again, one)))
    const busy = states.flatMap((state, i) => (isOver(state) || state === 'queued' ? [] : [i]))
    assert.ok(busy.length <= 1, states.join(' '))
    for (const i of busy) {
      begun.push(i)
      await again.post(`/projects/${runs[i].projectId}/runs/${runs[i].id}/cancel`)
    }
    return states.every(isOver)
  })
  assert.deepEqual(await Promise.all(runs.map((one) => stateOf(again, one))), runs.map(() => 'cancelled'))
  assert.deepEqual(begun, [0, 1, 2, 4])
})

test('a higher tier makes room at once', async () => {
  const tenant = await server.tenant('free')
  const all = await projects(tenant, 7)
  const runs = []
  for (const project of all) runs.push(success(await run(tenant, project, { queue: true }), 201))
  assert.equal(runs.filter(({ status }) => status === 'queued').length, 6)
  await server.answer('PATCH', `/admin/accounts/${tenant.account.id}`, { tier: 'pro' })
  const states = await Promise.all(runs.map((one) => stateOf(tenant, one)))
  assert.deepEqual(states.map((state) => state === 'queued'), [false, false, false, false, false, true, true])
  const events = await tenant.events(runs[1].projectId, runs[1].id)
  assert.equal(events[0].eventType, 'RUN_STARTED')
  for (const one of [...runs].reverse()) await tenant.post(`/projects/${one.projectId}/runs/${one.id}/cancel`)
})

test('a task is tried again on what was merged', { timeout: 300_000 }, async () => {
  const tenant = await server.tenant('free')
  const project = await tenant.approvedProject(description, 'Again')
  const old = await tenant.post(`/projects/${project.id}/runs`)
  const path = `/projects/${project.id}/runs`
  // Cancelled when something is merged, and something is not.
  await tenant.stream(project.id, old.id, (event) => event.type === 'MERGE_COMPLETED')
  const tasksOf = (id) => tenant.get(`${path}/${id}/tasks`)
  refused(await tenant.call('POST', `${path}/${old.id}/tasks/${(await tasksOf(old.id))[0].id}/retry`), 409)
  await tenant.post(`${path}/${old.id}/cancel`)
  const before = await tasksOf(old.id)
  const merged = before.filter(({ status }) => status === 'succeeded')
  const open = before.find(({ status }) => status !== 'succeeded')
  assert.ok(merged.length > 0 && open, 'the run was cancelled amid its tasks')
  refused(await tenant.call('POST', `${path}/${old.id}/tasks/${merged[0].id}/retry`), 409)
  refused(await tenant.call('POST', `${path}/${old.id}/tasks/task_01h455vb4pex5vsknk084sn02q/retry`), 404)
  const begun = success(await tenant.call('POST', `${path}/${old.id}/tasks/${open.id}/retry`), 201)
  assert.deepEqual([begun.trigger, begun.resumesRunId, is.id('run')(begun.id)], ['retry', old.id, true])
  const other = await tenant.approvedProject(description, 'Other')
  refused(await run(tenant, other), 429)
  refused(await tenant.call('POST', `${path}/${begun.id}/tasks/${open.id}/retry`), 404)
  const ended = await tenant.finished(project.id, begun.id)
  assert.equal(ended.status, 'succeeded', ended.error)
  const after = await tasksOf(begun.id)
  for (const task of merged) {
    const now = after.find(({ slug }) => slug === task.slug)
    assert.deepEqual([now.status, now.mergeSha, now.result], ['succeeded', task.mergeSha, task.result])
  }
  const decomposed = (await tenant.events(project.id, begun.id)).find(({ eventType }) => eventType === 'RUN_DECOMPOSED')
  assert.equal(decomposed.payload.reusedTasks, merged.length)
})
