// hostile: a coding agent that does what none should: what is said by the name of the project, "Attack NAME".
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'

const [, , promptFile, data, port] = process.argv
const prompt = readFileSync(promptFile, 'utf8')
const attack = /^# Attack ([a-z-]+): specification$/m.exec(prompt)[1]
const say = (text) => process.stdout.write(`${text}\n`)

const attempt = (what, action) => {
  try {
    const found = action()
    say(`${what}: done ${found === undefined ? '' : String(found).slice(0, 200)}`)
  } catch (error) {
    say(`${what}: ${error.code ?? error.message}`)
  }
}
const reach = (host, at) =>
  new Promise((resolve) => {
    const socket = connect(at, host, () => (say(`${host}:${at}: done`), socket.destroy(), resolve()))
    socket.setTimeout(2000, () => (socket.destroy(), resolve()))
    socket.on('error', (error) => (say(`${host}:${at}: ${error.code}`), resolve()))
  })

const attacks = {
  'out-of-scope': () => writeFileSync('not-mine.txt', 'x\n'),
  secrets: () => {
    attempt('key', () => readFileSync(join(data, 'admin.key'), 'utf8'))
    attempt('folder', () => readdirSync(data)) // where its worktree lies, and nothing else
    attempt('environment', () => readFileSync('/proc/1/environ', 'utf8').includes('PRAZIUM_MODEL'))
    attempt('root', () => readdirSync('/root'))
    attempt('shadow', () => readFileSync('/etc/shadow', 'utf8'))
  },
  server: async () => {
    attempt('database', () => appendFileSync(join(data, 'prazium.db'), 'x')) // at most one that is not the server's
    attempt('system', () => appendFileSync('/etc/passwd', 'x'))
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid) && name !== '1'))
      attempt('kill', () => process.kill(Number(pid), 'SIGKILL'))
    await reach('127.0.0.1', Number(port))
    await reach('1.1.1.1', 443)
  },
  git: () => {
    const where = readFileSync('.git', 'utf8')
    attempt('pointer', () => writeFileSync('.git', 'gitdir: /tmp\n'))
    attempt('pointer', () => rmSync('.git'))
    attempt('hook', () => writeFileSync(join(where.replace('gitdir: ', '').trim(), '../../hooks/pre-commit'), '#!/bin/sh\n'))
    mkdirSync('src/.git', { recursive: true })
    writeFileSync('src/.git/config', '[core]\n\tfsmonitor = touch /tmp/owned\n')
  },
  symlink: () => {
    const path = /must be there when you are done:\n- (.*)/.exec(prompt)[1]
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync('/etc/passwd', path)
  },
  forks: () => {
    for (let i = 0; i < 700; i++) spawn('sleep', ['1000'], { stdio: 'ignore' }).on('error', () => {})
    setInterval(() => {}, 1000)
  },
  memory: () => {
    const kept = []
    for (;;) kept.push(Buffer.alloc(64 << 20, 1))
  },
  file: () => {
    const block = Buffer.alloc(64 << 20)
    for (;;) appendFileSync('large', block)
  },
  nothing: () => say('All done, every test passes.'),
  gibberish: () => {
    process.stdout.write(Buffer.from([0xff, 0xfe, 0x1b, 0x5b, 0x32, 0x4a, 0x00, 0x0a]))
    process.stdout.write(`${'long '.repeat(500_000)}\n{"type":"item.completed"`)
    process.exitCode = 0
  },
  children: () => {
    spawn('setsid', ['sh', '-c', 'trap "" TERM HUP; sleep 1000; sleep 1000'], { detached: true, stdio: 'ignore' }).unref()
    say(existsSync('.git') ? 'left a child' : 'elsewhere')
    process.exit(0)
  },
}
await attacks[attack]()
