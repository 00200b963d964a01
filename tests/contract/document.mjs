// document: the OpenAPI document of the binary under test, and small questions about it.
import { execFileSync } from 'node:child_process'

export const binary = process.env.PRAZIUM_BIN ?? new URL('../../build-test/src/prazium', import.meta.url).pathname

export const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

export function printedDocument() {
  return JSON.parse(execFileSync(binary, ['openapi'], { encoding: 'utf8', maxBuffer: 1 << 26 }))
}

// {path, method, operation} of each.
export function operationsOf(document) {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    methods.filter((method) => item[method]).map((method) => ({ path, method, operation: item[method], parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map((one) => resolved(document, one)) })))
}

// What {"$ref": "#/…"} names, or the value itself.
export function resolved(document, value) {
  if (!value?.$ref) return value
  return value.$ref.slice(2).split('/').reduce((at, name) => at[name.replaceAll('~1', '/').replaceAll('~0', '~')], document)
}

// Clients ignore members that they do not know. The tests do not: every object in an answer that does not say otherwise has just
// the members that the document names. Changes the document.
export function closeAnswers(document) {
  const close = (schema) => {
    if (Array.isArray(schema)) return schema.forEach(close)
    if (typeof schema !== 'object' || schema === null) return
    if (schema.properties && schema.additionalProperties === undefined) schema.additionalProperties = false
    for (const [name, value] of Object.entries(schema)) {
      if (name === 'properties') Object.values(value).forEach(close)
      else if (!['example', 'examples', 'default', 'const', 'enum'].includes(name)) close(value)
    }
  }
  close(Object.values(document.components.schemas))
  for (const { operation } of operationsOf(document)) close(Object.values(operation.responses))
  return document
}

// The template that a path is an instance of, the one with most literal parts: {template, path} or undefined. A last parameter may
// span slashes: they are escaped in the path that is answered, since OpenAPI has no such parameters.
export function templateOf(document, pathname) {
  const parts = pathname.split('/')
  const found = []
  for (const template of Object.keys(document.paths)) {
    const wanted = template.split('/')
    const spans = wanted.at(-1) === '{path}'
    if (spans ? parts.length < wanted.length : parts.length !== wanted.length) continue
    if (!wanted.every((part, i) => (part.startsWith('{') ? parts[i] !== '' : part === parts[i]))) continue
    const path = spans ? [...parts.slice(0, wanted.length - 1), parts.slice(wanted.length - 1).join('%2F')].join('/') : pathname
    found.push({ template, path, literals: wanted.filter((part) => !part.startsWith('{')).length })
  }
  return found.sort((a, b) => b.literals - a.literals)[0]
}
