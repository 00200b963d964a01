// model_agent: a plan of the catalog carried out by the model agent. The model is scripted, in true wire format: it looks around,
// writes what the catalog's own agent would have, makes the mistakes that models make, and finishes. The run then verifies as any
// other: the app is built, started and proven.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ModelServer } from '../models/server.mjs'
import { checkSucceeded } from './ended.mjs'
import { is, shape } from './expect.mjs'
import { Server } from './lib.mjs'
import { git, gitLines } from './programs.mjs'

const description = 'A private list of books that I own, with title, author and notes.'

// What the catalog's agent makes of each task: {slug: {path: text}}. Its run is not verified.
async function filesOfTasks() {
  const server = await Server.start()
  try {
    const project = await server.approvedProject(description, 'Books')
    const run = await server.post(`/projects/${project.id}/runs`)
    await server.reached(project.id, run.id, 'VERIFICATION_STARTED')
    const files = {}
    for (const { id, slug } of (await server.get(`/projects/${project.id}/runs/${run.id}`)).tasks) {
      const { result } = await server.get(`/projects/${project.id}/runs/${run.id}/tasks/${id}`)
      const { repoPath } = await server.get(`/projects/${project.id}`)
      files[slug] = Object.fromEntries(gitLines(repoPath, 'diff-tree', '-r', '--name-only', '--no-commit-id', result.commitSha).map((path) => [path, git(repoPath, 'show', `${result.commitSha}:${path}`) + '\n']))
    }
    await server.post(`/projects/${project.id}/runs/${run.id}/cancel`)
    await server.finished(project.id, run.id)
    return files
  } finally {
    await server.remove()
  }
}

const call = (id, name, args) => ({ id, name, arguments: args })

// What the model says next, by what was said so far: the conversation is all that it knows.
function answer(files, body) {
  const prompt = body.messages[0].content.map(({ text }) => text).join('')
  const results = body.messages.flatMap(({ content }) => content.filter(({ type }) => type === 'tool_result'))
  const [slug] = Object.entries(files).find(([, its]) => Object.keys(its).every((path) => prompt.includes(path)))
  const writes = Object.entries(files[slug])
  if (results.length === 0) {
    const [path] = writes[0]
    return { text: `I look around before ${slug}.`, toolCalls: [call('1', 'list_files', {}), call('2', 'write_file', { path: 'elsewhere.txt', content: path }), call('3', 'finish', { summary: 'Nothing to do.' })] }
  }
  if (results.length === 3) return { toolCalls: writes.map(([path, content], index) => call(`w${index}`, 'write_file', { path, content })) }
  if (results.length === 3 + writes.length) return { toolCalls: [call('c', 'run_command', { command: `wc -l < ${writes[0][0]}` })] }
  return { toolCalls: [call('f', 'finish', { summary: `Wrote ${writes.length} files.` })] }
}

describe('the model agent', () => {
  let models, server, files, project, run
  before(async () => {
    files = await filesOfTasks()
    models = await ModelServer.start(({ body }) => answer(files, body))
    server = await Server.start({ args: ['--agent', 'model', '--model', 'some-model', '--model-provider', 'anthropic', '--model-url', models.address('anthropic')] })
    project = await server.approvedProject(description, 'Books')
    run = await server.post(`/projects/${project.id}/runs`)
    run = await server.finished(project.id, run.id)
  })
  after(async () => {
    await server?.remove()
    await models?.close()
  })

  test('builds an app that is proven', async () => {
    assert.equal(run.status, 'succeeded', run.error + server.log.slice(-2000))
    const { repoPath } = await server.get(`/projects/${project.id}`)
    const paths = gitLines(repoPath, 'ls-tree', '-r', '--name-only', 'main').sort()
    assert.deepEqual(paths, Object.values(files).flatMap(Object.keys).sort())
    await checkSucceeded(server, { ...project, repoPath }, run)
  })

  test('is told what was wrong, and corrects itself', () => {
    for (const { body } of models.requests().filter(({ body }) => body.messages.length === 3)) {
      const results = body.messages[2].content
      assert.deepEqual([results[1].type, results[1].tool_use_id, results[1].is_error], ['tool_result', '2', true])
      assert.match(JSON.stringify(results[1]), /elsewhere\.txt is outside the task's scope/)
      assert.match(JSON.stringify(results[2]), /these files are expected of the task and not there/)
    }
  })

  test('tells what it does while it does it', async () => {
    const events = await server.events(project.id, run.id)
    for (const { id, slug } of run.tasks) {
      const own = events.filter(({ taskId }) => taskId === id)
      const at = (type) => own.findIndex(({ eventType }) => eventType === type)
      assert.ok(own.some(({ eventType, payload }) => eventType === 'MESSAGE' && payload.text === `I look around before ${slug}.`))
      assert.ok(at('MESSAGE') < at('FILE_CREATED') && at('FILE_CREATED') < at('COMMAND_STARTED') && at('COMMAND_COMPLETED') < at('TASK_COMPLETED'))
      shape(own[at('COMMAND_COMPLETED')].payload, { command: is.string, exitCode: 0, durationMs: is.int, output: (text) => /^\s*\d+\s*$/.test(text) })
      const made = own.filter(({ eventType }) => eventType === 'FILE_CREATED').map(({ payload }) => payload.path)
      assert.deepEqual(made.sort(), Object.keys(files[slug]).sort(), 'each file is told once')
      assert.equal(own.filter(({ eventType }) => eventType === 'USAGE').length, 4)
    }
  })

  test('is told nothing of this machine', () => {
    for (const { body } of models.requests()) assert.ok(!JSON.stringify(body).includes(server.data))
  })
})
