// ended: what must be true of a run that succeeded or was cancelled: rows, events, evidence, the repository, processes.
import assert from 'node:assert/strict'
import { is, shape } from './expect.mjs'
import { criteriaOf } from './graph.mjs'
import { isDense } from './lib.mjs'
import { git, gitLines, processesOf } from './programs.mjs'

// What is left of a cancelled run: its tasks and events, and nothing else.
export async function checkCancelled(server, project, run) {
  const read = await server.get(`/projects/${project.id}/runs/${run.id}`)
  assert.equal(read.status, 'cancelled')
  assert.ok(is.time(read.completedAt))
  assert.equal((await server.get(`/projects/${project.id}`)).status, 'approved')
  for (const task of read.tasks) assert.ok(['succeeded', 'cancelled'].includes(task.status), `${task.slug} is ${task.status}`)
  const events = await server.events(project.id, run.id)
  assert.equal(events.at(-1).eventType, 'RUN_COMPLETED')
  assert.equal(events.at(-1).payload.status, 'cancelled')
  assert.equal(events.filter(({ eventType }) => eventType === 'RUN_COMPLETED').length, 1)
  checkNothingLeft(server, project)
}

// Nothing that a run needs while it is at work is there any more.
function checkNothingLeft(server, project, allowed = []) {
  const left = processesOf(server.data, server.child.pid).filter((line) => !allowed.some((text) => line.includes(text)))
  assert.deepEqual(left, [], 'no process is left')
  assert.deepEqual(gitLines(project.repoPath, 'for-each-ref', '--format=%(refname)', 'refs/heads'), ['refs/heads/main'], 'no branch is left')
  assert.equal(gitLines(project.repoPath, 'worktree', 'list').length, 1, 'no worktree is left')
}

const exchange = {
  request: (value) => is.string(value.method) && value.path.startsWith('/'),
  response: (value) => value.status >= 200 && value.status < 500,
}

function checkExchanges(exchanges, what) {
  assert.ok(exchanges.length > 0, `${what} has exchanges`)
  for (const { note, request, response, ok } of exchanges) {
    assert.ok(is.string(note), what)
    assert.equal(ok, true, `${what}: ${note}`)
    shape({ request, response }, exchange, what)
  }
}

function checkVerification(run) {
  const { verificationResult: result, specSnapshot, tasksJson } = run
  assert.equal(result.status, 'passed')
  assert.equal(result.commitSha, run.commitSha)
  assert.ok(is.time(result.startedAt) && is.time(result.completedAt) && result.startedAt <= result.completedAt)
  const byId = new Map(result.checks.map((check) => [check.id, check]))
  assert.equal(byId.size, result.checks.length, 'each check has its own id')
  for (const check of result.checks) {
    assert.equal(check.status, 'passed', `${check.id}: ${check.fault}`)
    assert.ok(is.string(check.title) && is.string(check.kind) && is.int(check.durationMs), check.id)
  }
  for (const name of ['install', 'typecheck', 'build', 'test']) {
    const { command, exitCode, output } = byId.get(name)
    assert.ok(is.string(command) && typeof output === 'string', `${name} has its command and output`)
    assert.equal(exitCode, 0)
  }
  // The blueprint planner has each route asked for by a check of its own, beside the criteria.
  for (const name of ['outputs', 'start', ...(isPlannedByModel(run) ? [] : ['routes']), 'routes-covered']) assert.ok(byId.has(name), name)

  const wanted = criteriaOf(specSnapshot.documents['ACCEPTANCE.md'])
  assert.deepEqual(result.criteria.map(({ id }) => id).sort(), wanted.sort(), 'every criterion was looked at')
  for (const criterion of result.criteria) {
    const { id, title, statement, status, checkId, tasks, evidence } = criterion
    assert.equal(status, 'proven', `${id} ${title}: ${criterion.fault}`)
    assert.ok(is.string(title) && is.string(statement), id)
    assert.equal(byId.get(checkId).status, 'passed')
    assert.ok(tasks.length > 0, `${id} has tasks`)
    for (const task of tasks) assert.ok(tasksJson.tasks.some((item) => item.id === task && item.criteria.includes(id)))
    assert.ok(['http', 'tests', 'build', 'files'].includes(evidence.kind), evidence.kind)
    if (evidence.kind === 'http') checkExchanges(evidence.exchanges, id)
    if (evidence.kind === 'files') assert.ok(evidence.paths.length > 0)
    if (['tests', 'build'].includes(evidence.kind)) assert.equal(byId.get(evidence.check).status, 'passed')
  }
}

// Each task has one commit, which one merge on main's line brought in.
function checkRepository(project, run, tasks) {
  const repository = project.repoPath
  git(repository, 'fsck', '--strict', '--full')
  const [main] = gitLines(repository, 'rev-parse', 'main')
  assert.equal(main, gitLines(repository, 'rev-parse', `refs/tags/run-${run.runNumber}^{commit}`)[0])
  const line = gitLines(repository, 'log', '--first-parent', '--reverse', '--format=%H %P', main).map((text) => text.split(' '))
  const merges = line.slice(-tasks.length)
  assert.equal(main, run.commitSha)
  for (const [i, task] of tasks.entries()) {
    const [commit, first, second] = merges[i]
    assert.equal(commit, task.mergeSha, `${task.slug} was merged in its place`)
    assert.equal(second, task.result.commitSha)
    assert.ok(first)
    assert.equal(git(repository, 'log', '-1', '--format=%(trailers:key=Prazium-Task,valueonly)', commit), task.id)
    const kept = `refs/prazium/run-${run.runNumber}/${task.branchName}`
    assert.equal(git(repository, 'rev-parse', kept), task.result.commitSha)
    const changed = gitLines(repository, 'diff-tree', '-r', '--no-commit-id', '--name-status', '--no-renames', second)
    const { filesCreated, filesModified, filesDeleted } = task.result
    const told = [...filesCreated.map((path) => `A\t${path}`), ...filesModified.map((path) => `M\t${path}`), ...filesDeleted.map((path) => `D\t${path}`)]
    assert.deepEqual(changed.sort(), told.sort(), `${task.slug} changed what it says`)
  }
  return line
}

// The tasks of the blueprint planner are made of parts.
const isPlannedByModel = ({ tasksJson }) => tasksJson.tasks.every(({ parts }) => parts.length === 0)

const fileEvents = { FILE_CREATED: 'filesCreated', FILE_MODIFIED: 'filesModified', FILE_DELETED: 'filesDeleted' }

// What an agent may tell while it works.
const ofAgents = ['TASK_OUTPUT', 'MESSAGE', 'COMMAND_STARTED', 'COMMAND_COMPLETED', 'USAGE']

function checkEvents(events, run, tasks, repository) {
  assert.ok(isDense(events.map(({ sequence }) => sequence)))
  assert.equal(new Set(events.map(({ id }) => id)).size, events.length)
  for (const [i, event] of events.entries()) {
    assert.equal(event.runId, run.id)
    if (i > 0) assert.ok(event.createdAt >= events[i - 1].createdAt)
  }
  const ofRun = events.filter(({ taskId, eventType }) => taskId === null && !ofAgents.includes(eventType)).map(({ eventType }) => eventType)
  const checks = run.verificationResult.checks.map(() => 'CHECK_COMPLETED')
  assert.deepEqual(ofRun, ['RUN_STARTED', 'RUN_DECOMPOSED', 'VERIFICATION_STARTED', ...checks, 'VERIFICATION_COMPLETED', 'RUN_COMPLETED'])
  assert.deepEqual(events.filter(({ eventType }) => eventType !== 'USAGE').slice(0, 2).map(({ eventType }) => eventType), ['RUN_STARTED', 'RUN_DECOMPOSED'])
  assert.equal(events.at(-1).payload.status, 'succeeded')
  const outcomes = events.filter(({ eventType }) => eventType === 'CHECK_COMPLETED').map(({ payload }) => `${payload.check} ${payload.status}`)
  assert.deepEqual(outcomes, run.verificationResult.checks.map(({ id, status }) => `${id} ${status}`))
  const { payload } = events.find(({ eventType }) => eventType === 'VERIFICATION_COMPLETED')
  const count = run.verificationResult.criteria.length
  assert.deepEqual(payload, { status: 'passed', criteria: { total: count, proven: count } })

  for (const task of tasks) {
    const own = events.filter(({ taskId }) => taskId === task.id)
    const kinds = own.map(({ eventType }) => eventType)
    const files = kinds.filter((kind) => kind.startsWith('FILE_'))
    const others = kinds.filter((kind) => !kind.startsWith('FILE_') && !ofAgents.includes(kind))
    assert.deepEqual(others, ['TASK_STARTED', 'MERGE_COMPLETED', 'TASK_COMPLETED'], task.slug)
    assert.ok(files.length === 0 || (kinds.indexOf(files[0]) > 0 && kinds.lastIndexOf(files.at(-1)) < kinds.indexOf('MERGE_COMPLETED')))
    for (const [type, list] of Object.entries(fileEvents)) {
      const paths = own.filter(({ eventType }) => eventType === type).map((event) => event.payload.path)
      assert.deepEqual(paths.sort(), [...task.result[list]].sort(), `${type} of ${task.slug}`)
    }
    assert.equal(own.at(-1).payload.status, 'succeeded')
    assert.equal(own.at(-1).payload.slug, task.slug)
    const merge = own.find(({ eventType }) => eventType === 'MERGE_COMPLETED').payload
    shape(merge, { slug: task.slug, branch: task.branchName, commitSha: task.result.commitSha, mergeSha: task.mergeSha })
    // A task began when what it waits for was merged.
    const began = own[0].sequence
    for (const id of run.tasksJson.tasks.find(({ slug }) => slug === task.slug).dependencies) {
      const other = tasks.find((item) => run.tasksJson.tasks.find((definition) => definition.id === id).slug === item.slug)
      const merged = events.find(({ taskId, eventType }) => taskId === other.id && eventType === 'MERGE_COMPLETED')
      assert.ok(merged.sequence < began, `${task.slug} began after ${other.slug} was merged`)
    }
  }
  const sizes = new Map()
  for (const text of gitLines(repository, 'ls-tree', '-r', '-l', '-z', '--full-tree', run.commitSha).join('\n').split('\0').filter(Boolean)) {
    const [, size, file] = /^\S+ \S+ \S+ +(\S+)\t(.*)$/s.exec(text)
    sizes.set(file, Number(size))
  }
  for (const event of events.filter(({ eventType }) => eventType === 'FILE_CREATED')) {
    assert.ok(is.int(event.payload.size))
    if (sizes.has(event.payload.path)) assert.equal(event.payload.size, sizes.get(event.payload.path))
  }
}

// Everything that a run which succeeded leaves behind. Answers the run, its tasks, its events.
export async function checkSucceeded(server, project, { id }, allowedProcesses) {
  const path = `/projects/${project.id}/runs/${id}`
  const run = await server.get(path)
  assert.equal(run.status, 'succeeded', run.error)
  assert.equal(run.error, null)
  assert.ok(is.time(run.startedAt) && is.time(run.completedAt) && run.startedAt <= run.completedAt)
  const tasks = await server.get(`${path}/tasks`)
  assert.deepEqual(tasks.map(({ status }) => status), tasks.map(() => 'succeeded'))
  checkVerification(run)
  checkRepository(project, run, tasks)
  const events = await server.events(project.id, id)
  checkEvents(events, run, tasks, project.repoPath)
  checkNothingLeft(server, project, allowedProcesses)
  const { status, latestRun } = (await server.call('GET', `/projects?search=${encodeURIComponent(project.name)}`)).body.data.find((item) => item.id === project.id)
  assert.deepEqual([status, latestRun], ['built', { id, runNumber: run.runNumber, status: 'succeeded' }])
  const [listed] = (await server.call('GET', `/projects/${project.id}/runs?status=succeeded`)).body.data
  assert.deepEqual(listed.tasksSummary, { total: tasks.length, succeeded: tasks.length, failed: 0 })
  return { run, tasks, events }
}
