// tasks: what is told of a task's work: its log, as it grows and afterwards, and what it changed.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { is, needsKey, refused, sameNotFound, shape, success } from './expect.mjs'
import { Server } from './lib.mjs'
import { git, gitLines } from './programs.mjs'

const unknown = 'task_01h455vb4pex5vsknk084sn02q'
const folder = mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), 'prazium-tasks-'))

// What main holds before the run, and tasks write anew: one too large for a patch, one binary, one that is only changed.
const planted = { 'README.md': 'a line that goes\n'.repeat((12 << 20) / 17), 'src/app/icon.svg': Buffer.from([0, 1, 2, 255]), 'src/app/page.tsx': 'export default 1' }

let server, project, path, tasks, followed, living
const bySlug = (slug) => tasks.find((task) => task.slug === slug)
const pathOf = (task, what) => `${path}/tasks/${task.id}/${what}`
const log = (task, headers, query = '') => server.call('GET', pathOf(task, `log${query}`), undefined, headers)
const diff = (task, query = '', headers) => server.call('GET', pathOf(task, `diff${query}`), undefined, headers)
const fileOf = (task) => join(server.data, 'logs', path.split('/').at(-1), `${task.id}.log`)

function plant(repository, name, files) {
  const work = join(folder, name)
  git('.', 'clone', '-q', repository, work)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(work, path)), { recursive: true })
    writeFileSync(join(work, path), content)
  }
  git(work, 'add', '-A')
  git(work, '-c', 'user.name=Flow', '-c', 'user.email=flow@localhost', 'commit', '-q', '-m', 'planted')
  git(work, 'push', '-q', 'origin', 'main')
}

// A run whose tasks are all done, followed from their first line to their last.
before(async () => {
  server = await Server.start({ args: ['--workers', '2'] })
  project = await server.approvedProject('A shopping list with items and a note for each item.', 'Shopping')
  plant(project.repoPath, 'work', planted)
  const run = await server.post(`/projects/${project.id}/runs`)
  path = `/projects/${project.id}/runs/${run.id}`
  await server.reached(project.id, run.id, 'RUN_DECOMPOSED')
  tasks = await server.get(`${path}/tasks`)
  followed = await Promise.all(tasks.map((task) => log(task, {}, '?follow=true')))
  tasks = await server.get(`${path}/tasks`)
  living = await diff(tasks[0])
  await server.post(`${path}/cancel`)
})
after(async () => {
  await server.remove()
  rmSync(folder, { recursive: true })
})

describe('GET /projects/:projectId/runs/:runId/tasks/:taskId/log', () => {
  test('was followed to its end, while the task was worked on', async () => {
    assert.ok(tasks.length > 5)
    for (const [i, task] of tasks.entries()) {
      assert.equal(followed[i].status, 200)
      assert.equal(followed[i].headers.get('content-type'), 'text/plain; charset=utf-8')
      assert.equal(followed[i].headers.get('content-length'), null)
      assert.equal(task.status, 'succeeded')
      assert.equal(followed[i].text, (await log(task)).text, task.slug)
    }
  })

  test('tells what happened, a time and a text a line, in order', async () => {
    for (const task of tasks) {
      const { text } = await log(task)
      const lines = text.split('\n')
      assert.equal(lines.pop(), '')
      const told = lines.map((line) => {
        const [, time, words] = /^(\S+) (.+)$/.exec(line)
        assert.ok(is.time(time), line)
        return { time, words }
      })
      assert.deepEqual(told.map(({ time }) => time), told.map(({ time }) => time).sort())
      const words = told.map((one) => one.words)
      assert.match(words[0], /^attempt 1 began on [0-9a-f]{40}$/)
      assert.equal(words.at(-1), 'succeeded')
      assert.ok(words.includes(`committed as ${task.result.commitSha}`) && words.includes(`merged as ${task.mergeSha}`))
      for (const name of task.result.filesCreated) assert.ok(words.some((word) => word.startsWith(`created ${name}, `)), name)
    }
  })

  test('is a file that nobody may write any more', () => {
    for (const task of tasks) assert.equal(statSync(fileOf(task)).mode & 0o777, 0o400)
  })

  test('is there in part, and not again for who has it', async () => {
    const [task] = tasks
    const whole = await log(task)
    const bytes = Buffer.byteLength(whole.text)
    const etag = whole.headers.get('etag')
    assert.equal(whole.headers.get('accept-ranges'), 'bytes')
    assert.equal(whole.headers.get('content-length'), String(bytes))
    const part = await log(task, { range: 'bytes=5-24' })
    assert.deepEqual([part.status, part.text, part.headers.get('content-range')], [206, whole.text.slice(5, 25), `bytes 5-24/${bytes}`])
    const end = await log(task, { range: 'bytes=-10', 'if-range': etag })
    assert.deepEqual([end.status, end.text], [206, whole.text.slice(-10)])
    assert.deepEqual((await log(task, { range: 'bytes=-10', 'if-range': '"other"' })).text, whole.text)
    const none = await log(task, { range: `bytes=${bytes}-` })
    refused(none, 416, 'Range')
    assert.equal(none.headers.get('content-range'), `bytes */${bytes}`)
    const same = await log(task, { 'if-none-match': etag })
    assert.deepEqual([same.status, same.text, same.headers.get('etag')], [304, '', etag])
  })

  test('is followed from an offset', async () => {
    const [task] = tasks
    const { text } = await log(task)
    assert.equal((await log(task, {}, '?follow=true&offset=30')).text, text.slice(30))
    assert.equal((await log(task, {}, `?follow=true&offset=${Buffer.byteLength(text) + 5}`)).text, '')
    assert.equal((await log(task, {}, '?follow=false')).text, text)
    const many = await Promise.all(Array.from({ length: 20 }, () => log(task, {}, '?follow=true')))
    assert.deepEqual(new Set(many.map((one) => one.text)), new Set([text]))
  })

  test('refuses what it does not know', async () => {
    refused(await log(tasks[0], {}, '?follow=perhaps'), 400, 'follow')
    refused(await log(tasks[0], {}, '?follow=true&offset=-1'), 400, 'offset')
    refused(await log(tasks[0], {}, '?offset=1'), 400, 'offset')
    refused(await log(tasks[0], {}, '?tail=1'), 400, 'tail')
    await needsKey(server, 'GET', pathOf(tasks[0], 'log'))
  })
})

describe('GET /projects/:projectId/runs/:runId/tasks/:taskId/diff', () => {
  // The tree that a patch makes of another, by git.
  function applied(base, patch) {
    const env = { ...process.env, GIT_INDEX_FILE: join(folder, 'index'), GIT_DIR: project.repoPath }
    const run = (args, input) => execFileSync('git', args, { env, input, cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 }).trim()
    run(['read-tree', base])
    run(['apply', '--cached', '--whitespace=nowarn', '-'], patch)
    return run(['write-tree'])
  }

  test('is a patch that makes the task’s tree of the one before', async () => {
    for (const task of tasks.filter(({ slug }) => slug !== 'tests')) {
      const { status, headers, text } = await diff(task)
      assert.equal(status, 200)
      assert.equal(headers.get('content-type'), 'text/x-diff; charset=utf-8')
      assert.equal(headers.get('etag'), `"${task.result.commitSha}"`)
      assert.match(text, /^diff --git a\//)
      const commit = task.result.commitSha
      assert.equal(applied(`${commit}^`, text), git(project.repoPath, 'rev-parse', `${commit}^{tree}`), task.slug)
    }
    assert.match((await diff(bySlug('shell'))).text, /^GIT binary patch$/m)
    assert.match((await diff(bySlug('dashboard'))).text, /^-export default 1\n\\ No newline at end of file$/m)
  })

  test('is the same when its run has ended, and is not sent again to who has it', async () => {
    const [task] = tasks
    assert.deepEqual(gitLines(project.repoPath, 'for-each-ref', '--format=%(refname)', 'refs/heads'), ['refs/heads/main'])
    const { text, headers } = await diff(task)
    assert.equal(text, living.text)
    const same = await diff(task, '', { 'if-none-match': headers.get('etag') })
    assert.deepEqual([same.status, same.text], [304, ''])
  })

  test('is there in numbers', async () => {
    for (const task of tasks) {
      const data = success(await diff(task, '?format=json'))
      shape(data, {
        commitSha: task.result.commitSha,
        baseSha: is.sha,
        files: is.list({ path: is.string, status: is.among('created', 'modified', 'deleted'), additions: is.int, deletions: is.int, isBinary: is.boolean }),
        additions: is.int,
        deletions: is.int,
      })
      const lines = gitLines(project.repoPath, 'diff-tree', '-r', '--numstat', '--no-renames', data.baseSha, data.commitSha)
      const counted = data.files.map(({ path, additions, deletions, isBinary }) => (isBinary ? `-\t-\t${path}` : `${additions}\t${deletions}\t${path}`))
      assert.deepEqual(counted.sort(), lines.sort(), task.slug)
      const paths = (status) => data.files.filter((file) => file.status === status).map((file) => file.path).sort()
      assert.deepEqual([paths('created'), paths('modified'), paths('deleted')], ['filesCreated', 'filesModified', 'filesDeleted'].map((name) => task.result[name].toSorted()))
      assert.equal(data.additions, data.files.reduce((sum, file) => sum + file.additions, 0))
      assert.equal(data.deletions, data.files.reduce((sum, file) => sum + file.deletions, 0))
    }
  })

  test('is refused when it is too large, and told in numbers', async () => {
    const { message } = refused(await diff(bySlug('tests')), 413)
    assert.match(message, /format=json/)
    const { files } = success(await diff(bySlug('tests'), '?format=json'))
    assert.equal(files.find((file) => file.path === 'README.md').deletions, planted['README.md'].length / 17)
  })

  test('refuses what it does not know', async () => {
    refused(await diff(tasks[0], '?format=html'), 400, 'format')
    await needsKey(server, 'GET', pathOf(tasks[0], 'diff'))
  })
})

test('neither is there: unknown, malformed, of another run or account', async () => {
  const tenant = await server.tenant()
  for (const what of ['log', 'log?follow=true', 'diff']) {
    const of = (run, task) => `/projects/${project.id}/runs/${run}/tasks/${task}/${what}`
    const run = path.split('/').at(-1)
    await sameNotFound(server, 'GET', [of(run, unknown), of(run, 'x'), of(run, run)])
    await sameNotFound(server, 'GET', [of('run_01h455vb4pex5vsknk084sn02q', tasks[0].id), of('x', tasks[0].id)])
    refused(await tenant.call('GET', of(run, tasks[0].id)), 404)
  }
})

test('a task that never began has a log that says so, and no diff', { timeout: 240_000 }, async () => {
  // Where the first task has a folder to make, main has a file: it fails, and what depends on it is skipped.
  const stuck = await server.approvedProject('A shopping list with items and a note for each item.', 'Stuck')
  plant(stuck.repoPath, 'stuck', { src: 'a file' })
  const run = await server.post(`/projects/${stuck.id}/runs`)
  await server.reached(stuck.id, run.id, 'RUN_DECOMPOSED')
  const list = `/projects/${stuck.id}/runs/${run.id}/tasks`
  const ids = (await server.get(list)).map(({ id }) => id)
  const ends = await Promise.all(ids.map((id) => server.call('GET', `${list}/${id}/log?follow=true`)))
  const ended = await server.get(list)
  assert.equal(ended[0].status, 'failed')
  assert.ok(ended.some(({ status }) => status === 'skipped'))
  for (const [i, { id, status, attempts }] of ended.entries()) {
    const { text } = await server.call('GET', `${list}/${id}/log`)
    assert.equal(ends[i].text, text)
    if (status === 'succeeded') continue
    if (status === 'skipped') assert.match(text, /^\S+ skipped: a task that it depends on did not succeed\n$/)
    else for (let n = 1; n <= attempts; n++) assert.match(text, new RegExp(`attempt ${n} failed: `))
    const { message } = refused(await server.call('GET', `${list}/${id}/diff`), 409)
    assert.equal(message, `The task is ${status} and has no commit`)
  }
})
