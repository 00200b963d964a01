// table: the results as text. A ratio above 1 is in prazium's favour.
const ms = (value) => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`
const mib = (value) => `${value.toFixed(1)} MiB`
const rate = (value) => `${value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en')}/s`
const ratio = (value) => (value < 10 ? value.toFixed(2) : value.toFixed(1))

function less(what, ours, theirs, peer, show = ms) {
  return [what, show(ours), show(theirs), ratio(theirs / ours), peer]
}

function more(what, ours, theirs, peer) {
  return [what, rate(ours.rate ?? ours), rate(theirs.rate ?? theirs), ratio((ours.rate ?? ours) / (theirs.rate ?? theirs)), peer]
}

function rowsOf({ start, runs, reads, search, writes, streams }) {
  const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`
  const rows = [
    ['START, MEMORY'],
    less('start, empty data directory', start.empty_ms, start.peer_ms, 'Fastify, /health alone'),
    less('start, existing data directory', start.existing_ms, start.peer_ms, 'the same'),
    less('idle memory, RSS', start.memory_mib.rss, start.peer_memory_mib.rss, 'the same', mib),
    less('idle memory, PSS', start.memory_mib.pss, start.peer_memory_mib.pss, 'the same', mib),
    [`READ: GET /v1/projects/:id, ${reads.clients} clients`],
  ]
  for (const [name, of] of [['draft', reads.small], ['with spec', reads.with_spec]]) {
    rows.push(more(`${name}, ${kib(of.bytes)}`, of.prazium, of.peer, 'Fastify, SQLite'))
    if (of.nginx) rows.push(more(`${name}, ${kib(of.bytes)}`, of.prazium, of.nginx, 'nginx, a file; no key, no look-up'))
  }
  rows.push([`SEARCH: among ${search.projects.toLocaleString('en')} projects, ${search.clients} clients`])
  for (const of of [search.few, search.half]) {
    const what = `first 20 of ${of.found.toLocaleString('en')}, and their number`
    rows.push(more(what, of.prazium, of.peer, 'Fastify, SQLite FTS5'))
    rows.push(more(what, of.prazium, of.like, 'Fastify, SQLite LIKE'))
  }
  rows.push(['DURABLE WRITES'])
  for (const [name, key, peer] of [
    ['PATCH project', 'change', 'Fastify, SQLite FULL'],
    ['POST project', 'create', 'the same, and git init (not synced)'],
  ])
    for (const [clients, of] of Object.entries(writes[key]))
      rows.push(more(`${name}, ${clients} client${clients > 1 ? 's' : ''}`, of.prazium, of.peer, peer))
  rows.push(['ORCHESTRATION'])
  rows.push(less(`${runs.tasks} tasks, ${runs.files} files, to the last merge`, runs.run_ms, runs.git_ms, 'git, files ready, in sequence'))
  rows.push([`EVENT STREAM: ${streams.readers} readers of ${streams.events} events`])
  rows.push(more('deliveries', streams.prazium, streams.peer, 'Fastify, out of memory'))
  rows.push(less('until 99 % of them have all', streams.prazium.p99, streams.peer.p99, 'the same'))
  return rows
}

export function tableOf(results) {
  const { machine: m, reads } = results
  const rows = [['', 'prazium', 'peer', 'ratio', 'peer is'], ...rowsOf(results)]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.filter((row) => row.length > 1).map((row) => row[column].length)))
  const lines = rows.map((row) =>
    row.length === 1
      ? `\n${row[0]}`
      : [row[0].padEnd(widths[0]), ...[1, 2, 3].map((column) => row[column].padStart(widths[column])), row[4]].join('  '),
  )
  const cores = reads.is_pinned ? 'server on one core, client on another' : 'server and client on the same core'
  return [
    `${m.cpu}, ${m.cores} cores, ${m.memory_gib} GiB, Linux ${m.kernel}; load of others ${m.load.toFixed(1)};` +
      ` 4 KiB write and fdatasync ${ms(m.sync_ms.p50)} (p99 ${ms(m.sync_ms.p99)})`,
    `${m.prazium}; Fastify ${m.peers.fastify} on Node ${m.peers.node.slice(1)} with SQLite ${m.peers.sqlite}; git ${m.peers.git}`,
    `reads, searches, writes, streams: ${cores}; medians throughout; ratio above 1: prazium is better`,
    '',
    ...lines,
    '',
    `${results.seconds.toFixed(0)} s; all figures in bench/results.json`,
  ].join('\n')
}
