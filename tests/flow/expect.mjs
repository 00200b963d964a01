// expect: what answers must look like: shapes with every field named, the two envelopes, and errors with their field.
import assert from 'node:assert/strict'

const digits = '0123456789abcdefghjkmnpqrstvwxyz'

// Each takes a value and says whether it is one.
export const is = {
  string: (value) => typeof value === 'string' && value.length > 0,
  boolean: (value) => typeof value === 'boolean',
  int: (value) => Number.isSafeInteger(value) && value >= 0,
  number: (value) => typeof value === 'number' && value >= 0,
  time: (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value) && !Number.isNaN(Date.parse(value)),
  sha: (value) => /^[0-9a-f]{40}$/.test(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  any: () => true,
  id: (prefix) => (value) => typeof value === 'string' && new RegExp(`^${prefix}_[0-7][${digits}]{25}$`).test(value),
  list: (item) => (value) => Array.isArray(value) && (value.forEach((member) => shape(member, item)), true),
  orNull: (type) => (value) => value === null || type(value),
  among: (...words) => (value) => words.includes(value),
  matching: (pattern) => (value) => typeof value === 'string' && pattern.test(value),
}

// What nothing was spent on.
export const unspent = { inputTokens: 0, cachedTokens: 0, outputTokens: 0, costUsd: 0, isComplete: true }
export const unlimited = { costUsd: null, tokens: null }

// Just these fields: a function is one of `is`, an object a shape in it, anything else the value itself.
export function shape(actual, wanted, where = '') {
  if (typeof wanted === 'function') {
    assert.ok(wanted(actual), `${where || 'it'} is ${JSON.stringify(actual)?.slice(0, 300)}, which is not ${wanted}`)
    return
  }
  if (wanted === null || typeof wanted !== 'object' || Array.isArray(wanted)) {
    assert.deepEqual(actual, wanted, where)
    return
  }
  assert.ok(is.object(actual), `${where || 'it'} is ${JSON.stringify(actual)}, not an object`)
  assert.deepEqual(Object.keys(actual).sort(), Object.keys(wanted).sort(), `fields of ${where || 'it'}`)
  for (const [name, type] of Object.entries(wanted)) shape(actual[name], type, `${where}.${name}`)
}

const json = /^application\/json(; charset=utf-8)?$/

// Enough of an answer to see what it is.
function excerpt(answer) {
  return `${answer.status} ${answer.text?.slice(0, 500)}`
}

// The data of a success.
export function success(answer, status = 200) {
  assert.equal(answer.status, status, excerpt(answer))
  assert.match(answer.headers.get('content-type'), json)
  assert.deepEqual(Object.keys(answer.body), ['success', 'data'])
  assert.equal(answer.body.success, true)
  return answer.body.data
}

// The items of a page; pagination is checked against what is said of it.
export function page(answer, { page = 1, pageSize = 20, total }) {
  assert.equal(answer.status, 200, excerpt(answer))
  assert.deepEqual(Object.keys(answer.body), ['success', 'data', 'pagination'])
  assert.equal(answer.body.success, true)
  assert.deepEqual(answer.body.pagination, { page, pageSize, total, totalPages: Math.ceil(total / pageSize) })
  return answer.body.data
}

const codes = {
  400: 'VALIDATION_ERROR',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  409: 'CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  416: 'VALIDATION_ERROR',
  426: 'VALIDATION_ERROR',
  429: 'RATE_LIMITED',
}

// The error of a refusal, which names the field at fault when there is one.
export function refused(answer, status, field) {
  assert.equal(answer.status, status, excerpt(answer))
  assert.match(answer.headers.get('content-type'), json)
  assert.deepEqual(Object.keys(answer.body), ['success', 'error'])
  assert.equal(answer.body.success, false)
  const { error } = answer.body
  assert.deepEqual(Object.keys(error), ['code', 'message', 'details'])
  assert.equal(error.code, codes[status])
  assert.ok(is.string(error.message))
  assert.ok(is.object(error.details))
  assert.equal(error.details.requestId, answer.headers.get('x-request-id'))
  assert.equal(error.details.field, field, excerpt(answer))
  if (field !== undefined) {
    assert.ok(error.details.fields.some((fault) => fault.field === field && is.string(fault.message)))
  }
  return error
}

// All fields at fault, in order.
export function faultsOf(answer) {
  return answer.body.error.details.fields.map((fault) => fault.field)
}

// A 404 says the same of what is not there, of what is another's, and of what cannot be an id: byte for byte.
export async function sameNotFound(server, method, paths, body) {
  const answers = []
  for (const path of paths) {
    const answer = await server.call(method, path, body, { 'x-request-id': 'the-same' })
    refused(answer, 404, answer.body.error?.details?.field)
    answers.push({ text: answer.text, headers: [...answer.headers].filter(([name]) => name !== 'date') })
  }
  for (const answer of answers) assert.deepEqual(answer, answers[0])
  return answers[0]
}

// What every endpoint that reads a JSON body refuses, whatever the fields. `good` would be accepted.
export async function refusesBadBodies(server, method, path, good) {
  const bad = {
    'broken JSON': '{"name": ',
    'nothing but white space': ' \n ',
    'an array': '[]',
    'a number': '1',
    'null': 'null',
    'a text after it': `${JSON.stringify(good)} x`,
    'a trailing comma': '{"a": 1,}',
    'NaN': '{"a": NaN}',
    'not UTF-8': new Uint8Array([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
    'half a surrogate': '{"name": "\\ud800"}',
    'nested too deep': '['.repeat(5000) + ']'.repeat(5000),
  }
  for (const [what, body] of Object.entries(bad)) {
    const answer = await server.call(method, path, body)
    assert.equal(answer.status, 400, `${what} is refused: ${excerpt(answer)}`)
    refused(answer, 400, 'body')
  }
  // JSON that says what cannot be: the field is named.
  for (const text of ['{"name": "a", "name": "b"}', '{"name": "a\\u0000b"}', '{"name": 1e999}']) {
    refused(await server.call(method, path, text), 400, 'name')
  }
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx']) {
    refused(await server.call(method, path, JSON.stringify(good), { 'content-type': type }), 415)
  }
  const untyped = await server.call(method, path, new TextEncoder().encode(JSON.stringify(good)), { 'content-type': '' })
  refused(untyped, 415)
  refused(await server.call(method, path, JSON.stringify({ ...good, padding: 'x'.repeat(1 << 20) })), 413)
}

// An endpoint without fields of its own: an absent body or {} will do; a member of it is not known.
export async function refusesMembers(server, method, path) {
  const answer = await server.call(method, path, { surplus: 1 })
  refused(answer, 400, 'surplus')
}

// Nobody but the holder of a key.
export async function needsKey(server, method, path, body) {
  for (const authorization of [undefined, 'Basic YTpi', 'Bearer', 'Bearer ', `Bearer pzm_${'0'.repeat(38)}`, server.key]) {
    const answer = await server.call(method, path, body, { authorization })
    refused(answer, 401)
    assert.match(answer.headers.get('www-authenticate'), /^Bearer/)
  }
}
