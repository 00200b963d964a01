// schema: values that a schema of a parameter or a body accepts and refuses, to hold the server against them.
import { resolved } from './document.mjs'

const unknown = '01h455vb4pex5vsknk084sn02q'

// Something that is accepted.
export function accepted(document, schema) {
  const it = resolved(document, schema)
  if (it.default !== undefined) return it.default
  if (it.examples) return it.examples[0]
  if (it.enum) return it.enum[0]
  const prefix = /^\^\(([a-z]+)_/.exec(it.pattern ?? '')?.[1]
  if (prefix) return `${prefix}_${unknown}`
  if (it.format === 'date-time') return '2024-01-15T11:30:00Z'
  const type = [it.type].flat()[0]
  if (type === 'integer') return it.minimum ?? 1
  if (type === 'boolean') return true
  if (type === 'array') return Array.from({ length: it.minItems ?? 1 }, () => accepted(document, it.items))
  if (type === 'object') return Object.fromEntries((it.required ?? []).map((name) => [name, accepted(document, it.properties[name])]))
  return 'x'.repeat(it.minLength ?? 1)
}

// Path with an id for each parameter that names nothing.
export function pathWithout(document, path, parameters) {
  return path.replace(/\{(\w+)\}/g, (_, name) => {
    const { schema } = parameters.find((one) => one.in === 'path' && one.name === name)
    const prefix = /^\^\(([a-z]+)_/.exec(resolved(document, schema).pattern ?? '')?.[1]
    return prefix ? `${prefix}_${unknown}` : resolved(document, schema).type === 'integer' ? '1' : 'x'
  })
}

// As a query: what lies just outside, each with why.
export function refusedInQuery(document, schema) {
  const it = resolved(document, schema)
  const found = []
  if (it.enum) found.push('no-such-word')
  if (it.pattern?.startsWith('^(')) found.push('x')
  if (it.format === 'date-time') found.push('yesterday')
  if (it.type === 'boolean') found.push('perhaps')
  if (it.type === 'integer') found.push('x', '1.5', String((it.minimum ?? 0) - 1))
  if (it.type === 'integer' && it.maximum !== undefined) found.push(String(it.maximum + 1))
  if (it.type === 'string' && it.maxLength !== undefined && it.maxLength <= 1000) found.push('x'.repeat(it.maxLength + 1))
  return found
}

// As a member of a body: of another type, or just outside.
export function refusedInBody(document, schema) {
  const it = resolved(document, schema)
  const types = [it.type].flat()
  if (it.type === undefined) return []
  const found = types.includes('object') ? [7, []] : types.includes('array') ? [7, {}] : types.includes('string') ? [7, [], {}, true] : ['x', [], {}]
  if (!types.includes('null')) found.push(null)
  if (it.enum) found.push('no-such-word')
  if (types.includes('string') && it.minLength > 0) found.push('')
  if (it.maxLength !== undefined) found.push('x'.repeat(it.maxLength + 1))
  if (it.minimum !== undefined) found.push(it.minimum - 1)
  if (it.maximum !== undefined) found.push(it.maximum + 1)
  if (it.minItems > 0) found.push([])
  if (it.maxItems !== undefined) found.push(Array.from({ length: it.maxItems + 1 }, () => accepted(document, it.items)))
  return found
}
