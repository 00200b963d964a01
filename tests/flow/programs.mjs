// programs: git, unzip, the command line of prazium, and the processes that live.
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { binary, cleanEnv } from './lib.mjs'

export function git(repository, ...args) {
  return execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 }).trim()
}

export function gitLines(repository, ...args) {
  return git(repository, ...args).split('\n').filter(Boolean)
}

export function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it ended meanwhile
  }
}

// Processes whose command line, environment or working directory names the data directory, but the servers themselves.
export function processesOf(data, ...servers) {
  const found = []
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
    let folder = ''
    try {
      folder = readlinkSync(`/proc/${pid}/cwd`)
    } catch {
      // it ended meanwhile
    }
    if (servers.includes(Number(pid))) continue
    if ([command, read(`/proc/${pid}/environ`), folder].some((text) => text.includes(data))) found.push(`${pid} ${command} in ${folder}`)
  }
  return found
}

// Runs prazium to its end: {code, signal, stdout, stderr}. signalAt is [pattern, signal]: sent once stdout matches.
export async function prazium(args, { env = {}, cwd, input, seconds = 60, signalAt } = {}) {
  const child = spawn(binary, args, { env: { ...cleanEnv, ...env }, cwd, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] })
  const result = { stdout: '', stderr: '' }
  const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000) // seen as the signal that ended it
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (result[name] += text))
  if (input !== undefined) child.stdin.end(input)
  let isSent = !signalAt
  child.stdout.on('data', () => {
    if (!isSent && signalAt[0].test(result.stdout)) isSent = child.kill(signalAt[1])
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, ...result })
    })
  })
}
