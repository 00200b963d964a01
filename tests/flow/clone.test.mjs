// clone: a project's repository, as the program git has it: cloned, fetched from, and never pushed to.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { refused, sameNotFound } from './expect.mjs'
import { cleanEnv, Server } from './lib.mjs'
import { git, gitLines, processesOf } from './programs.mjs'

const folder = mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), 'prazium-clone-'))
const person = { GIT_AUTHOR_NAME: 'Flow', GIT_AUTHOR_EMAIL: 'flow@localhost', GIT_COMMITTER_NAME: 'Flow', GIT_COMMITTER_EMAIL: 'flow@localhost' }
const env = { ...cleanEnv, ...person, HOME: folder, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' }
const source = join(folder, 'source')

let server, project, base, clones = 0
before(async () => {
  server = await Server.start({ args: ['--workers', '0'] })
  project = await server.draft()
  base = `/projects/${project.id}/repo.git`
  await must('clone', '-q', project.repoPath, source)
  await commit({ 'README.md': 'one\n', 'src/app/page.tsx': 'export default 1\n' })
  await commit({ 'README.md': 'two\n', 'Übersicht #1.md': 'größer\n' })
  await commit({ 'binary.bin': Buffer.from([0, 255, 10, 13, 0]) })
  await must('-C', source, 'push', '-q', 'origin', 'main', 'main:refs/tags/run-1', 'main:refs/heads/run/2', 'main~1:refs/heads/feat/task-001-shell', 'main:refs/prazium/run-1/x')
})
after(async () => {
  await server.remove()
  rmSync(folder, { recursive: true })
})

// Runs git to its end: {code, stdout, stderr}. A last object is further environment.
function run(...args) {
  const more = typeof args.at(-1) === 'object' ? args.pop() : {}
  return new Promise((resolve) => {
    execFile('git', args, { cwd: folder, env: { ...env, ...more }, timeout: 60_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) => resolve({ code: error ? (error.code ?? 'killed') : 0, stdout, stderr }))
  })
}

async function must(...args) {
  const { code, stdout, stderr } = await run(...args)
  assert.equal(code, 0, `git ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

// Onto the main of `source`, which is pushed when the test says so.
async function commit(files, where = source) {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(where, path)), { recursive: true })
    writeFileSync(join(where, path), content)
  }
  await must('-C', where, 'add', '-A')
  await must('-C', where, 'commit', '-q', '--allow-empty', '-m', Object.keys(files)[0] ?? 'nothing')
}

// Where git finds the project, with this key.
function address(key = server.key, id = project.id, name = 'x') {
  return `${server.url.replace('//', `//${name}:${key}@`)}/v1/projects/${id}/repo.git`
}

async function clone(url, ...args) {
  const into = join(folder, `clone-${++clones}`)
  return { into, ...(await run(...args, url, into)) }
}

async function cloned(url, ...args) {
  const { into, code, stderr } = await clone(url, ...args)
  assert.equal(code, 0, stderr)
  await must('-C', into, 'fsck', '--strict', '--full')
  return into
}

const head = () => git(project.repoPath, 'rev-parse', 'main')
const headOf = (into) => git(into, 'rev-parse', 'HEAD')

// Every file as the API reads it: {path: bytes}.
async function filesByApi(path = '/') {
  const files = {}
  for (const entry of (await server.get(`/projects/${project.id}/files?path=${encodeURIComponent(path)}`)).entries) {
    const below = `${path === '/' ? '' : `${path}/`}${entry.name}`
    if (entry.type === 'directory') Object.assign(files, await filesByApi(below))
    else {
      const { content, encoding } = await server.get(`/projects/${project.id}/files/${below.split('/').map(encodeURIComponent).join('/')}`)
      files[below] = Buffer.from(content, encoding)
    }
  }
  return files
}

// One request to it, by hand; a body of text or bytes.
const fetchPack = (body, headers = {}, path = base) => server.call('POST', `${path}/git-upload-pack`, body, { 'content-type': 'application/x-git-upload-pack-request', ...headers })
const pkt = (text) => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`

describe('git clone', () => {
  test('of cloneUrl has what GET files has, on the default branch', async () => {
    const { cloneUrl } = await server.get(`/projects/${project.id}`)
    assert.equal(cloneUrl, base)
    const into = await cloned(`${server.url.replace('//', `//anybody:${server.key}@`)}/v1${cloneUrl}`, 'clone')
    assert.equal(git(into, 'symbolic-ref', 'HEAD'), 'refs/heads/main')
    assert.equal(headOf(into), head())
    const files = await filesByApi()
    assert.deepEqual(gitLines(into, '-c', 'core.quotePath=false', 'ls-files').sort(), Object.keys(files).sort())
    assert.ok(Object.keys(files).length >= 4)
    for (const [path, bytes] of Object.entries(files)) assert.deepEqual(readFileSync(join(into, path)), bytes, path)
  })

  for (const version of [0, 1, 2]) {
    test(`sees main and the tags by version ${version} of the protocol, and nothing else`, async () => {
      const lines = (await must('-c', `protocol.version=${version}`, 'ls-remote', '--symref', address())).split('\n')
      assert.deepEqual(lines, ['ref: refs/heads/main\tHEAD', `${head()}\tHEAD`, `${head()}\trefs/heads/main`, `${head()}\trefs/tags/run-1`])
      const into = await cloned(address(), '-c', `protocol.version=${version}`, 'clone')
      assert.equal(headOf(into), head())
      assert.deepEqual(gitLines(into, 'for-each-ref', '--format=%(refname)', 'refs/remotes', 'refs/tags'), ['refs/remotes/origin/HEAD', 'refs/remotes/origin/main', 'refs/tags/run-1'])
    })

    test(`is shallow by version ${version}, and deepened`, async () => {
      const into = await cloned(address(), '-c', `protocol.version=${version}`, 'clone', '--depth', '1')
      assert.equal(git(into, 'rev-list', '--count', 'HEAD'), '1')
      assert.equal(git(into, 'rev-parse', '--is-shallow-repository'), 'true')
      await must('-C', into, '-c', `protocol.version=${version}`, 'fetch', '-q', '--unshallow')
      assert.equal(git(into, 'rev-list', '--count', 'HEAD'), git(project.repoPath, 'rev-list', '--count', 'main'))
    })
  }

  test('is partial, and fetches what it lacks when it is read', async () => {
    const into = await cloned(address(), 'clone', '--filter=blob:none')
    const missing = gitLines(into, 'rev-list', '--objects', '--all', '--missing=print').filter((line) => line.startsWith('?'))
    assert.equal(missing.length, 1, 'the README as it first was')
    assert.equal(await must('-C', into, 'show', 'HEAD~2:README.md'), 'one')
    assert.notEqual((await clone(address(), 'clone', '--filter=sparse:oid=main')).code, 0)
  })

  test('before the first run has an empty main', async () => {
    const { id } = await server.draft()
    const into = await cloned(address(server.key, id), 'clone')
    assert.deepEqual([gitLines(into, 'ls-files'), git(into, 'rev-list', '--count', 'HEAD')], [[], '1'])
  })

  test('of an archived project', async () => {
    const archived = await server.draft()
    await server.answer('DELETE', `/projects/${archived.id}`)
    await cloned(address(server.key, archived.id), 'clone')
  })

  test('several at once', async () => {
    for (const into of await Promise.all(Array.from({ length: 4 }, () => cloned(address(), 'clone')))) assert.equal(headOf(into), head())
  })

  test('with the key as a header', async () => {
    const url = `${server.url}/v1${base}`
    const into = await cloned(url, '-c', `http.extraHeader=Authorization: Bearer ${server.key}`, 'clone')
    assert.equal(headOf(into), head())
  })
})

// Commits that only this clone has.
function importCommits(into, number) {
  const from = Math.ceil(Date.now() / 1000) // the newest are told first
  const commits = Array.from({ length: number }, (_, i) => `commit refs/heads/local\ncommitter Flow <flow@localhost> ${from + i} +0000\ndata 0\n${i === 0 ? 'from refs/heads/main^0\n' : ''}\n`)
  execFileSync('git', ['-C', into, 'fast-import', '--quiet'], { env, input: commits.join('') })
}

describe('git fetch', () => {
  test('brings what is new, by bodies that git compresses, or sends in pieces', async () => {
    const into = await cloned(address(), 'clone')
    importCommits(into, 4000)
    await commit({ 'README.md': 'three\n' })
    await must('-C', source, 'push', '-q', 'origin', 'main')
    const ways = [[0, 1048576, /content-encoding: gzip/i], [2, 65536, /transfer-encoding: chunked/i]]
    for (const [version, postBuffer, way] of ways) {
      await must('-C', into, 'update-ref', 'refs/remotes/origin/main', 'refs/remotes/origin/main~1')
      const { code, stderr } = await run('-c', `protocol.version=${version}`, '-c', `http.postBuffer=${postBuffer}`, '-c', 'fetch.negotiationAlgorithm=consecutive', '-C', into, 'fetch', { GIT_TRACE_CURL: '1', GIT_TRACE_CURL_NO_DATA: '1' })
      assert.equal(code, 0, stderr)
      assert.equal(git(into, 'rev-parse', 'origin/main'), head())
      assert.match(stderr, way)
    }
    await must('-C', into, 'fsck', '--strict', '--full')
    assert.equal(await must('-C', into, 'fetch'), '', 'nothing is new')
  })
})

describe('git push', () => {
  test('is refused in words', async () => {
    const into = await cloned(address(), 'clone')
    const before = head()
    await commit({ 'README.md': 'pushed\n' }, into)
    const { code, stderr } = await run('-C', into, 'push')
    assert.notEqual(code, 0)
    assert.match(stderr, /remote: This repository is read-only: nothing can be pushed to it/)
    assert.match(stderr, /error: 403/)
    assert.equal(head(), before)
    refused(await server.call('GET', `${base}/info/refs?service=git-receive-pack`), 403)
    refused(await server.call('POST', `${base}/git-receive-pack`, '0000'), 404)
  })
})

describe('who may not', () => {
  test('has no key, or a wrong one', async () => {
    const none = await clone(`${server.url}/v1${base}`, 'clone')
    assert.match(none.stderr, /could not read Username/, 'git asks for it')
    for (const key of ['wrong', `pzm_${'0'.repeat(38)}`, '']) {
      const { code, stderr } = await clone(address(key), 'clone')
      assert.notEqual(code, 0)
      assert.match(stderr, /Authentication failed|could not read Password/)
    }
    const asName = await clone(address('', project.id, server.key), 'clone')
    assert.notEqual(asName.code, 0, 'the key is the password')
    for (const authorization of [undefined, 'Basic', 'Basic !', `Basic ${btoa(server.key)}`, `Basic ${btoa('x:pzm_x')}`, `Bearer ${server.key}x`]) {
      for (const answer of [await server.call('GET', `${base}/info/refs?service=git-upload-pack`, undefined, { authorization }), await fetchPack('0000', { authorization })]) {
        refused(answer, 401)
        assert.equal(answer.headers.get('www-authenticate'), 'Basic realm="prazium"')
      }
    }
  })

  test('has a key of another account, or of one that is suspended', async () => {
    const tenant = await server.tenant()
    const foreign = await clone(address(tenant.key), 'clone')
    assert.match(foreign.stderr, /remote: Project not found/)
    refused(await tenant.call('GET', `${base}/info/refs?service=git-upload-pack`), 404)
    refused(await tenant.call('GET', `${base}/info/refs?service=git-receive-pack`), 404)
    const own = await tenant.draft()
    await cloned(address(tenant.key, own.id), 'clone')
    await server.answer('PATCH', `/admin/accounts/${tenant.account.id}`, { status: 'suspended' })
    const suspended = await clone(address(tenant.key, own.id), 'clone')
    assert.notEqual(suspended.code, 0)
    assert.match(suspended.stderr, /remote: The account is suspended/)
  })

  test('the key as a password opens nothing else', async () => {
    refused(await server.call('GET', `/projects/${project.id}`, undefined, { authorization: `Basic ${btoa(`x:${server.key}`)}` }), 401)
  })
})

describe('GET /projects/:projectId/repo.git/info/refs', () => {
  test('is git’s own form, never cached', async () => {
    const answer = await server.call('GET', `${base}/info/refs?service=git-upload-pack`)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('content-type'), 'application/x-git-upload-pack-advertisement')
    assert.match(answer.headers.get('cache-control'), /no-store/)
    assert.ok(answer.text.startsWith('001e# service=git-upload-pack\n0000'))
    const second = await server.call('GET', `${base}/info/refs?service=git-upload-pack`, undefined, { 'git-protocol': 'version=2' })
    assert.ok(second.text.startsWith('000eversion 2\n'))
    const headers = await server.fetch(`/v1${base}/info/refs?service=git-upload-pack`, { method: 'HEAD' })
    assert.equal(headers.headers.get('content-length'), String(answer.text.length))
  })

  test('wants to know what for', async () => {
    for (const query of ['', '?service=', '?service=git-upload-archive', '?service=git-upload-pack&service=git-upload-pack']) refused(await server.call('GET', `${base}/info/refs${query}`), 400, 'service')
    refused(await server.call('GET', `${base}/HEAD`), 404)
    refused(await server.call('GET', `${base}/objects/info/packs`), 404)
  })

  test('is not there', () => sameNotFound(server, 'GET', ['proj_01h455vb4pex5vsknk084sn02q', 'x'].map((id) => `/projects/${id}/repo.git/info/refs?service=git-upload-pack`)))
})

describe('POST /projects/:projectId/repo.git/git-upload-pack', () => {
  const wanted = () => `${pkt(`want ${head()}\n`)}0000${pkt('done\n')}`

  test('answers a pack, to plain and compressed bodies', async () => {
    for (const [body, headers] of [[wanted()], [gzipSync(wanted()), { 'content-encoding': 'gzip' }], [gzipSync(wanted()), { 'content-encoding': 'x-gzip' }]]) {
      const answer = await fetchPack(body, headers)
      assert.equal(answer.status, 200, answer.text)
      assert.equal(answer.headers.get('content-type'), 'application/x-git-upload-pack-result')
      assert.ok(answer.text.startsWith('0008NAK\nPACK'))
    }
  })

  test('refuses what is no request', async () => {
    refused(await fetchPack('hello'), 400, 'body')
    refused(await fetchPack('hello', { 'content-encoding': 'gzip' }), 400, 'body')
    refused(await fetchPack(gzipSync(wanted()).subarray(0, -9), { 'content-encoding': 'gzip' }), 400, 'body')
    refused(await fetchPack(gzipSync(Buffer.alloc(17 << 20)), { 'content-encoding': 'gzip' }), 413)
    refused(await fetchPack(Buffer.alloc((8 << 20) + 1)), 413)
    refused(await fetchPack(wanted(), { 'content-encoding': 'br' }), 415)
    for (const type of ['application/json', 'application/x-git-receive-pack-request', 'text/plain']) refused(await fetchPack(wanted(), { 'content-type': type }), 415)
  })

  test('of a commit that is not published says so to git', async () => {
    const hidden = await must('-C', source, 'commit-tree', '-m', 'hidden', 'main^{tree}')
    await must('-C', source, 'push', '-q', 'origin', `${hidden}:refs/prazium/run-1/hidden`)
    assert.match((await fetchPack(`${pkt(`want ${hidden}\n`)}0000${pkt('done\n')}`)).text, /ERR upload-pack: not our ref/)
  })

  test('is not there', async () => {
    for (const id of ['proj_01h455vb4pex5vsknk084sn02q', 'x']) refused(await fetchPack('0000', {}, `/projects/${id}/repo.git`), 404)
  })
})

test('nothing of all this is left', async () => {
  assert.deepEqual(readdirSync(join(server.data, 'tmp')), [])
  assert.deepEqual(processesOf(server.data, server.child.pid), [])
})
