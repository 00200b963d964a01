// built: the project tool is built once, and all that needs a run which succeeded is asked of it.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { testDeploy } from './built/deploy.mjs'
import { testEvents } from './built/events.mjs'
import { testExport } from './built/export.mjs'
import { testFiles } from './built/files.mjs'
import { testMessages } from './built/messages.mjs'
import { follow, testSocket } from './built/socket.mjs'
import { testStream } from './built/stream.mjs'
import { testTasks } from './built/tasks.mjs'
import { checkSucceeded } from './ended.mjs'
import { is, refused, shape, success, unlimited, unspent } from './expect.mjs'
import { projectTool, Server } from './lib.mjs'
import { git, gitLines } from './programs.mjs'
import { Receiver } from './receiver.mjs'

// Follows a run in pieces of a few events each, every one from where the last broke off.
async function inPieces(server, project, run) {
  const pieces = { seen: [], count: 0 }
  while (pieces.seen.at(-1)?.type !== 'RUN_COMPLETED') {
    const from = pieces.seen.at(-1)?.sequence ?? 0
    let left = 25
    const { seen } = await server.stream(project.id, run.id, () => --left === 0, from)
    pieces.seen.push(...seen)
    pieces.count++
  }
  return pieces
}

const server = await Server.start({ args: ['--webhook-private-addresses', 'allow'] })
after(() => server.remove())
const receiver = await Receiver.start()
after(() => receiver.stop())
const project = await server.approvedProject(projectTool, 'My SaaS App')
const hook = await server.post('/webhooks', { url: receiver.url, projectId: project.id })
const run = await server.post(`/projects/${project.id}/runs`)
const built = { server, project, run, hook, receiver, path: `/projects/${project.id}/runs/${run.id}` }

before(async () => {
  const [live, pieces, sockets] = await Promise.all([server.stream(project.id, run.id), inPieces(server, project, run), follow(server, project, run)])
  Object.assign(built, { live, pieces, sockets })
  // Another project with a run of its own that has tasks.
  const other = await server.approvedProject(projectTool, 'Other')
  const begun = await server.post(`/projects/${other.id}/runs`)
  await server.reached(other.id, begun.id, 'RUN_DECOMPOSED')
  built.other = { project: other, run: begun, path: `/projects/${other.id}/runs/${begun.id}` }
  await server.post(`${built.other.path}/cancel`)
  Object.assign(built, { tasks: await server.get(`${built.path}/tasks`), events: await server.events(project.id, run.id) })
})

test('the run succeeded, and everything that belongs to it is there', async () => {
  await checkSucceeded(server, project, run)
  shape(success(await server.call('GET', built.path)), {
    id: run.id,
    projectId: project.id,
    runNumber: 1,
    status: 'succeeded',
    trigger: 'manual',
    specSnapshot: is.object,
    tasksJson: { tasks: is.list(is.object), mergeOrder: is.list(is.string) },
    tasks: is.list({ id: is.id('task'), slug: is.string, status: 'succeeded', sequence: is.int }),
    verificationResult: is.object,
    error: null,
    cancelRequested: false,
    queuePosition: null,
    usage: unspent,
    limits: unlimited,
    waiting: null,
    maxAttempts: 3,
    settings: { agent: [{ kind: 'blueprint', model: null }], taskAgents: {} },
    resumesRunId: null,
    commitSha: is.sha,
    createdAt: run.createdAt,
    startedAt: is.time,
    completedAt: is.time,
  })
  refused(await server.call('POST', `${built.path}/cancel`), 409)
})

testTasks(built)
testEvents(built)
testStream(built)
testSocket(built)
testFiles(built)
testExport(built)
testMessages(built)
testDeploy(built)

describe('POST /projects/:projectId/runs/:runId/retry', () => {
  test('of a run that succeeded builds the same on the same main, and succeeds', async () => {
    const before = git(project.repoPath, 'rev-parse', 'main')
    const again = success(await server.call('POST', `${built.path}/retry`), 201)
    shape(again, { id: is.id('run'), projectId: project.id, runNumber: 2, status: 'decomposing', trigger: 'retry', resumesRunId: null, createdAt: is.time })
    await server.finished(project.id, again.id)
    const { run: second } = await checkSucceeded(server, project, again, [`${server.data}/deployments/`])
    assert.equal(second.specSnapshot.version, 1)
    assert.ok(gitLines(project.repoPath, 'rev-list', '--first-parent', 'main').includes(before), 'main was only ever moved forward')
    assert.equal(git(project.repoPath, 'rev-parse', 'run-2^{tree}'), git(project.repoPath, 'rev-parse', 'run-1^{tree}'), 'the same spec gives the same app')
    const first = await server.get(built.path)
    assert.equal(first.commitSha, before, 'the first run is as it was')
  })
})
