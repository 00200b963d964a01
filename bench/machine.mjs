// machine: what the figures were measured on.
import { execFileSync } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'

import { binary, median, peerNode } from './process.mjs'

// A database's commit in small: 4 KiB at the end of a file, and fdatasync.
function syncTimes(folder) {
  const path = join(folder, 'sync')
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096, 1)
  const times = []
  for (let i = 0; i < 200; i++) {
    const began = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    times.push(performance.now() - began)
  }
  closeSync(file)
  rmSync(path)
  return times.sort((a, b) => a - b)
}

const firstLine = (program, ...args) => execFileSync(program, args, { encoding: 'utf8' }).split('\n')[0].trim()

export function describeMachine(folder) {
  const times = syncTimes(folder)
  const fastify = JSON.parse(readFileSync(new URL('node_modules/fastify/package.json', import.meta.url)))
  return {
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    memory_gib: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    kernel: release(),
    load: loadavg()[0], // of others: nothing has been measured yet
    sync_ms: { p50: median(times), p99: times[Math.floor(times.length * 0.99)] },
    prazium: firstLine(binary, 'version'),
    peers: {
      node: firstLine(peerNode, '--version'),
      fastify: fastify.version,
      sqlite: firstLine(peerNode, '-e', 'console.log(process.versions.sqlite)'),
      git: firstLine('git', '--version').replace('git version ', ''),
    },
  }
}
