// dom: as much of a browser's document as the reference page's script needs, to run it without a browser.
import vm from 'node:vm'

class Node {
  constructor(tag) {
    this.tag = tag
    this.attributes = {}
    this.children = []
    this.listeners = {}
    this.dataset = {}
    this.classList = { add() {}, remove() {} }
  }
  setAttribute(name, value) {
    this.attributes[name] = String(value)
  }
  getAttribute(name) {
    return this.attributes[name] ?? null
  }
  append(...children) {
    for (const child of children) {
      if (child !== undefined && child !== null && typeof child !== 'string' && !(child instanceof Node)) throw new TypeError(`${child} is no node`)
      this.children.push(child)
    }
  }
  replaceChildren(...children) {
    this.children = []
    this.append(...children)
  }
  addEventListener(type, listener) {
    this.listeners[type] = listener
  }
  contains() {
    return false
  }
  scrollIntoView() {}
  get nodes() {
    return this.children.flatMap((child) => (child instanceof Node ? [child, ...child.nodes] : []))
  }
  get text() {
    return this.textContent ?? this.children.map((child) => (child instanceof Node ? child.text : String(child))).join('')
  }
  matches(selector) {
    if (selector.startsWith('.')) return (this.attributes.class ?? '').split(' ').includes(selector.slice(1))
    return this.tag === selector
  }
  // "a b", with :not([hidden]) for those that are shown.
  querySelectorAll(selector) {
    const [first, ...rest] = selector.split(' ')
    const found = this.nodes.filter((node) => node.matches(first.replace(':not([hidden])', '')) && !(first.includes(':not') && node.hidden))
    return rest.length ? found.flatMap((node) => node.querySelectorAll(rest.join(' '))) : found
  }
  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null
  }
}

// Runs the script of a page over this document; answers the page's main part and contents, and what the script listens to.
export async function rendered(html, openapi) {
  const [, script] = /<script>(.*)<\/script>/s.exec(html)
  const ids = Object.fromEntries([...html.matchAll(/<(\w+) [^>]*id="(\w+)"/g)].map(([, tag, id]) => [id, new Node(tag)]))
  const root = new Node('html')
  const document = {
    documentElement: root,
    createElement: (tag) => new Node(tag),
    getElementById: (id) => ids[id] ?? ids.main.nodes.find((node) => node.attributes.id === id) ?? null,
    querySelectorAll: (selector) => ids.main.querySelectorAll(selector.replace(/^main /, '')),
    addEventListener: () => {},
    activeElement: null,
  }
  const observer = class {
    observe() {}
  }
  const answer = { ok: true, json: async () => openapi }
  const context = { document, location: { origin: 'http://127.0.0.1:3001', hash: '' }, localStorage: { getItem: () => null }, matchMedia: () => ({ matches: false, addEventListener() {} }), IntersectionObserver: observer, fetch: async () => answer }
  await vm.runInNewContext(`${script}\n;new Promise((resolve) => setImmediate(resolve))`, { ...context, setImmediate, navigator: {}, setTimeout })
  await new Promise((resolve) => setImmediate(resolve))
  return { main: ids.main, contents: ids.contents, search: ids.search, state: ids.state, theme: root.dataset.theme }
}
