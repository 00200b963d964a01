// cli: the command line: help, versions, what is no command or option, keys, the doctor. `prazium build` is in build.test.mjs.
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Server, temporaryFolder } from './lib.mjs'
import { prazium } from './programs.mjs'

let folder
before(async () => (folder = await temporaryFolder()))
after(() => rm(folder, { recursive: true, force: true }))

// Says one line on stderr, nothing on stdout, and ends with this code.
async function fails(args, code, pattern, options) {
  const { code: ended, stdout, stderr } = await prazium(args, { cwd: folder, ...options })
  assert.equal(ended, code, stderr)
  assert.equal(stdout, '')
  assert.match(stderr, pattern)
  return stderr
}

const commands = ['build', 'doctor', 'key', 'openapi', 'serve', 'version']

test('version', async () => {
  for (const args of [['version'], ['--version']]) {
    assert.deepEqual(await prazium(args), { code: 0, signal: null, stdout: 'prazium 1.0.0\n', stderr: '' })
  }
})

describe('help', () => {
  for (const args of [[], ['help'], ['--help'], ['-h']]) {
    test(`prazium ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await prazium(args)
      assert.deepEqual([code, stderr], [0, ''])
      for (const command of commands) assert.match(stdout, new RegExp(`^  ${command} `, 'm'))
    })
  }

  for (const command of commands) {
    test(`prazium ${command} --help`, async () => {
      for (const flag of ['--help', '-h']) {
        const { code, stdout, stderr } = await prazium([command, flag], { cwd: folder })
        assert.deepEqual([code, stderr], [0, ''])
        assert.match(stdout, new RegExp(`^usage: prazium ${command} `))
        for (const option of stdout.match(/^ {2}--[a-z-]+/gm) ?? []) {
          assert.ok(stdout.includes(`PRAZIUM_${option.trim().slice(2).toUpperCase().replaceAll('-', '_')}`), option)
        }
      }
    })
  }

  test('--help wins over other options', async () => {
    assert.equal((await prazium(['serve', '--workers', '1', '--help'])).code, 0)
  })

  test('as Markdown it has every command and option', async () => {
    const { code, stdout } = await prazium(['help', '--markdown'])
    assert.equal(code, 0)
    for (const command of commands) assert.ok(stdout.includes(`## \`prazium ${command}`), command)
    for (const option of ['--listen', '--data', '--database', '--workers', '--yes', '--preview']) assert.ok(stdout.includes(option), option)
  })
})

describe('what is wrong on the command line', () => {
  test('an unknown command', () => fails(['fly'], 2, /^prazium: there is no command fly\n/))

  for (const command of commands) {
    test(`an unknown option of ${command}`, () => fails([command, '--no-such'], 2, /^prazium: there is no option --no-such/))
  }

  test('an option of another command', () => fails(['serve', '--yes'], 2, /--yes/))
  test('an option without its value', () => fails(['serve', '--data'], 2, /--data needs a value/))
  test('an empty value', () => fails(['serve', '--data='], 2, /--data must not be empty/))
  test('a number that is none', () => fails(['serve', '--workers', 'many'], 2, /--workers must be a number from 0 to 64/))
  test('a number out of range', () => fails(['serve', '--workers=65'], 2, /--workers/))
  test('a word that is none of them', () => fails(['serve', '--log-format', 'xml'], 2, /--log-format must be one of text\|json/))
  test('a wrong value in the environment', () => fails(['serve'], 2, /PRAZIUM_WORKERS/, { env: { PRAZIUM_WORKERS: 'x' } }))
  test('an address that is none', () => fails(['serve', '--listen', 'nonsense', '--data', folder], 2, /listen|address/i))
  test('words that serve has no use for', () => fails(['serve', 'now', '--data', folder], 2, /now/))
  test('build without a description', () => fails(['build'], 2, /description/))
  test('build with two', () => fails(['build', 'a', 'b'], 2, /description/))
  test('key without an action', () => fails(['key', '--data', folder], 2, /create \| list \| revoke/))
  test('key with an unknown action', () => fails(['key', 'burn', '--data', folder], 2, /create \| list \| revoke/))
  test('key revoke without an id', () => fails(['key', 'revoke', '--data', folder], 2, /which key/))
  test('key create with more words', () => fails(['key', 'create', 'more', '--data', folder], 2, /no further words/))
  test('a role that is none', () => fails(['key', 'create', '--role', 'king', '--data', folder], 2, /member\|admin/))
})

describe('key', () => {
  test('needs an account, and makes nothing where there is none', async () => {
    const data = join(folder, 'never-started')
    await fails(['key', 'list', '--data', data], 4, /start the server once/)
    assert.ok(!existsSync(data))
  })

  test('creates, lists and revokes without a server', async (t) => {
    const server = await Server.start({ args: ['--workers', '0'] })
    t.after(() => server.remove())
    await server.stop()
    const data = ['--data', server.data]
    const made = await prazium(['key', 'create', '--name', 'Nightly "job"', '--role', 'admin', ...data])
    assert.match(made.stdout, /^pzm_[0-9a-z]{38}\n$/)
    const lines = (await prazium(['key', 'list', ...data])).stdout.trimEnd().split('\n')
    assert.equal(lines.length, 2)
    const [mine, first] = lines
    assert.match(mine, /^key_\w{26} {2}….{4} {2}admin {3}live {5}made \S+Z {2}used never {2}Nightly "job"$/)
    assert.match(first, /^key_\w{26} {2}….{4} {2}admin {3}live {5}made \S+Z {2}used .* {2}admin$/)
    await fails(['key', 'revoke', 'key_nonsense', ...data], 4, /no live key key_nonsense/)
    const revoked = await prazium(['key', 'revoke', mine.split(' ')[0], ...data])
    assert.equal(revoked.code, 0)
    assert.match((await prazium(['key', 'list', ...data])).stdout, /revoked/)
  })
})

describe('doctor', () => {
  test('finds all well', async () => {
    const { code, stdout, stderr } = await prazium(['doctor', '--data', join(folder, 'fresh'), '--listen', '127.0.0.1:0'])
    assert.equal(code, 0, stdout + stderr)
    for (const check of ['node', 'npm', 'data', 'disk', 'database', 'sandbox', 'agents', 'listen']) assert.match(stdout, new RegExp(`^✓ ${check} `, 'm'))
    assert.match(stdout, /all is well\n$/)
  })

  test('sees what a server uses, and says what to do', async (t) => {
    const server = await Server.start({ args: ['--workers', '0'] })
    t.after(() => server.remove())
    const { code, stdout, stderr } = await prazium(['doctor', '--data', server.data, '--listen', new URL(server.url).host])
    assert.equal(code, 7)
    assert.match(stdout, /^✗ listen .*in use\n.*→ .*--listen/m)
    assert.match(stdout, /^✓ database {2}sound/m)
    assert.match(stderr, /1 of 8 checks need attention/)
  })

  test('sees what is missing or broken', async () => {
    const data = join(folder, 'broken')
    mkdirSync(data)
    writeFileSync(join(data, 'prazium.db'), 'this is no database '.repeat(500))
    const empty = join(folder, 'empty')
    mkdirSync(empty)
    const { code, stdout } = await prazium(['doctor', '--data', data, '--listen', '127.0.0.1:0'], { env: { PATH: empty } })
    assert.equal(code, 7)
    for (const check of ['node', 'npm', 'database']) assert.match(stdout, new RegExp(`^✗ ${check} .*\\n +→ `, 'm'))
    // Without bubblewrap all works, unless somebody insists.
    assert.match(stdout, /^✓ sandbox {3}builds are not fenced in: bubblewrap is not installed$/m)
    const strict = await prazium(['doctor', '--data', data, '--sandbox', 'bwrap'], { env: { PATH: empty } })
    assert.match(strict.stdout, /^✗ sandbox {3}builds are not fenced in: .*\n +→ install bubblewrap/m)
  })

  test('sees agents that cannot work', async () => {
    const data = join(folder, 'fresh')
    for (const [args, said] of [
      [['--agent', 'nobody'], 'there is no agent nobody'],
      [['--agent', 'blueprint,model:x'], 'model needs a --model'],
      [['--agent', 'command'], 'command needs --agent-command'],
      [['--planner', 'model'], 'the planner model needs a --model'],
    ]) {
      const { code, stdout } = await prazium(['doctor', '--data', data, '--listen', '127.0.0.1:0', ...args])
      assert.equal(code, 7)
      assert.match(stdout, new RegExp(`^✗ agents {4}${said}\\n +→ `, 'm'))
    }
  })

  test('sees a Node that is too old', async () => {
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'node'), '#!/bin/sh\necho v18.20.0\n')
    chmodSync(join(bin, 'node'), 0o755)
    const { stdout } = await prazium(['doctor', '--data', join(folder, 'fresh'), '--listen', '127.0.0.1:0'], { env: { PATH: `${bin}:/bin:/usr/bin` } })
    assert.match(stdout, /^✗ node {6}v18\.20\.0\n.*20\.9/m)
  })
})
