// json: whatever comes as a body is answered well: what is no JSON with 400 and the envelope, what is JSON never with 500.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { refused, success } from './expect.mjs'
import { Server } from './lib.mjs'
import { tell } from './record.mjs'

let server
before(async () => (server = await Server.start({ args: ['--workers', '0'] })))
after(() => server.remove())

// See tests/data/json/README.md.
function rowsOf(file, parts) {
  const lines = readFileSync(new URL(`../data/json/${file}`, import.meta.url), 'utf8').split('\n')
  return lines.filter((line) => line && !line.startsWith('#')).map((line) => {
    const fields = line.split(' | ')
    const [name, place] = fields
    return { name, place, bytes: expanded(fields.slice(parts - 1).join(' | ')) }
  })
}

function expanded(text) {
  const parts = text.split(/(~\(\d+ .*?~\)|~[0-9a-f]{2})/)
  return Buffer.concat(parts.map((part) => {
    const repeat = /^~\((\d+) (.*)~\)$/.exec(part)
    if (repeat) return Buffer.from(repeat[2].repeat(Number(repeat[1])))
    return part.startsWith('~') ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part)
  }))
}

const within = (bytes) => Buffer.concat([Buffer.from('{"name":"Within","description":'), bytes, Buffer.from('}')])

// What is sent, and how the server stands to it. Not through the recorder: what is no JSON is beyond the tools that hold
// traffic against a schema.
async function answersTo(body) {
  const headers = { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' }
  const response = await fetch(`${server.url}/v1/projects`, { method: 'POST', headers, body })
  const text = await response.text()
  assert.ok([201, 400].includes(response.status), `${response.status} ${text.slice(0, 300)}`)
  tell('POST', '/v1/projects', response.status)
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) }
}

function isJson(bytes) {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
    return true
  } catch {
    return false
  }
}

test('what is no JSON is refused as body', async () => {
  const rows = rowsOf('invalid.txt', 2)
  assert.ok(rows.length >= 188)
  for (const { name, bytes } of rows) {
    assert.ok(!isJson(bytes), name)
    refused(await answersTo(bytes), 400, 'body')
    refused(await answersTo(within(bytes)), 400, 'body')
  }
})

test('what is JSON is taken or refused for what it says', async () => {
  const rows = rowsOf('taken.txt', 2)
  assert.ok(rows.length >= 95)
  for (const { name, bytes } of rows) {
    assert.ok(isJson(bytes), name)
    const { error } = (await answersTo(bytes)).body
    assert.doesNotMatch(error.message, /^line \d/, name)
    assert.equal(error.details.field === 'body', !bytes.toString().trim().startsWith('{'), name)
    const inside = await answersTo(within(bytes))
    if (inside.status === 400) assert.doesNotMatch(inside.body.error.message, /^line (?!.*nested too deep)/, name)
  }
})

describe('what is JSON and not taken', () => {
  for (const { name, place, bytes } of rowsOf('sound.txt', 3)) {
    test(`${name}: ${place || 'body'} is named`, async () => {
      assert.ok(isJson(bytes))
      refused(await answersTo(bytes), 400, place || 'body')
    })
  }
})

test('what is open is answered', async () => {
  for (const { bytes } of rowsOf('open.txt', 3)) {
    await answersTo(bytes)
    await answersTo(within(bytes))
  }
})

test('and the server stays well', async () => {
  success(await server.call('POST', '/projects', { name: 'Well', description: 'A recipe box for families.' }), 201)
})
