// stream: the same events over Server-Sent Events: live, again, from anywhere, and no more after the end.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { refused } from '../expect.mjs'

// An event as the stream tells it.
function told({ sequence, eventType, taskId, payload }) {
  return { sequence, type: eventType, data: taskId ? { taskId, ...payload } : payload }
}

export function testStream(built) {
  const { server } = built
  const read = (lastEventId, query) => server.stream(built.project.id, built.run.id, undefined, lastEventId, query)
  const all = () => built.events.map(told)

  describe('GET /projects/:projectId/runs/:runId/events/stream', () => {
    test('told live what polling tells', () => assert.deepEqual(built.live.seen, all()))

    test('told live what a reader saw that broke off and came back again and again', () => {
      assert.ok(built.pieces.count > 3, `${built.pieces.count} pieces`)
      assert.deepEqual(built.pieces.seen, all())
    })

    test('tells it all again after the end, and ends', async () => {
      const { status, seen, headers, retry, text } = await read()
      assert.equal(status, 200)
      assert.equal(headers.get('content-type'), 'text/event-stream')
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.deepEqual(seen, all())
      assert.ok(retry >= 500 && retry <= 30_000, 'it says when to come back')
      assert.equal(text, built.live.text.replaceAll(/^:\n\n/gm, ''), 'the same, byte for byte, but for signs of life')
      for (const line of text.split('\n')) assert.match(line, /^(retry: \d+|id: \d+|event: [A-Z_]+|data: \{.*\}|)$/)
    })

    test('goes on after the Last-Event-ID of the header', async () => {
      for (const last of [0, 1, 57, built.events.length - 1]) assert.deepEqual((await read(last)).seen, all().slice(last))
    })

    test('goes on after the Last-Event-ID of the query', async () => {
      for (const name of ['Last-Event-ID', 'lastEventId']) assert.deepEqual((await read(undefined, `?${name}=57`)).seen, all().slice(57))
      assert.deepEqual((await read(90, '?lastEventId=57')).seen, all().slice(90), 'the header is the newer')
    })

    test('answers 204 when nothing will follow', async () => {
      for (const last of [built.events.length, built.events.length + 1, 999999]) {
        const { status, text, headers } = await read(last)
        assert.deepEqual([status, text], [204, ''])
        assert.equal(headers.get('content-type'), null)
      }
      assert.equal((await read(undefined, `?Last-Event-ID=${built.events.length}`)).status, 204)
    })

    test('tells many readers the same', async () => {
      for (const { seen } of await Promise.all(Array.from({ length: 20 }, () => read()))) assert.deepEqual(seen, all())
    })

    test('refuses what is no sequence, and what it does not know', async () => {
      const call = (query, headers) => server.call('GET', `${built.path}/events/stream${query}`, undefined, headers)
      for (const value of ['x', '-1', '1.5', 'evt_1']) {
        refused(await call('', { 'last-event-id': value }), 400, 'Last-Event-ID')
        refused(await call(`?Last-Event-ID=${value}`), 400, 'Last-Event-ID')
        refused(await call(`?lastEventId=${value}`), 400, 'lastEventId')
      }
      refused(await call('?after=5'), 400, 'after')
    })

    test('answers HEAD with the headers alone', async () => {
      const response = await server.fetch(`/v1${built.path}/events/stream`, { method: 'HEAD' })
      assert.equal(response.status, 200)
      assert.equal(response.headers.get('content-type'), 'text/event-stream')
    })
  })
}
