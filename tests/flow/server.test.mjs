// server: starting, what keeps it from starting, its first key, and how it ends.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import net from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { page, refused } from './expect.mjs'
import { Server, temporaryFolder, until } from './lib.mjs'
import { prazium } from './programs.mjs'

let server
before(async () => (server = await Server.start()))
after(() => server.remove())

test('says its address on stdout, and keeps it in the data directory', () => {
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.equal(readFileSync(join(server.data, 'server.url'), 'utf8').trim(), server.url)
})

describe('the first key', () => {
  test('is for the owner alone, and the administrator of the first account', async () => {
    const file = join(server.data, 'admin.key')
    assert.equal(statSync(file).mode & 0o7777, 0o600)
    assert.match(readFileSync(file, 'utf8'), /^pzm_[0-9a-z]{38}\n$/)
    page(await server.call('GET', '/projects'), { total: 0 })
    assert.match((await prazium(['key', 'list', '--data', server.data])).stdout, /^key_\S+ +…\S{4} +admin +live .* admin\n$/)
  })

  test('is never in the log, nor is any other', () => assert.doesNotMatch(server.log, /pzm_/))

  test('stays over restarts', async () => {
    const { key } = server
    const { id } = await server.draft()
    await server.stop()
    assert.ok(!existsSync(join(server.data, 'server.url')), 'no address once nobody is there')
    await server.restart()
    assert.equal(server.key, key)
    assert.equal((await server.get(`/projects/${id}`)).id, id)
    await server.kill()
    await server.restart()
    assert.equal(server.key, key)
    assert.equal((await server.get(`/projects/${id}`)).id, id)
  })

  test('is written anew by nobody: a revoked or removed one stays so', async () => {
    const data = await temporaryFolder()
    const own = await Server.start({ data, args: ['--workers', '0'] })
    const [id] = (await prazium(['key', 'list', '--data', data])).stdout.split(' ')
    await prazium(['key', 'revoke', id, '--data', data])
    refused(await own.call('GET', '/projects'), 401)
    await own.stop()
    await own.restart()
    refused(await own.call('GET', '/projects'), 401)
    await own.remove()
  })
})

describe('does not start', () => {
  test('on a data directory that another server has', async () => {
    const { code, stdout, stderr } = await prazium(['serve', '--listen', '127.0.0.1:0', '--data', server.data])
    assert.equal(code, 5)
    assert.equal(stdout, '')
    assert.ok(stderr.includes(`another prazium server uses the data directory ${server.data}`), stderr)
    assert.equal(readFileSync(join(server.data, 'server.url'), 'utf8').trim(), server.url, 'the first one is unharmed')
    page(await server.call('GET', '/projects'), { total: 1 })
  })

  test('on a port that is in use', async () => {
    const data = await temporaryFolder()
    const { host } = new URL(server.url)
    const { code, stdout, stderr } = await prazium(['serve', '--listen', host, '--data', data])
    assert.equal(code, 7)
    assert.equal(stdout, '')
    assert.ok(stderr.includes(host) && /in use/.test(stderr), stderr)
    assert.ok(!existsSync(join(data, 'server.url')))
    await rm(data, { recursive: true })
  })

  test('on a data directory that cannot be made', async () => {
    const data = await temporaryFolder()
    writeFileSync(join(data, 'file'), '')
    const { code, stderr } = await prazium(['serve', '--listen', '127.0.0.1:0', '--data', join(data, 'file', 'data')])
    assert.notEqual(code, 0)
    assert.match(stderr, /^prazium: .*file/)
    await rm(data, { recursive: true })
  })

  test('on a database that is none, which it leaves as it is', async () => {
    const data = await temporaryFolder()
    const file = join(data, 'prazium.db')
    const text = 'this is no database '.repeat(500)
    writeFileSync(file, text)
    const { code, stderr } = await prazium(['serve', '--listen', '127.0.0.1:0', '--data', data])
    assert.notEqual(code, 0)
    assert.match(stderr, /database/)
    assert.equal(readFileSync(file, 'utf8'), text)
    await rm(data, { recursive: true })
  })
})

describe('ends', () => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`by ${signal}, with exit code 0`, async () => {
      const own = await Server.start()
      await own.draft()
      own.child.ref()
      own.child.kill(signal)
      assert.deepEqual(await own.exited, { code: 0, signal: null })
      await own.restart()
      page(await own.call('GET', '/projects'), { total: 1 })
      await own.remove()
    })
  }

  test('also with connections open that say nothing, and with streams', async () => {
    const own = await Server.start({ args: ['--workers', '0', '--grace', '2'] })
    const { port } = new URL(own.url)
    const silent = net.connect(Number(port), '127.0.0.1')
    const half = net.connect(Number(port), '127.0.0.1')
    silent.on('error', () => {})
    half.on('error', () => {})
    await Promise.all([once(silent, 'connect'), once(half, 'connect')])
    half.write('GET /v1/projects HTTP/1.1\r\nHo')
    const project = await own.approvedProject()
    const run = await own.post(`/projects/${project.id}/runs`)
    const streaming = own.stream(project.id, run.id, Object.assign(() => false, { mayBreak: true }))
    await until('the stream is open', 10, () => own.events(project.id, run.id).then((events) => events.length > 0))
    const began = Date.now()
    await own.stop()
    assert.ok(Date.now() - began < 8000, `it took ${Date.now() - began} ms`)
    const { seen } = await streaming
    assert.equal(seen[0].type, 'RUN_STARTED')
    silent.destroy()
    half.destroy()
    await own.remove()
  })
})

test('logs in JSON, a line a request, when it is asked to', async () => {
  const own = await Server.start({ args: ['--workers', '0', '--log-format', 'json', '--log-level', 'debug'] })
  await own.get('/projects')
  await own.stop()
  const lines = own.log.trim().split('\n').map((line) => JSON.parse(line))
  assert.ok(lines.some((line) => Object.values(line).includes('request')), 'debug has a line a request')
  assert.ok(lines.every((line) => line.time && line.level))
  await own.remove()
})

test('leaves only what it knows in its data directory', () => {
  const names = readdirSync(server.data).filter((name) => !/^prazium\.db(-wal|-shm)?$/.test(name))
  assert.deepEqual(names.sort(), ['admin.key', 'cache', 'deployments', 'exports', 'fence', 'lock', 'logs', 'repos', 'server.url', 'tmp', 'workspaces'])
})

test('takes its options from the environment, and those of the command line before them', async (t) => {
  const data = await temporaryFolder()
  t.after(() => rm(data, { recursive: true }))
  const { host } = new URL(server.url)
  const env = { PRAZIUM_DATA: server.data, PRAZIUM_LISTEN: host, PRAZIUM_WORKERS: '1' }
  assert.equal((await prazium(['serve'], { env })).code, 5, 'the data directory of the environment is in use')
  const { code, stderr } = await prazium(['serve', '--data', data], { env })
  assert.equal(code, 7, stderr)
})
