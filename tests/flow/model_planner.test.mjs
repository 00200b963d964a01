// model_planner: planning by a language model, which is scripted, in its provider's true wire format.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { answerOf, purposeOf } from '../models/planned.mjs'
import { criteria, description, readingList, tasks } from '../models/reading_list.mjs'
import { ModelServer } from '../models/server.mjs'
import { defaultAnswers, Server, until } from './lib.mjs'

// What the model says to each project, by its name: a function of what is asked for, or nothing: as it should.
const plays = new Map()
const asked = [] // {name, purpose, turn}
let models, server

const answer = (asked) => answerOf(readingList, asked)

// A promise with its end in one's own hands.
function gate() {
  const made = {}
  made.opened = new Promise((resolve) => (made.open = resolve))
  return made
}

const nameOf = (request) => /(?:Name: |Take the building of )([A-Za-z0-9 ]+?)(?:\\n| apart)/.exec(JSON.stringify(request.body))[1]

async function play(request) {
  const { purpose, turn } = purposeOf(request, tasks)
  const name = nameOf(request)
  asked.push({ name, purpose, turn, request })
  return (await plays.get(name)?.({ purpose, turn, request })) ?? answer({ purpose, turn: 0 })
}

const askedOf = (name, purpose) => asked.filter((call) => call.name === name && call.purpose === purpose)

let count = 0
// A project whose model plays this.
async function project(script, on = server) {
  const name = `List ${++count}`
  if (script) plays.set(name, script)
  return on.draft(description, name)
}

async function planned(script) {
  const made = await project(script)
  const { questions } = await server.post(`/projects/${made.id}/clarify`)
  const { spec } = await server.post(`/projects/${made.id}/answers`, { answers: defaultAnswers(questions) })
  return { ...made, questions, spec }
}

async function decomposing(script) {
  const made = await planned(script)
  await server.post(`/projects/${made.id}/approve`)
  return { made, run: await server.post(`/projects/${made.id}/runs`) }
}

const modelArgs = (provider) => ['--planner', 'model', '--model-provider', provider, '--model', 'some-model', '--model-url', models.address(provider)]

before(async () => {
  models = await ModelServer.start(play)
  server = await Server.start({ args: modelArgs('chat') })
})
after(async () => {
  await server.remove()
  await models.close()
})

// The steps in order, then as it should.
const inOrder = (steps) => () => steps.shift()

describe('from a description to tasks', () => {
  test('questions, spec, tasks', async () => {
    // The tasks are others' business: the run ends when they would begin.
    const { made, run } = await decomposing(({ purpose }) => (tasks.some(({ slug }) => slug === purpose) ? new Promise(() => {}) : undefined))
    assert.deepEqual(made.questions[0], { id: 'q1', question: 'Who may change the list?', type: 'single_choice', options: ['Whoever reaches it', 'One person'], default: 'Whoever reaches it' })
    assert.deepEqual(made.questions.slice(1).map(({ id, type, default: fallback }) => [id, type, fallback]), [['q2', 'boolean', true], ['q3', 'text', 'Reading list']])
    const { documents, openPoints } = made.spec
    assert.deepEqual(Object.keys(documents), ['SPEC.md', 'ACCEPTANCE.md', 'ROUTES.md', 'DATA.md'])
    for (const { id, title } of criteria) assert.ok(documents['ACCEPTANCE.md'].includes(`### ${id} ${title}`))
    assert.ok(documents['ROUTES.md'].includes('| PATCH | `/api/books/[id]` | anyone | Changes a book |'))
    assert.match(documents['SPEC.md'], /^# List \d+: specification\n\nA reading list holds books/)
    assert.deepEqual(openPoints, ['There are no accounts: everybody sees the same list.'])
    await server.reached(made.id, run.id, 'RUN_DECOMPOSED')
    const seen = await server.get(`/projects/${made.id}/runs/${run.id}`)
    assert.deepEqual(seen.tasksJson.mergeOrder, ['task-001', 'task-002', 'task-003', 'task-004'])
    assert.deepEqual(seen.tasks.map(({ slug }) => slug), tasks.map(({ slug }) => slug))
    const ended = await server.post(`/projects/${made.id}/runs/${run.id}/cancel`)
    assert.equal(ended.status, 'cancelled')
  })

  test('what was asked and answered is told to the model', async () => {
    const made = await planned()
    const prompt = JSON.stringify(askedOf(made.name, 'spec')[0].request.body)
    assert.ok(prompt.includes('Who may change the list? Whoever reaches it'))
    assert.ok(prompt.includes(description))
    assert.ok(!prompt.includes(made.id), 'nothing that differs from run to run')
  })

  test('feedback goes to the model with the version before', async () => {
    const made = await planned()
    const { spec } = await server.post(`/projects/${made.id}/regenerate`, { feedback: 'Add more detail about covers' })
    assert.equal(spec.version, 2)
    const prompt = JSON.stringify(askedOf(made.name, 'spec')[1].request.body)
    assert.ok(prompt.includes('- Add more detail about covers'))
    assert.ok(prompt.includes('There is an earlier version'))
  })

  test('edited documents stay word for word', async () => {
    const made = await planned()
    const text = `${made.spec.documents['SPEC.md']}\nBooks have covers.\n`
    const { spec } = await server.answer('PUT', `/projects/${made.id}/spec`, { documents: { 'SPEC.md': text } })
    assert.equal(spec.documents['SPEC.md'], text)
    assert.equal(spec.documents['DATA.md'], made.spec.documents['DATA.md'])
    assert.ok(JSON.stringify(askedOf(made.name, 'spec')[1].request.body).includes('Books have covers.'))
  })
})

describe('answers that are not as they should be', () => {
  test('the faults are told, and mended', async () => {
    const made = await project(inOrder([{ text: 'Let me think.' }, { json: { questions: [] } }]))
    const { questions } = await server.post(`/projects/${made.id}/clarify`)
    assert.equal(questions.length, 3)
    const calls = askedOf(made.name, 'questions')
    assert.deepEqual(calls.map(({ turn }) => turn), [0, 1, 2])
    assert.ok(JSON.stringify(calls[1].request.body).includes('the answer is no JSON object'))
    assert.ok(JSON.stringify(calls[2].request.body).includes('has 0 items, where 3 to 7 are due'))
  })

  test('four times wrong: a clear error, and nothing has changed', async () => {
    const made = await planned()
    plays.set(made.name, ({ purpose }) => (purpose === 'spec' ? { json: { ...answer({ purpose, turn: 0 }).json, criteria: [] } } : undefined))
    const { status, body } = await server.call('POST', `/projects/${made.id}/regenerate`, { feedback: 'More' })
    assert.equal(status, 503)
    assert.equal(body.error.code, 'UNAVAILABLE')
    assert.match(body.error.message, /The model did not answer as it should, 4 times; the last time: "criteria" has 0 items/)
    assert.equal(askedOf(made.name, 'spec').length, 5)
    const seen = await server.get(`/projects/${made.id}`)
    assert.deepEqual([seen.status, seen.spec.version], ['spec_review', 1])
    plays.delete(made.name)
    assert.equal((await server.post(`/projects/${made.id}/regenerate`)).spec.version, 2)
    assert.ok(!JSON.stringify(askedOf(made.name, 'spec').at(-1).request.body).includes('- More'), 'the feedback was not kept')
  })

  test('a run whose tasks are wrong four times has failed, and is not tried again', async () => {
    const { made, run } = await decomposing(({ purpose }) => (purpose === 'decompose' ? { json: { tasks: [], mergeOrder: [] } } : undefined))
    const ended = await server.finished(made.id, run.id)
    assert.equal(ended.status, 'failed')
    assert.match(ended.error, /4 times; the last time: "tasks" has 0 items/)
    assert.equal(askedOf(made.name, 'decompose').length, 4)
  })
})

describe('a model that does not answer', () => {
  const fault = (kind, more = {}) => ({ fault: { kind, ...more } })
  const rows = [
    ['too many requests', fault('status', { status: 429, headers: { 'retry-after': '0' }, error: { message: 'slow down' } })],
    ['overloaded', fault('status', { status: 529, error: { type: 'overloaded_error', message: 'Overloaded' } })],
    ['an answer that breaks off', { ...answer({ purpose: 'questions' }), fault: 'cut' }],
  ]
  for (const [what, step] of rows) {
    test(`${what}: asked again`, async () => {
      const made = await project(inOrder([step]))
      assert.equal((await server.post(`/projects/${made.id}/clarify`)).questions.length, 3)
      assert.equal(askedOf(made.name, 'questions').length, 2)
    })
  }

  const refusals = [
    ['a wrong key', fault('status', { status: 401, error: { message: 'invalid key' } }), /401: invalid key/],
    ['a used-up quota', fault('status', { status: 429, error: { type: 'insufficient_quota', code: 'insufficient_quota', message: 'You exceeded your current quota' } }), /exceeded your current quota/],
    ['a refusal', { text: 'I will not.', stop: 'refusal' }, /The model refuses to plan this/],
  ]
  for (const [what, step, pattern] of refusals) {
    test(`${what}: a clear error, and nothing has changed`, async () => {
      const made = await project(() => step)
      const { status, body } = await server.call('POST', `/projects/${made.id}/clarify`)
      assert.deepEqual([status, body.error.code], [503, 'UNAVAILABLE'])
      assert.match(body.error.message, pattern)
      assert.equal((await server.get(`/projects/${made.id}`)).status, 'draft')
    })
  }

  test('a quota that is used up while decomposing: the run waits', async () => {
    const { made, run } = await decomposing(({ purpose }) => (purpose === 'decompose' ? refusals[1][1] : undefined))
    await server.reached(made.id, run.id, 'RUN_WAITING')
    const seen = await server.get(`/projects/${made.id}/runs/${run.id}`)
    assert.equal(seen.status, 'waiting')
    plays.delete(made.name)
    plays.set(made.name, ({ purpose }) => (purpose === 'decompose' ? undefined : new Promise(() => {})))
    await server.post(`/projects/${made.id}/runs/${run.id}/resume`)
    await server.reached(made.id, run.id, 'RUN_DECOMPOSED')
    await server.post(`/projects/${made.id}/runs/${run.id}/cancel`)
  })

  test('an account that may not spend anything is refused before anything is sent', async () => {
    const tenant = await server.tenant()
    await server.answer('PATCH', `/admin/accounts/${tenant.account.id}`, { limits: { tokensPerMonth: 10 } })
    const made = await project(undefined, tenant)
    const { status, body } = await tenant.call('POST', `/projects/${made.id}/clarify`)
    assert.deepEqual([status, body.error.code], [409, 'CONFLICT'])
    assert.match(body.error.message, /limit for this month of 10 tokens has no room/)
    assert.equal(askedOf(made.name, 'questions').length, 0)
  })
})

describe('while the model thinks', () => {
  // Until the model was asked for this.
  const asking = (made, purpose = 'questions') => until(`${made.name} is asked for ${purpose}`, 30, async () => askedOf(made.name, purpose).length > 0)

  test('whoever gives up finds it done', async () => {
    const held = gate()
    const made = await project(() => held.opened)
    const aborter = new AbortController()
    const gone = server.fetch(`/v1/projects/${made.id}/clarify`, { method: 'POST', signal: aborter.signal })
    await asking(made)
    aborter.abort()
    await assert.rejects(gone)
    held.open()
    const done = await until('the questions are there', 30, async () => {
      const seen = await server.get(`/projects/${made.id}`)
      return seen.status === 'clarifying' && seen
    })
    assert.equal(done.status, 'clarifying')
    assert.equal(askedOf(made.name, 'questions').length, 1)
  })

  test('two equal requests are paid once, and another is refused', async () => {
    const held = gate()
    const made = await project(() => held.opened)
    const first = server.post(`/projects/${made.id}/clarify`)
    await asking(made)
    const second = server.post(`/projects/${made.id}/clarify`)
    await until('both wait', 30, async () => {
      const { text } = await server.fetch('/metrics').then(async (response) => ({ text: await response.text() }))
      return Number(/^prazium_http_requests_in_flight (\d+)$/m.exec(text)[1]) >= 3 // and this one
    })
    const other = await server.call('POST', `/projects/${made.id}/answers`, { answers: [] })
    assert.deepEqual([other.status, other.body.error.code], [409, 'CONFLICT'])
    assert.match(other.body.error.message, /planning this project already/)
    held.open()
    assert.deepEqual(await second, await first)
    assert.equal(askedOf(made.name, 'questions').length, 1)
  })

  test('a project that is changed meanwhile keeps the change', async () => {
    const held = gate()
    const made = await project(() => held.opened)
    const first = server.call('POST', `/projects/${made.id}/clarify`)
    await asking(made)
    await server.answer('PATCH', `/projects/${made.id}`, { description: 'Another list altogether, of films.' })
    held.open()
    const { status, body } = await first
    assert.deepEqual([status, body.error.code], [409, 'CONFLICT'])
    assert.match(body.error.message, /changed by another request meanwhile/)
    assert.equal((await server.get(`/projects/${made.id}`)).status, 'draft')
  })

  test('a repeat under the same key has the same answer', async () => {
    const made = await project()
    const headers = { 'idempotency-key': `clarify-${made.id}` }
    const first = await server.call('POST', `/projects/${made.id}/clarify`, undefined, headers)
    const second = await server.call('POST', `/projects/${made.id}/clarify`, undefined, headers)
    assert.deepEqual([first.status, second.text], [200, first.text])
    assert.equal(askedOf(made.name, 'questions').length, 1)
    await server.post(`/projects/${made.id}/clarify`)
    assert.equal(askedOf(made.name, 'questions').length, 2)
  })

  test('others are served, however many wait', async () => {
    const held = gate()
    const many = await Promise.all(Array.from({ length: 30 }, () => project(() => held.opened)))
    const waiting = many.map(({ id }) => server.post(`/projects/${id}/clarify`))
    await Promise.all(many.map((made) => asking(made)))
    assert.equal((await project()).status, 'draft')
    held.open()
    for (const { questions } of await Promise.all(waiting)) assert.equal(questions.length, 3)
  })

  test('a run that is cancelled ends at once', async () => {
    const { made, run } = await decomposing(({ purpose }) => (purpose === 'decompose' ? { fault: 'hang' } : undefined))
    await asking(made, 'decompose')
    const ended = await server.post(`/projects/${made.id}/runs/${run.id}/cancel`)
    assert.equal(ended.status, 'cancelled')
    assert.equal(askedOf(made.name, 'decompose').length, 1)
  })

  test('a server that stops does not wait for it', async () => {
    const other = await Server.start({ args: modelArgs('anthropic') })
    const made = await project(() => ({ fault: 'hang' }), other)
    const refused = other.call('POST', `/projects/${made.id}/clarify`)
    await asking(made)
    await other.stop()
    const { status, body } = await refused
    assert.deepEqual([status, body.error.code], [503, 'UNAVAILABLE'])
    await other.remove()
  })
})
