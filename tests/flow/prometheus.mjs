// prometheus: a strict reader of Prometheus' text format 0.0.4, as https://prometheus.io/docs/instrumenting/exposition_formats/ has it.
import assert from 'node:assert/strict'

const types = ['counter', 'gauge', 'histogram', 'summary', 'untyped']
const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const number = /^([+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?Inf|NaN)$/

function unescaped(text, line, isLabel) {
  return text.replace(/\\(.?)/gs, (_, char) => {
    if (char === '\\') return '\\'
    if (char === 'n') return '\n'
    assert.ok(char === '"' && isLabel, `no such escape in ${line}`)
    return '"'
  })
}

// {name, labels, value} of `name{a="b",c="d"} 1`.
function sampleOf(line) {
  const match = /^([^ {]+)(?:\{((?:[^"}]|"(?:[^"\\\n]|\\.)*")*)\})? (\S+)$/.exec(line)
  assert.ok(match, `a sample: ${line}`)
  const [, name, inner, value] = match
  assert.match(name, metricName)
  assert.match(value, number)
  const labels = {}
  let rest = inner ?? ''
  assert.ok(inner === undefined || inner.length > 0, `braces without labels: ${line}`)
  while (rest) {
    const label = /^([^=]+)="((?:[^"\\\n]|\\.)*)"(?:,(?=.)|$)/.exec(rest)
    assert.ok(label, `labels: ${line}`)
    assert.match(label[1], labelName)
    assert.ok(!label[1].startsWith('__') && !(label[1] in labels), `label ${label[1]}: ${line}`)
    labels[label[1]] = unescaped(label[2], line, true)
    rest = rest.slice(label[0].length)
  }
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) }
}

const without = (labels, name) => JSON.stringify(Object.entries(labels).filter(([key]) => key !== name).sort())

// The buckets of each histogram rise to +Inf, which is the count.
function checkHistogram(metric) {
  const series = new Map()
  for (const sample of metric.samples) {
    const key = without(sample.labels, 'le')
    const one = series.get(key) ?? series.set(key, { buckets: [] }).get(key)
    if (sample.name === `${metric.name}_bucket`) one.buckets.push([Number(sample.labels.le.replace('Inf', 'Infinity')), sample.value])
    else one[sample.name.slice(metric.name.length + 1)] = sample.value
  }
  for (const [key, { buckets, sum, count }] of series) {
    assert.ok(buckets.length > 1 && sum !== undefined && count !== undefined, `${metric.name} ${key}`)
    buckets.forEach(([bound, value], i) => {
      if (i > 0) assert.ok(bound > buckets[i - 1][0] && value >= buckets[i - 1][1], `${metric.name} ${key} rises`)
    })
    assert.deepEqual(buckets.at(-1), [Infinity, count], `${metric.name} ${key}`)
  }
}

// Map of name to {name, type, help, samples}. Whatever is not as the format wants it fails the test.
export function parsed(text) {
  assert.ok(text.endsWith('\n'), 'the last line ends')
  const metrics = new Map()
  const seen = new Set()
  let current
  for (const line of text.slice(0, -1).split('\n')) {
    const head = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line)
    if (head) {
      const [, kind, name, rest] = head
      assert.match(name, metricName)
      if (kind === 'HELP') {
        assert.ok(!metrics.has(name), `${name} comes once`)
        current = { name, help: unescaped(rest, line, false), samples: [] }
        metrics.set(name, current)
      } else {
        assert.equal(name, current?.name, 'TYPE follows HELP')
        assert.equal(current.type, undefined)
        assert.ok(types.includes(rest), line)
        current.type = rest
      }
      continue
    }
    const sample = sampleOf(line)
    assert.ok(current?.type, `${line} stands under its TYPE`)
    const suffixes = current.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
    assert.ok(suffixes.some((suffix) => sample.name === current.name + suffix), `${line} stands under ${current.name}`)
    assert.equal(sample.name.endsWith('_bucket'), 'le' in sample.labels, line)
    const key = sample.name + without(sample.labels)
    assert.ok(!seen.has(key), `${line} comes once`)
    seen.add(key)
    current.samples.push(sample)
  }
  for (const metric of metrics.values()) {
    assert.equal(metric.name.endsWith('_total'), metric.type === 'counter', `${metric.name} is a ${metric.type}`)
    assert.doesNotMatch(metric.name, /_(ms|milliseconds|us|kb|mb|minutes)(_|$)/, 'base units')
    if (metric.type === 'histogram') checkHistogram(metric)
  }
  return metrics
}

// The value of the one sample with these labels; undefined when there is none.
export function valueOf(metrics, name, labels = {}, suffix = '') {
  const metric = metrics.get(name)
  assert.ok(metric, `${name} is there`)
  return metric.samples.find((sample) => sample.name === name + suffix && without(sample.labels) === without(labels))?.value
}

// What may only grow: counters, and all of histograms.
export function growing(metrics) {
  const values = new Map()
  for (const { type, samples } of metrics.values()) {
    if (type !== 'counter' && type !== 'histogram') continue
    for (const { name, labels, value } of samples) values.set(name + without(labels), value)
  }
  return values
}
