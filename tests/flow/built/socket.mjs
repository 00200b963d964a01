// socket: the same events over WebSocket: live, in pieces, and through the project's channel.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { open } from '../sockets.mjs'

const isEnd = ({ type, data }) => type === 'complete' || data?.eventType === 'RUN_COMPLETED'

async function whole(server, channel, after) {
  const socket = await open(server)
  await socket.subscribe(channel, after)
  const messages = await socket.until(isEnd)
  await socket.close()
  return messages
}

// From where the last connection broke off, again and again.
async function inPieces(server, channel) {
  const pieces = { messages: [], count: 0 }
  while (pieces.messages.at(-1)?.data?.eventType !== 'RUN_COMPLETED') {
    const socket = await open(server)
    await socket.subscribe(channel, pieces.messages.at(-1)?.data.sequence ?? 0)
    let left = 25
    pieces.messages.push(...(await socket.until((message) => --left === 0 || isEnd(message))))
    pieces.count++
    socket.ws.terminate()
  }
  return pieces
}

// Follows a run that has just begun, to its end.
export async function follow(server, project, run) {
  const [live, pieces, ofProject] = await Promise.all([whole(server, `run:${run.id}`), inPieces(server, `run:${run.id}`), whole(server, `project:${project.id}`, {})])
  return { live, pieces, ofProject }
}

export function testSocket(built) {
  const told = (channel) => built.events.map(({ createdAt, ...event }) => ({ type: 'event', channel, data: { ...event, timestamp: createdAt } }))
  const ofRun = () => told(`run:${built.run.id}`)

  describe('GET /ws', () => {
    test('told live what polling tells', () => assert.deepEqual(built.sockets.live.filter(({ type }) => type === 'event'), ofRun()))

    test('told live what a reader saw that broke off and came back again and again', () => {
      assert.ok(built.sockets.pieces.count > 3, `${built.sockets.pieces.count} pieces`)
      assert.deepEqual(built.sockets.pieces.messages, ofRun())
    })

    test("told live, through the project's channel, what polling tells", () => assert.deepEqual(built.sockets.ofProject, told(`project:${built.project.id}`)))

    test('tells it all again after the end, and that it is complete', async () => {
      const channel = `run:${built.run.id}`
      const socket = await open(built.server)
      await socket.subscribe(channel)
      assert.deepEqual(await socket.until(({ type }) => type === 'complete'), [...ofRun(), { type: 'complete', channel }])
      await socket.close()
    })
  })
}
