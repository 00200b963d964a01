// readers PORT PATH KEY COUNT EVENTS: so many connections at once read the same event stream from its beginning; fails unless
// each gets all events. It takes no times: wrk is the faster reader.
import net from 'node:net'
import { once } from 'node:events'

const [port, path, key] = process.argv.slice(2)
const [count, events] = process.argv.slice(5).map(Number)
const request = `GET ${path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n\r\n`

async function connect() {
  const socket = net.connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  const parts = []
  socket.on('data', (part) => parts.push(part))
  socket.setTimeout(30_000, () => socket.destroy(new Error('a stream did not end')))
  return { socket, parts, ended: once(socket, 'close') }
}

// The body of a chunked answer.
function body(bytes) {
  const parts = []
  let at = bytes.indexOf('\r\n\r\n') + 4
  for (;;) {
    const line = bytes.indexOf('\r\n', at)
    const length = parseInt(bytes.subarray(at, line).toString(), 16)
    if (!(length > 0)) return Buffer.concat(parts).toString()
    parts.push(bytes.subarray(line + 2, line + 2 + length))
    at = line + 2 + length + 2
  }
}

const readers = []
for (let i = 0; i < count; i++) readers.push(await connect())
for (const { socket } of readers) socket.write(request)
await Promise.all(readers.map(({ ended }) => ended))
for (const { parts } of readers) {
  const seen = body(Buffer.concat(parts)).match(/^id: /gm)?.length ?? 0
  if (seen !== events) throw new Error(`a reader got ${seen} of ${events} events`)
}
