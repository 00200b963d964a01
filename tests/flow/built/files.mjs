// files: the repository of a project: folders and files, at any ref.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { before, describe, test } from 'node:test'
import { is, refused, sameNotFound, shape, success } from '../expect.mjs'
import { git, gitLines } from '../programs.mjs'

const identity = { GIT_AUTHOR_NAME: 'T', GIT_AUTHOR_EMAIL: 't@example.org', GIT_COMMITTER_NAME: 'T', GIT_COMMITTER_EMAIL: 't@example.org' }

// A branch with what the app itself has none of. Answers its commit.
function commitOddities(repository, files) {
  const run = (args, input) => execFileSync('git', ['-C', repository, ...args], { input, env: { ...process.env, ...identity }, encoding: 'utf8' }).trim()
  const lines = Object.entries(files).map(([name, content]) => `100644 blob ${run(['hash-object', '-w', '--stdin'], content)}\t${name}`)
  const tree = run(['mktree'], lines.join('\n') + '\n')
  return run(['commit-tree', tree, '-m', 'Oddities'])
}

export function testFiles(built) {
  const { server } = built
  const base = `/projects/${built.project.id}/files`
  const list = (query = '') => server.call('GET', `${base}${query}`)
  const read = (path, query = '') => server.call('GET', `${base}/${path}${query}`)

  // Entries as git tells them: folders first, then by name.
  function entriesOf(ref, folder = '') {
    const lines = gitLines(built.project.repoPath, 'ls-tree', '-l', `${ref}:${folder}`).map((line) => /^\S+ (\S+) \S+ +(\S+)\t(.*)$/.exec(line))
    const entries = lines.map(([, type, size, name]) => (type === 'tree' ? { name, type: 'directory' } : { name, type: 'file', size: Number(size) }))
    return entries.sort((a, b) => (a.type === b.type ? Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)) : a.type === 'directory' ? -1 : 1))
  }

  describe('GET /projects/:projectId/files', () => {
    test('lists the root of main', async () => {
      const data = success(await list())
      shape(data, { ref: 'main', path: '/', entries: is.list((entry) => is.string(entry.name)) })
      assert.deepEqual(data.entries, entriesOf('main'))
      assert.ok(data.entries.some(({ name, type }) => name === 'src' && type === 'directory'))
      assert.ok(data.entries.some(({ name, type, size }) => name === 'package.json' && type === 'file' && size > 0))
      assert.ok(data.entries.some(({ name }) => name === 'README.md'))
    })

    test('lists a folder, written in any way', async () => {
      const wanted = entriesOf('main', 'src/app')
      for (const path of ['src/app', '/src/app', 'src/app/', '/src/app/']) {
        const data = success(await list(`?path=${path}`))
        assert.deepEqual(data, { ref: 'main', path, entries: wanted })
      }
      assert.deepEqual(success(await list('?path=%2Fsrc%2Fapp')).entries, wanted)
      assert.deepEqual(success(await list('?path=/')).entries, entriesOf('main'))
      assert.deepEqual(success(await list('?path=')).entries, entriesOf('main'))
    })

    test('lists a branch, a tag, a commit, and what a task made', async () => {
      const { commitSha } = await server.get(built.path)
      for (const ref of ['main', 'run-1', commitSha, commitSha.slice(0, 10)]) {
        const data = success(await list(`?ref=${ref}`))
        assert.deepEqual(data, { ref, path: '/', entries: entriesOf(commitSha) }, ref)
      }
      const [first] = built.tasks
      assert.deepEqual(success(await list(`?ref=${first.result.commitSha}`)).entries, entriesOf(first.result.commitSha))
      const { ref, entries } = success(await list(`?ref=${first.branchName}`))
      assert.deepEqual([ref, entries], [first.branchName, entriesOf(first.result.commitSha)], 'a task is found by its branch')
    })

    test('has nothing before the first run', async () => {
      const { id } = await server.draft()
      assert.deepEqual(success(await server.call('GET', `/projects/${id}/files`)), { ref: 'main', path: '/', entries: [] })
    })

    test('has no such ref', async () => {
      for (const ref of ['nothing', 'run-99', 'f'.repeat(40), 'main..run-1', 'main~1:x', '--all', 'HEAD@{1}', '../main', "'"]) {
        refused(await list(`?ref=${encodeURIComponent(ref)}`), 404, 'ref')
      }
    })

    test('has no such folder', async () => {
      for (const path of ['nothing', 'src/nothing', 'package.json', 'src/app/page.tsx/x']) refused(await list(`?path=${path}`), 404, 'path')
    })

    test('leaves the repository in no way', async () => {
      for (const path of ['..', '../..', '/..', 'src/../..', 'src/./app', '.', '%2e%2e', '..%2f..%2fetc', 'src//app', 'src%5c..', '%2e%2e%2f%2e%2e%2fetc%2fpasswd']) {
        refused(await list(`?path=${path}`), 400, 'path')
      }
    })

    test('refuses what it does not know', async () => {
      refused(await list('?branch=main'), 400, 'branch')
      refused(await list('?ref=main&ref=run-1'), 400, 'ref')
    })

    test('is not there', () => sameNotFound(server, 'GET', ['/projects/proj_01h455vb4pex5vsknk084sn02q/files', '/projects/x/files']))
  })

  describe('GET /projects/:projectId/files/:path', () => {
    let odd
    before(() => {
      const { repoPath } = built.project
      odd = commitOddities(repoPath, {
        'binary.bin': Buffer.from([0, 1, 2, 0xff, 0xfe, 0x80]),
        'empty.txt': '',
        'nul.txt': 'a\0b',
        'Übersicht 日本 #1?.md': 'größer 🚲\r\n"quoted" \\ \u2028 </script>',
        'large.txt': 'x'.repeat((10 << 20) + 1),
      })
      git(repoPath, 'update-ref', 'refs/tags/odd', odd)
    })

    test('reads a file as it is', async () => {
      for (const path of ['package.json', 'src/app/page.tsx', 'README.md']) {
        const content = execFileSync('git', ['-C', built.project.repoPath, 'show', `main:${path}`], { encoding: 'utf8' })
        const data = success(await read(path))
        assert.deepEqual(data, { path, ref: 'main', content, encoding: 'utf-8', size: Buffer.byteLength(content) })
        assert.deepEqual(Object.keys(data), ['path', 'ref', 'content', 'encoding', 'size'])
      }
    })

    test('reads every file of the app', async () => {
      const paths = gitLines(built.project.repoPath, 'ls-tree', '-r', '--name-only', 'main')
      assert.ok(paths.length > 50)
      for (const path of paths) {
        const { size, encoding } = success(await read(path.split('/').map(encodeURIComponent).join('/')))
        assert.equal(encoding, 'utf-8', path)
        assert.equal(size, Number(git(built.project.repoPath, 'cat-file', '-s', `main:${path}`)))
      }
    })

    test('reads at a tag, a commit, a branch', async () => {
      const { commitSha } = await server.get(built.path)
      for (const ref of ['main', 'run-1', commitSha]) assert.equal(success(await read('package.json', `?ref=${ref}`)).ref, ref)
    })

    test('reads bytes that are no text as base64', async () => {
      assert.deepEqual(success(await read('binary.bin', '?ref=odd')), { path: 'binary.bin', ref: 'odd', content: 'AAEC//6A', encoding: 'base64', size: 6 })
    })

    test('reads any text and any name', async () => {
      assert.deepEqual(success(await read('empty.txt', `?ref=${odd}`)), { path: 'empty.txt', ref: odd, content: '', encoding: 'utf-8', size: 0 })
      const name = 'Übersicht 日本 #1?.md'
      const content = 'größer 🚲\r\n"quoted" \\ \u2028 </script>'
      assert.deepEqual(success(await read(encodeURIComponent(name), '?ref=odd')), { path: name, ref: 'odd', content, encoding: 'utf-8', size: Buffer.byteLength(content) })
      const nul = success(await read('nul.txt', '?ref=odd'))
      assert.equal(Buffer.from(nul.content, nul.encoding).toString(), 'a\0b')
      assert.deepEqual(success(await list('?ref=odd')).entries.map((entry) => entry.name), ['binary.bin', 'empty.txt', 'large.txt', 'nul.txt', name])
    })

    test('refuses one that is too large', async () => refused(await read('large.txt', '?ref=odd'), 413, 'path'))

    test('has no such file', async () => {
      for (const path of ['nothing', 'src', 'src/app', 'src/app/nothing.tsx', 'package.json/x', '.git/config', 'HEAD']) refused(await read(path), 404, 'path')
      refused(await read('package.json', '?ref=nothing'), 404, 'ref')
      refused(await read('package.json', '?ref=odd'), 404, 'path')
    })

    test('leaves the repository in no way', async () => {
      for (const path of ['%2e%2e/x', '%2e%2e%2f%2e%2e%2fetc%2fpasswd', 'src/%2e%2e/package.json', '%2fetc%2fpasswd', 'src%2f%2fapp', 'a%5c..%5cb', '%2e']) {
        const answer = await server.raw(`GET /v1${base}/${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.key}\r\nConnection: close\r\n\r\n`)
        refused(answer, 400, 'path')
      }
      const answer = await server.raw(`GET /v1${base}/../../../../etc/passwd HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.key}\r\nConnection: close\r\n\r\n`)
      assert.ok([400, 404].includes(answer.status))
      assert.doesNotMatch(answer.text, /root:/)
    })

    test('refuses what it does not know', async () => refused(await read('package.json', '?path=src'), 400, 'path'))

    test('is not there', () =>
      sameNotFound(server, 'GET', ['/projects/proj_01h455vb4pex5vsknk084sn02q/files/package.json', '/projects/x/files/package.json']))
  })
}
