// pages: walking a list by its cursors.
import assert from 'node:assert/strict'
import { is } from './expect.mjs'

// All items of the list at path, in pages of pageSize; between(items so far) is done between two pages.
export async function walked(server, path, pageSize, between = () => {}) {
  const items = []
  for (let cursor = ''; cursor !== null; ) {
    const answer = await server.call('GET', `${path}${path.includes('?') ? '&' : '?'}pageSize=${pageSize}&cursor=${cursor}`)
    assert.equal(answer.status, 200, answer.text)
    const { data, pagination } = answer.body
    const { total, nextCursor } = pagination
    assert.deepEqual(pagination, { page: null, pageSize, total, totalPages: Math.ceil(total / pageSize), nextCursor })
    assert.ok(nextCursor === null || (is.string(nextCursor) && /^[\w-]+$/.test(nextCursor)), 'it can stand in a query as it is')
    assert.ok(data.length === pageSize || (nextCursor === null && data.length < pageSize), 'only the last page is not full')
    items.push(...data)
    cursor = nextCursor
    if (cursor !== null) await between(items)
  }
  return items
}
