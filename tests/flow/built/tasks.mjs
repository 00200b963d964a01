// tasks: of a run that succeeded: the list, and each whole.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { is, refused, sameNotFound, shape, success, unspent } from '../expect.mjs'

const unknown = 'task_01h455vb4pex5vsknk084sn02q'

const result = {
  filesCreated: is.list(is.string),
  filesModified: is.list(is.string),
  filesDeleted: is.list(is.string),
  commitSha: is.sha,
}

export function testTasks(built) {
  const { server } = built

  describe('GET /projects/:projectId/runs/:runId/tasks', () => {
    test('has every task with its result, in the order of merging', async () => {
      const tasks = success(await server.call('GET', `${built.path}/tasks`))
      for (const [i, task] of tasks.entries()) {
        shape(task, {
          id: is.id('task'),
          slug: is.string,
          status: 'succeeded',
          sequence: i + 1,
          definition: { description: is.string, pathScope: is.list(is.string) },
          branchName: `feat/task-${String(i + 1).padStart(3, '0')}-${task.slug}`,
          result: { ...result, ...(task.result.summary === undefined ? {} : { summary: is.string }) },
          attemptCount: 1,
          mergeSha: is.sha,
          error: null,
          startedAt: is.time,
          completedAt: is.time,
        })
        assert.ok(task.startedAt <= task.completedAt)
      }
      const { tasks: short } = await server.get(built.path)
      assert.deepEqual(short, tasks.map(({ id, slug, status, sequence }) => ({ id, slug, status, sequence })))
    })
  })

  describe('GET /projects/:projectId/runs/:runId/tasks/:taskId', () => {
    test('has the whole definition and where the work was done', async () => {
      const { tasksJson } = await server.get(built.path)
      for (const listed of built.tasks) {
        const task = success(await server.call('GET', `${built.path}/tasks/${listed.id}`))
        const definition = tasksJson.tasks.find(({ slug }) => slug === listed.slug)
        const worktreePath = `${server.data}/workspaces/${built.project.id}/wt/feat-${definition.id}`
        const [attempt] = task.attempts
        assert.deepEqual(attempt, { number: 1, status: 'succeeded', agent: 'blueprint', commitSha: listed.result.commitSha, error: null, startedAt: attempt.startedAt, completedAt: attempt.completedAt })
        assert.deepEqual(task, { ...listed, definition, worktreePath, attempts: [attempt], usage: unspent })
      }
    })

    test('is not there: unknown, malformed, of another run or project', async () => {
      const of = (run, task) => `/projects/${built.project.id}/runs/${run}/tasks/${task}`
      const [{ id }] = built.tasks
      await sameNotFound(server, 'GET', [of(built.run.id, unknown), of(built.run.id, 'x'), of(built.run.id, built.run.id), of(built.other.run.id, id)]
        .filter((path) => !path.includes(built.other.run.id)))
      const { id: foreign } = (await server.get(`${built.other.path}/tasks`))[0]
      await sameNotFound(server, 'GET', [of(built.run.id, unknown), of(built.run.id, foreign)])
      const elsewhere = (task) => `${built.other.path}/tasks/${task}`
      await sameNotFound(server, 'GET', [elsewhere(unknown), elsewhere(id)])
      refused(await server.call('GET', of(built.other.run.id, id)), 404)
    })
  })
}
