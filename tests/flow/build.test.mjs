// build: `prazium build` from the terminal: on a server of its own, on one that runs, and what goes wrong on the way.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { descriptions } from './descriptions.mjs'
import { checkSucceeded } from './ended.mjs'
import { page } from './expect.mjs'
import { Server, temporaryFolder } from './lib.mjs'
import { gitLines, prazium, processesOf } from './programs.mjs'

const [, studio] = descriptions

let data
before(async () => (data = await temporaryFolder()))
after(() => rm(data, { recursive: true, force: true }))

describe('on a server of its own', () => {
  let built
  before(async () => {
    const args = ['build', '--yes', '--preview', 'off', '--data', data, '--name', 'Yoga Studio', '--out', join(data, 'studio.zip'), studio]
    built = await prazium(args, { seconds: 600 })
  })

  test('asks, plans, builds, proves and exports', () => {
    const { code, stdout, stderr } = built
    assert.equal(code, 0, stdout.slice(-3000) + stderr)
    assert.equal(stderr, '')
    let from = 0
    for (const pattern of [/started for this build/, /project +proj_\w{26} +Yoga Studio/, /^Questions$/m, /^Spec$/m, /SPEC\.md/, /ACCEPTANCE\.md/, /ROUTES\.md/, /DATA\.md/,
      /^Run 1 +run_\w{26}$/m, /\d+ tasks/, /^Verification$/m, /^Acceptance criteria$/m, /(\d+) of \1 proven/, /^Export$/m]) {
      const found = pattern.exec(stdout.slice(from))
      assert.ok(found, `${pattern} comes in its place`)
      from += found.index
    }
    assert.doesNotMatch(stdout, /✗|Preview|\x1b/)
    assert.deepEqual(processesOf(data), [])
    assert.ok(!existsSync(join(data, 'server.url')))
  })

  test('leaves the zip where it was asked to', () => {
    const zip = join(data, 'studio.zip')
    execFileSync('unzip', ['-tq', zip])
    const names = execFileSync('unzip', ['-Z1', zip], { encoding: 'utf8' }).trim().split('\n')
    assert.ok(names.includes('yoga-studio-run-1/package.json') && names.includes('yoga-studio-run-1/README.md'))
    assert.ok(built.stdout.includes(`${zip}  ${readFileSync(zip).length} bytes`))
  })

  test('leaves a data directory that a server goes on with', async () => {
    const server = await Server.start({ data })
    const [project] = page(await server.call('GET', '/projects'), { total: 1 })
    assert.deepEqual([project.name, project.status, project.description], ['Yoga Studio', 'built', studio])
    const { repoPath } = await server.get(`/projects/${project.id}`)
    const { tasks } = await checkSucceeded(server, { ...project, repoPath }, project.latestRun)
    for (const { slug } of tasks) assert.ok(built.stdout.includes(slug), slug)
    const paths = gitLines(repoPath, 'ls-tree', '-r', '--name-only', 'main')
    assert.equal(paths.length, execFileSync('unzip', ['-Z1', join(data, 'studio.zip')], { encoding: 'utf8' }).trim().split('\n').length)
    await server.stop()
  })
})

describe('what goes wrong', () => {
  let server
  before(async () => (server = await Server.start({ args: ['--workers', '0'] })))
  after(() => server.remove())

  test('a description that is too thin', async () => {
    const { code, stderr } = await prazium(['build', '--yes', '--data', server.data, 'An app'])
    assert.equal(code, 2)
    assert.match(stderr, /^prazium: .*description/)
  })

  test('answers that do not fit, or a file that is none', async () => {
    const file = join(data, 'answers.json')
    const args = ['build', '--yes', '--data', server.data, '--answers', file, studio]
    const missing = await prazium(args)
    assert.notEqual(missing.code, 0)
    assert.ok(missing.stderr.includes(file))
    for (const text of ['not json', '[]']) {
      writeFileSync(file, text)
      const { code, stderr } = await prazium(args)
      assert.equal(code, 2)
      assert.ok(stderr.includes(file), stderr)
    }
    writeFileSync(file, '{"sign-in-who": "Nobody at all"}')
    const { code, stderr } = await prazium(args)
    assert.equal(code, 2)
    assert.match(stderr, /one of the options/)
  })

  test('a server that is not there', async () => {
    const { code, stderr } = await prazium(['build', '--yes', '--server', 'http://127.0.0.1:1', '--key', server.key, studio])
    assert.equal(code, 7, stderr)
    assert.match(stderr, /^prazium: .*127\.0\.0\.1.*connect/)
  })

  test('a recording by a server that runs already', async () => {
    for (const option of ['--record', '--replay']) {
      const { code, stderr } = await prazium(['build', '--yes', '--server', server.url, '--key', server.key, option, data, studio])
      assert.equal(code, 2, stderr)
      assert.ok(stderr.includes(`${option} is for the server itself, and ${server.url} is running already`), stderr)
    }
  })

  test('a key that is not valid', async () => {
    const { code, stderr } = await prazium(['build', '--yes', '--server', server.url, studio], { env: { PRAZIUM_KEY: 'pzm_wrong' } })
    assert.equal(code, 3)
    assert.match(stderr, /key is not valid/)
  })

  test('a signal in the middle: the run is cancelled', async () => {
    const own = await temporaryFolder()
    const { code, stdout, stderr } = await prazium(['build', '--yes', '--data', own, studio], { signalAt: [/TASK|task-\d{3}/, 'SIGINT'] })
    assert.equal(code, 9, stdout + stderr)
    assert.match(stderr, /the run was cancelled/)
    assert.deepEqual(processesOf(own), [])
    const after = await Server.start({ data: own })
    const [project] = page(await after.call('GET', '/projects?status=approved'), { total: 1 })
    assert.equal(project.latestRun.status, 'cancelled')
    await after.remove()
  })
})

test('on the server that has the data directory: its project is that server\'s', async () => {
  const server = await Server.start()
  const { code, stdout } = await prazium(['build', '--yes', '--data', server.data, studio], { signalAt: [/task-\d{3}/, 'SIGTERM'] })
  assert.equal(code, 9)
  assert.ok(stdout.includes(server.url) && !stdout.includes('started for this build'))
  const [project] = page(await server.call('GET', '/projects'), { total: 1 })
  assert.deepEqual([project.status, project.latestRun.status], ['approved', 'cancelled'])
  await server.remove()
})
