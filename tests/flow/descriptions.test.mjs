// descriptions: each of the eight is planned and decomposed into tasks that can be merged, then cancelled.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { descriptions } from './descriptions.mjs'
import { success } from './expect.mjs'
import { checkTasks, scopesOverlap } from './graph.mjs'
import { Server } from './lib.mjs'

let server
before(async () => (server = await Server.start()))
after(() => server.remove())

test('the check of scopes knows what overlaps', () => {
  for (const [a, b] of [['src/**', 'src/a.ts'], ['a/*', '*/b'], ['**', 'x'], ['a/**/c', 'a/b/*'], ['a?c', 'abc'], ['a.ts', 'a.ts'], ['src/app/**', 'src/**/page.tsx']]) {
    assert.ok(scopesOverlap(a, b) && scopesOverlap(b, a), `${a} ${b}`)
  }
  for (const [a, b] of [['src/a/**', 'src/b/**'], ['a/*', 'a/b/c'], ['a', 'ab'], ['*.ts', 'a.tsx'], ['src/app/tasks/**', 'src/app/tasks-board/**']]) {
    assert.ok(!scopesOverlap(a, b) && !scopesOverlap(b, a), `${a} ${b}`)
  }
})

describe('a run of', () => {
  for (const [index, description] of descriptions.entries()) {
    test(description, async () => {
      const project = await server.approvedProject(description, `App ${index + 1}`)
      const run = await server.post(`/projects/${project.id}/runs`)
      const { data } = await server.reached(project.id, run.id, 'RUN_DECOMPOSED')
      const path = `/projects/${project.id}/runs/${run.id}`
      const { tasksJson, specSnapshot } = await server.get(path)
      const tasks = await server.get(`${path}/tasks`)
      const cancelled = success(await server.call('POST', `${path}/cancel`))
      assert.deepEqual(cancelled, { id: run.id, status: 'cancelled' })

      assert.equal(specSnapshot.documents['ACCEPTANCE.md'], project.spec.documents['ACCEPTANCE.md'])
      checkTasks(tasksJson, specSnapshot.documents['ACCEPTANCE.md'])
      assert.deepEqual(tasks.map((task) => task.slug), tasksJson.mergeOrder.map((id) => tasksJson.tasks.find((task) => task.id === id).slug))
      assert.deepEqual(tasks.map((task) => task.sequence), tasks.map((_, i) => i + 1))
      assert.deepEqual(data.mergeOrder, tasksJson.mergeOrder)
      assert.deepEqual(data.tasks.map((task) => task.id), tasksJson.tasks.map((task) => task.id))
    })
  }

  test('the same description gives the same tasks', async () => {
    const seen = []
    for (let i = 0; i < 2; i++) {
      const project = await server.approvedProject(descriptions[2], 'Twice')
      const run = await server.post(`/projects/${project.id}/runs`)
      await server.reached(project.id, run.id, 'RUN_DECOMPOSED')
      seen.push((await server.get(`/projects/${project.id}/runs/${run.id}`)).tasksJson)
      await server.post(`/projects/${project.id}/runs/${run.id}/cancel`)
    }
    assert.deepEqual(seen[0], seen[1])
  })
})
