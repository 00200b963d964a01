// readers PORT PATH KEY COUNT EVENTS: so many connections read the same event stream from its beginning; one line of JSON says
// how long it took until each had all of it. What came is looked through only after that.
import net from 'node:net'
import { once } from 'node:events'

const [port, path, key, count, events] = process.argv.slice(2)
const end = Buffer.from('\r\n0\r\n\r\n')

async function connect() {
  const socket = net.connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  const parts = []
  const finished = new Promise((resolve, reject) => {
    socket.on('data', (part) => {
      parts.push(part)
      if (part.length >= end.length ? part.subarray(-end.length).equals(end) : Buffer.concat(parts).subarray(-end.length).equals(end))
        resolve()
    })
    socket.on('close', resolve)
    socket.on('error', reject)
    setTimeout(() => reject(new Error('a stream did not end within 30 s')), 30_000).unref()
  })
  return { socket, parts, finished }
}

// The body of a chunked answer.
function body(bytes) {
  const parts = []
  let at = bytes.indexOf('\r\n\r\n') + 4
  if (!/^transfer-encoding: chunked\r$/im.test(bytes.subarray(0, at).toString())) return bytes.subarray(at)
  for (;;) {
    const line = bytes.indexOf('\r\n', at)
    const length = parseInt(bytes.subarray(at, line).toString(), 16)
    if (!(length > 0)) return Buffer.concat(parts)
    parts.push(bytes.subarray(line + 2, line + 2 + length))
    at = line + 2 + length + 2
  }
}

const readers = []
for (let i = 0; i < Number(count); i++) readers.push(await connect())
const began = performance.now()
for (const { socket } of readers)
  socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${key}\r\nAccept: text/event-stream\r\n\r\n`)
await Promise.all(readers.map(({ finished }) => finished))
const elapsed = performance.now() - began

let bytes = 0
for (const { socket, parts } of readers) {
  socket.destroy()
  const text = body(Buffer.concat(parts)).toString()
  bytes += text.length
  const seen = text.match(/^id: /gm)?.length ?? 0
  if (seen !== Number(events)) throw new Error(`a reader got ${seen} of ${events} events`)
}
console.log(JSON.stringify({ elapsed_ms: elapsed, deliveries: count * events, bytes, rate: (count * events * 1000) / elapsed }))
