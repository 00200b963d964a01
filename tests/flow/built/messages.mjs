// messages: what a webhook was told of a run that succeeded, and of its exports.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../lib.mjs'
import { checkMessage } from '../receiver.mjs'

export function testMessages(built) {
  const { server, project, run, hook, receiver } = built

  describe('messages', () => {
    test('tell all that happened, each once', async () => {
      await until('nothing is pending', 60, async () => (await server.call('GET', `/webhooks/${hook.id}/deliveries?status=pending`)).body.pagination.total === 0)
      for (const message of receiver.got) checkMessage(message, hook.secret)
      assert.equal(new Set(receiver.got.map(({ headers }) => headers['webhook-id'])).size, receiver.got.length)
      const told = (type) => receiver.got.map(({ body }) => body).filter((body) => body.type === type).map(({ data }) => data)

      for (const [type, status] of [['run.started', 'decomposing'], ['run.verifying', 'verifying'], ['run.completed', 'succeeded']]) {
        const own = told(type).filter(({ runId }) => runId === run.id)
        assert.deepEqual(own, [{ projectId: project.id, runId: run.id, runNumber: 1, status, trigger: 'manual', error: null }], type)
      }
      const tasks = built.tasks.map(({ id, slug, sequence }) => ({ id, slug, sequence }))
      for (const [type, status] of [['task.started', 'running'], ['task.completed', 'succeeded']]) {
        const own = told(type).filter(({ runId }) => runId === run.id).sort((a, b) => a.sequence - b.sequence)
        assert.deepEqual(own.map(({ taskId, slug, sequence }) => ({ id: taskId, slug, sequence })), tasks, type)
        for (const data of own) assert.deepEqual([data.status, data.attempts, data.error], [status, 1, null])
      }
      const exports = (await server.get(`/projects/${project.id}/exports`)).filter(({ status }) => status === 'completed')
      assert.ok(exports.length > 0)
      for (const { id, sizeBytes } of exports) assert.deepEqual(told('export.completed').filter(({ exportId }) => exportId === id).map((data) => data.sizeBytes), [sizeBytes])
    })
  })
}
