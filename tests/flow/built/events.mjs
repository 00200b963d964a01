// events: of a run that succeeded, by polling: every filter and limit.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { is, refused, shape, success } from '../expect.mjs'

export function testEvents(built) {
  const { server } = built
  const poll = async (query = '') => success(await server.call('GET', `${built.path}/events${query}`))

  describe('GET /projects/:projectId/runs/:runId/events', () => {
    test('has the first hundred, each with all fields', async () => {
      const events = await poll()
      assert.ok(built.events.length > 100, 'the run is long enough')
      assert.deepEqual(events, built.events.slice(0, 100))
      for (const event of built.events) {
        shape(event, {
          id: is.id('evt'),
          runId: built.run.id,
          taskId: event.eventType.startsWith('TASK') || event.eventType.startsWith('FILE') || event.eventType.startsWith('MERGE') ? is.id('task') : null,
          eventType: is.matching(/^[A-Z]+(_[A-Z]+)+$/),
          payload: is.object,
          sequence: is.int,
          createdAt: is.time,
        })
      }
    })

    test('has as many as asked for', async () => {
      for (const limit of [1, 7, 1000]) assert.deepEqual(await poll(`?limit=${limit}`), built.events.slice(0, limit))
    })

    test('has those after a time, and none at it', async () => {
      for (const at of [0, 3, 60, built.events.length - 1]) {
        const { createdAt } = built.events[at]
        const wanted = built.events.filter((event) => event.createdAt > createdAt)
        assert.deepEqual(await poll(`?limit=1000&after=${createdAt}`), wanted)
        assert.deepEqual(await poll(`?limit=1000&after=${encodeURIComponent(createdAt.replace('Z', '+00:00'))}`), wanted)
      }
      assert.deepEqual(await poll('?limit=1000&after=2020-01-01T00:00:00Z'), built.events)
      assert.deepEqual(await poll('?after=2199-01-01T00:00:00Z'), [])
    })

    test('has those after a sequence', async () => {
      assert.deepEqual(await poll('?afterSequence=0&limit=5'), built.events.slice(0, 5))
      assert.deepEqual(await poll('?afterSequence=42&limit=5'), built.events.slice(42, 47))
      assert.deepEqual(await poll(`?afterSequence=${built.events.length}`), [])
    })

    test('has those of a type, which add up to all', async () => {
      let count = 0
      for (const type of new Set(built.events.map(({ eventType }) => eventType))) {
        const events = await poll(`?type=${type}&limit=1000`)
        assert.deepEqual(events, built.events.filter(({ eventType }) => eventType === type))
        count += events.length
      }
      assert.equal(count, built.events.length)
      assert.deepEqual(await poll('?type=MERGE_CONFLICT'), [])
    })

    test('has those of a task, by its id or its UUID', async () => {
      for (const { id } of built.tasks) {
        const wanted = built.events.filter(({ taskId }) => taskId === id)
        assert.deepEqual(await poll(`?taskId=${id}&limit=1000`), wanted)
        assert.deepEqual(await poll(`?taskId=${uuidOf(id)}&limit=1000`), wanted)
      }
      assert.deepEqual(await poll('?taskId=task_01h455vb4pex5vsknk084sn02q'), [])
    })

    test('takes all filters together', async () => {
      const { id } = built.tasks[1]
      const { createdAt } = built.events.find(({ taskId }) => taskId === id)
      const wanted = built.events.filter((event) => event.taskId === id && event.eventType === 'FILE_CREATED' && event.createdAt > createdAt)
      assert.deepEqual(await poll(`?taskId=${id}&type=FILE_CREATED&after=${createdAt}&limit=3`), wanted.slice(0, 3))
    })

    for (const [query, field] of [
      ['limit=0', 'limit'],
      ['limit=-5', 'limit'],
      ['limit=1001', 'limit'],
      ['limit=x', 'limit'],
      ['limit=1&limit=2', 'limit'],
      ['after=yesterday', 'after'],
      ['after=2024-13-01T00:00:00Z', 'after'],
      ['after=1720000000', 'after'],
      ['afterSequence=-1', 'afterSequence'],
      ['afterSequence=x', 'afterSequence'],
      ['type=NOTHING_SUCH', 'type'],
      ['type=task_started', 'type'],
      ['taskId=x', 'taskId'],
      ['taskId=run_01h455vb4pex5vsknk084sn02q', 'taskId'],
      ['page=2', 'page'],
    ]) {
      test(`refuses ?${query}`, async () => refused(await server.call('GET', `${built.path}/events?${query}`), 400, field))
    }
  })
}

function uuidOf(id) {
  const digits = '0123456789abcdefghjkmnpqrstvwxyz'
  const number = [...id.slice(id.indexOf('_') + 1)].reduce((sum, digit) => sum * 32n + BigInt(digits.indexOf(digit)), 0n)
  return number.toString(16).padStart(32, '0').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
