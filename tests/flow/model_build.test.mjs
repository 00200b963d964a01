// model_build: from a description to a verified app by the model planner and the model agent, against a scripted model
// server; what models' servers do wrong on the way; limits of money; recordings. The models are scripted, all else is real.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { calls, proof, purposeOf, route, scriptOf, step } from '../models/planned.mjs'
import { criteria, description, files, readingList } from '../models/reading_list.mjs'
import { ModelServer } from '../models/server.mjs'
import { checkSucceeded } from './ended.mjs'
import { is } from './expect.mjs'
import { Server, temporaryFolder, until } from './lib.mjs'
import { gitLines, prazium, processesOf } from './programs.mjs'

const key = 'sk-very-secret-0123456789'
const recording = new URL('../../recordings/reading-list', import.meta.url).pathname

let models, folder, keyFile
before(async () => {
  models = await ModelServer.start()
  folder = await temporaryFolder()
  keyFile = join(folder, 'key')
  writeFileSync(keyFile, key, { mode: 0o600 })
})
after(async () => {
  await models.close()
  await rm(folder, { recursive: true, force: true })
})

// The options of a server whose planner and agent are the model that this script plays.
function modelled(name, provider, script, model = 'claude-sonnet-4-5') {
  models.set(name, script, { key })
  return ['--planner', 'model', '--agent', 'model', '--model', model, '--model-provider', provider, '--model-url', models.address(provider, name), '--model-key-file', keyFile]
}

// What was asked for, in order: 'api 0', 'api 1', …
const asked = (name, app) => models.requests(name).map((request) => purposeOf(request, app.tasks)).map(({ purpose, turn }) => `${purpose} ${turn}`)

const recorded = (dir) => readdirSync(dir, { recursive: true }).filter((path) => path.endsWith('.json')).sort()
const read = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'))

function checkPlan({ questions, spec }) {
  assert.deepEqual(questions.map(({ id, type }) => [id, type]), [['q1', 'single_choice'], ['q2', 'boolean'], ['q3', 'text']])
  for (const { id, title } of criteria) assert.ok(spec.documents['ACCEPTANCE.md'].includes(`### ${id} ${title}`), id)
}

const status = (code, headers, error = {}) => ({ fault: { kind: 'status', status: code, headers, error } })

describe('a reading list', () => {
  // Some requests are refused at first: that changes nothing of what comes of it.
  const faults = { spec: [status(529, {}, { type: 'overloaded_error' })], foundation: [status(500)], api: [status(429, { 'retry-after': '1' })] }
  let server, project, ended, tape
  before(async () => {
    tape = join(folder, 'tape')
    server = await Server.start({ args: [...modelled('list', 'anthropic', scriptOf(readingList, faults)), '--record', tape] })
    project = await server.approvedProject(description, 'Reading list')
    const run = await server.post(`/projects/${project.id}/runs`)
    await server.finished(project.id, run.id)
    ended = await checkSucceeded(server, project, run)
  })
  after(() => server.remove())

  test('is planned by the model, carried out by it, and every criterion is proven by what the app answers', async () => {
    checkPlan(project)
    const { run, tasks } = ended
    assert.deepEqual(tasks.map(({ slug }) => slug), readingList.tasks.map(({ slug }) => slug))
    assert.deepEqual(gitLines(project.repoPath, 'ls-tree', '-r', '--name-only', 'main').sort(), Object.keys(files))
    const proofs = run.verificationResult.criteria.map(({ id, evidence }) => [id, evidence.kind, evidence.exchanges?.length])
    assert.deepEqual(proofs, criteria.map(({ id, check }) => [id, check.kind, check.kind === 'http' ? check.steps.length : undefined]))
    assert.equal(run.verificationResult.criteria[2].evidence.exchanges[0].response.status, 200)
  })

  test('asks the model for each thing until it answers, and counts what it used', async () => {
    const told = asked('list', readingList), answered = new Set(told)
    assert.deepEqual(told.filter((name, at) => told.indexOf(name) !== at).sort(), ['api 0', 'foundation 0', 'spec 0'])
    assert.deepEqual([...answered].slice(0, 3), ['questions 0', 'spec 0', 'decompose 0'])
    const { usage } = ended.run
    const ofRun = answered.size - 2 // questions and spec came before it
    assert.deepEqual([usage.inputTokens, usage.outputTokens, usage.isComplete], [100 * ofRun, 20 * ofRun, true])
    assert.equal(usage.costUsd, ofRun * (100 * 3 + 20 * 15) / 1e6)
  })

  test('is recorded as the recording that comes with Prazium, without the key', () => {
    // `node tests/models/record.mjs` makes that one anew when prompts change.
    assert.deepEqual(recorded(tape), recorded(recording))
    for (const path of recorded(tape).filter((name) => name !== 'recording.json')) {
      assert.equal(read(tape, path).requestHash, read(recording, path).requestHash, `${path}: recordings/reading-list is of other prompts: node tests/models/record.mjs`)
      assert.ok(!readFileSync(join(tape, path), 'utf8').includes(key))
    }
  })
})

describe('a recording', () => {
  const replay = (args, options) => prazium(['build', '--yes', '--preview', 'off', '--replay', recording, ...args], { seconds: 600, ...options })

  test('becomes a verified app with neither key nor network', async () => {
    const data = await temporaryFolder()
    const { code, stdout, stderr } = await replay(['--data', data, '--name', 'Reading list', '--out', join(folder, 'list.zip'), description])
    assert.equal(code, 0, stdout.slice(-3000) + stderr)
    assert.match(stdout, new RegExp(`${criteria.length} of ${criteria.length} proven`))
    await rm(data, { recursive: true, force: true })
  })

  test('of something else does not fit, and says where', async () => {
    const data = await temporaryFolder()
    const { code, stderr } = await replay(['--data', data, '--name', 'Reading list', 'A place where bees are counted by beekeepers.'])
    assert.notEqual(code, 0)
    assert.match(stderr, /the recording does not fit: call 1 of questions was another, message 1 of it differs/)
    await rm(data, { recursive: true, force: true })
  })
})

// An app of a few notes, which no one could build: its tasks are carried out in moments, and its verification fails at once.
const notes = (count) => {
  const tasks = Array.from({ length: count }, (_, at) => ({
    slug: `note-${at + 1}`, description: `Note ${at + 1}`, instructions: `Write the file notes/${at + 1}.md with one line of text in it.`,
    dependencies: at ? [`note-${at}`] : [], pathScope: [`notes/${at + 1}.md`], expectedOutputs: [`notes/${at + 1}.md`], criteria: ['AC-1'],
  }))
  const spec = {
    tagline: 'Some notes', spec: 'Notes are kept as files of the repository. There is nothing else to it, and nobody needs more than that.',
    data: 'There is no data but the notes themselves, which are files: each of them has one line of text.',
    routes: [route('GET', '/api/health', 'Whether the app is well')], setup: [], openPoints: [],
    criteria: [{ id: 'AC-1', title: 'The app is well', statement: 'When it is asked, then it is well.', check: proof('http', [step('Well', 'GET', '/api/health', 200)]) }],
  }
  const work = ({ expectedOutputs: [path] }) => [
    { toolCalls: calls(0, [['write_file', { path, content: 'A line.\n' }]]) },
    { toolCalls: calls(1, [['finish', { summary: 'Wrote it.' }]]) },
  ]
  return { questions: readingList.questions, spec, tasks, work }
}

// What passes: the answer comes with a later attempt. How often it is asked for, then.
const passing = {
  'too many requests': [[status(429, { 'retry-after': '1' })], 2],
  'an overloaded server': [[status(529, {}, { type: 'overloaded_error' }), status(529, {}, { type: 'overloaded_error' })], 3],
  'a stream that is cut': [[{ fault: 'cut' }], 2],
  'a slow answer': [[{ fault: { kind: 'drip', bytes: 40 } }], 1],
  'a stream that is not JSON': [[{ fault: 'malformed' }], 2],
  'a connection that breaks': [[{ fault: 'reset' }], 2],
  'an error in the stream': [[{ fault: 'error-event' }], 2],
}
const wrong = { json: { something: 'else' } }

describe('faults of the model', () => {
  let server
  const app = notes(1)
  // Each project has its own script: its name is in every request.
  const scripts = new Map()
  const script = (request) => {
    const text = JSON.stringify(request.body)
    const [, play] = [...scripts].find(([name]) => text.includes(name)) ?? []
    return play(request)
  }
  before(async () => (server = await Server.start({ args: modelled('faults', 'chat', script) })))
  after(() => server.remove())

  const draft = (name, faults) => {
    scripts.set(name, scriptOf(app, faults))
    return server.draft('Notes, kept as files, for whoever wants to read them.', name)
  }
  const times = (name, purpose) => models.requests('faults').filter((request) => JSON.stringify(request.body).includes(name))
    .map((request) => purposeOf(request, app.tasks)).filter((found) => found.purpose === purpose).length

  // The run of a project whose planning goes well. It never succeeds: what it builds is no app.
  async function ran(name, faults) {
    scripts.set(name, scriptOf(app, faults))
    const project = await server.approvedProject('Notes, kept as files, for whoever wants to read them.', name)
    const run = await server.post(`/projects/${project.id}/runs`, { maxAttempts: 1 })
    const read = await server.finished(project.id, run.id)
    assert.equal(read.status, 'failed')
    const [task] = await server.get(`/projects/${project.id}/runs/${run.id}/tasks`)
    return { project, run: read, task }
  }

  for (const [what, [steps, requests]] of Object.entries(passing)) {
    test(`${what}, while it plans and while it works`, async () => {
      const name = `Passing ${what}`
      const { run, task } = await ran(name, { questions: steps, spec: steps, decompose: steps, 'note-1': steps })
      assert.equal(task.status, 'succeeded', task.error)
      assert.match(run.error, /verification failed/)
      for (const purpose of ['questions', 'spec', 'decompose']) assert.equal(times(name, purpose), requests, purpose)
      assert.equal(times(name, 'note-1'), requests + 1)
    })
  }

  const lasting = {
    'a refused request': [Array(3).fill(status(400, {}, { message: 'no such parameter' })), /no such parameter/],
    'a wrong key': [Array(3).fill(status(401, {}, { message: 'invalid key' })), /invalid key/],
    'a page instead of an answer': [Array(3).fill({ fault: 'html' }), /text\/html/],
    'answers without end': [Array(6).fill({ fault: 'huge' }), /larger than|too large/],
  }
  for (const [what, [steps, pattern]] of Object.entries(lasting)) {
    test(`${what}, while it plans: nothing is stored`, async () => {
      const project = await draft(`Planning ${what}`, { questions: steps })
      const answer = await server.call('POST', `/projects/${project.id}/clarify`)
      assert.ok(answer.status >= 400, answer.text)
      assert.match(answer.body.error.message, pattern)
      assert.ok(!answer.text.includes(key))
      assert.equal((await server.get(`/projects/${project.id}`)).status, 'draft')
    })

    test(`${what}, while it works: the task has failed, and says why`, async () => {
      const { run, task, project } = await ran(`Working ${what}`, { 'note-1': steps })
      assert.equal(task.status, 'failed')
      assert.match(task.error, pattern)
      assert.ok(!JSON.stringify([task, run, await server.events(project.id, run.id)]).includes(key))
    })

    test(`${what}, while it divides the work: the run has failed, and says why`, async () => {
      scripts.set(`Dividing ${what}`, scriptOf(app, { decompose: Array(20).fill(steps[0]) }))
      const project = await server.approvedProject('Notes, kept as files, for whoever wants to read them.', `Dividing ${what}`)
      const run = await server.post(`/projects/${project.id}/runs`)
      const { status: state, error } = await server.finished(project.id, run.id)
      assert.equal(state, 'failed')
      assert.match(error, pattern)
    })
  }

  test('answers of another form are told what is wrong with them, and are the end the fourth time', async () => {
    const project = await draft('Form', { questions: [wrong, wrong, wrong, wrong] })
    const answer = await server.call('POST', `/projects/${project.id}/clarify`)
    assert.ok(answer.status >= 400)
    assert.match(answer.body.error.message, /did not answer as it should/)
    assert.equal(times('Form', 'questions'), 4)
    assert.equal((await server.get(`/projects/${project.id}`)).status, 'draft')
    assert.equal((await server.post(`/projects/${project.id}/clarify`)).questions.length, 3)
  })

  test('calls that cannot be are answered as errors, and the work goes on', async () => {
    const odd = [['paint', {}], ['write_file', { path: '../outside', content: 'x' }], ['write_file', { path: 'src/x', content: 'x' }], ['write_file', { path: 1 }]]
    const [write, finish] = app.work(app.tasks[0])
    const { task } = await ran('Odd calls', { 'note-1': [{ toolCalls: calls(9, odd) }, finish, write, finish] })
    assert.equal(task.status, 'succeeded', task.error)
    assert.deepEqual(task.result.filesCreated, ['notes/1.md'])
    const [, second, third] = models.requests('faults').filter((request) => /Odd calls/.test(JSON.stringify(request.body)) && purposeOf(request, app.tasks).purpose === 'note-1')
    const said = ({ body }) => body.messages.filter(({ role }) => role === 'tool').map(({ content }) => JSON.stringify(content))
    const patterns = [/no such tool/, /relative to the project's folder/, /scope/, /path must be a string/]
    assert.equal(said(second).length, patterns.length)
    for (const [at, pattern] of patterns.entries()) assert.match(said(second)[at], pattern)
    assert.match(said(third).at(-1), /not yet.*notes\/1\.md/)
  })

  test('a server that is killed while the model is silent goes on where it was', async () => {
    scripts.set('Killed', scriptOf(app, { 'note-1': [{ fault: 'hang' }] }))
    const project = await server.approvedProject('Notes, kept as files, for whoever wants to read them.', 'Killed')
    const run = await server.post(`/projects/${project.id}/runs`, { maxAttempts: 1 })
    await until('the model is asked', 60, () => times('Killed', 'note-1') > 0)
    await server.kill()
    await server.restart()
    const read = await server.finished(project.id, run.id)
    assert.equal(read.status, 'failed')
    assert.match(read.error, /verification failed/)
    const [task] = await server.get(`/projects/${project.id}/runs/${run.id}/tasks`)
    assert.deepEqual([task.status, times('Killed', 'note-1')], ['succeeded', 3])
    assert.deepEqual(times('Killed', 'decompose'), 1)
  })

  test('silence: the run is cancelled at once', async () => {
    scripts.set('Silent', scriptOf(app, { 'note-1': Array(9).fill({ fault: 'hang' }) }))
    const project = await server.approvedProject('Notes, kept as files, for whoever wants to read them.', 'Silent')
    const run = await server.post(`/projects/${project.id}/runs`)
    await until('the model is asked', 60, () => times('Silent', 'note-1') > 0)
    await server.post(`/projects/${project.id}/runs/${run.id}/cancel`)
    const read = await server.finished(project.id, run.id)
    assert.deepEqual([read.status, read.tasks.map((task) => task.status)], ['cancelled', ['cancelled']])
    assert.deepEqual(processesOf(server.data, server.child.pid), [])
  })
})

describe('a limit of money', () => {
  const app = notes(4), limit = 0.32
  // As an honest provider counts: four bytes are a token.
  const used = ({ body }) => ({ input: Math.ceil(JSON.stringify(body).length / 4), output: 2000 })
  const micros = (requests) => requests.reduce((sum, request) => sum + used(request).input * 3 + 2000 * 15, 0)
  const isOfRun = (request) => !['questions', 'spec'].includes(purposeOf(request, app.tasks).purpose)
  let server
  before(async () => {
    const script = scriptOf(app)
    server = await Server.start({ args: modelled('money', 'openai', (request) => ({ ...script(request), usage: used(request) })) })
  })
  after(() => server.remove())

  test('is never passed, and with more the run goes on where it was', async () => {
    const project = await server.approvedProject('Notes, kept as files, for whoever wants to read them.', 'Money')
    const run = await server.post(`/projects/${project.id}/runs`, { maxAttempts: 1, limits: { costUsd: limit } })
    const path = `/projects/${project.id}/runs/${run.id}`
    const waiting = await until('the run waits', 60, async () => {
      const now = await server.get(path)
      assert.ok(now.usage.costUsd <= limit, `${now.usage.costUsd} were spent`)
      return now.status === 'waiting' && now
    })
    assert.equal(waiting.waiting.reason, 'run_cost_limit')
    const before = models.requests('money').filter(isOfRun)
    assert.ok(before.length >= 3, 'there was room for something')
    assert.ok(micros(before) <= limit * 1e6)
    assert.equal(Math.round(waiting.usage.costUsd * 1e6), micros(before))
    const done = (await server.get(`${path}/tasks`)).filter((task) => task.status === 'succeeded').map(({ slug }) => slug)
    assert.ok(done.length >= 1 && done.length < 4, `${done}`)

    await server.post(`${path}/resume`, { limits: { costUsd: 5 } })
    const ended = await server.finished(project.id, run.id)
    assert.match(ended.error, /verification failed/)
    assert.deepEqual(ended.tasks.map((task) => task.status), Array(4).fill('succeeded'))
    const all = models.requests('money').filter(isOfRun), later = all.slice(before.length)
    for (const slug of ['decompose', ...done]) assert.ok(!later.some((request) => purposeOf(request, app.tasks).purpose === slug), `${slug} is not done again`)
    assert.equal(Math.round(ended.usage.costUsd * 1e6), micros(all), 'what was sent is what was counted')
    const { totals } = await server.get(`/usage?runId=${run.id}`)
    assert.equal(Math.round(totals.costUsd * 1e6), micros(all))
  })
})
