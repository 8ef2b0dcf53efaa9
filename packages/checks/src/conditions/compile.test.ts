import { describe, expect, it } from 'vitest'
import { type ConditionFunction, MissingValueError } from '../check.ts'
import { compileCondition } from './compile.ts'
import { ConditionError } from './condition-error.ts'
import { formatValue, renderCondition } from './render.ts'
import { nearestName } from './suggest.ts'

const increase: ConditionFunction = {
  name: 'increase',
  parameters: [
    { name: 'series', type: 'text' },
    { name: 'over', type: 'text' },
  ],
  returns: 'number',
  meaning: 'how much a series grew',
  call(_, series) {
    if (series !== 'misses_total') throw new MissingValueError(`increase('${series}')`)
    return 4
  },
}

const vocabulary = {
  values: [
    { name: 'status', type: 'number', unit: '', meaning: '' },
    { name: 'duration_ms', type: 'number', unit: 'ms', meaning: '' },
    { name: 'free_percent', type: 'number', unit: '%', meaning: '' },
    { name: 'read_only', type: 'boolean', unit: '', meaning: '' },
    { name: 'version', type: 'text', unit: '', meaning: '' },
    { name: 'body', type: 'text', unit: '', meaning: '', isTransient: true },
  ],
  functions: [increase],
} as const

const facts = {
  values: { status: 200, duration_ms: 139, free_percent: 8.4123, read_only: false, version: '1.2.3' },
  transient: { body: 'all systems go' },
}

function errorOf(text: string): ConditionError {
  try {
    compileCondition(text, vocabulary)
  } catch (error) {
    if (error instanceof ConditionError) return error
    throw error
  }
  throw new Error(`${text} compiled`)
}

describe('compileCondition', () => {
  it.each([
    ['free_percent < 10', 'yes'],
    ['free_percent < 10.5', 'yes'],
    ['free_percent < 8', 'no'],
    ['status != 200', 'no'],
    ['status == 200', 'yes'],
    ['200 == status', 'yes'],
    ['status in [200, 204]', 'yes'],
    ['status in [500.0, 204.0]', 'no'],
    ['!(status in [200, 204])', 'no'],
    ['status < 200 || status > 399', 'no'],
    ['duration_ms / 2 > 69', 'yes'],
    ['duration_ms * 2 + 1 == 279', 'yes'],
    ['1 - free_percent < 0', 'yes'],
    ['status % 100 == 0', 'yes'],
    ['-free_percent < -8', 'yes'],
    ['read_only', 'no'],
    ['!read_only && version != "1.2.4"', 'yes'],
    ['version.startsWith("1.")', 'yes'],
    ['body.contains("systems")', 'yes'],
    ['size(body) == 14', 'yes'],
    ["re2(body, '^all .* go$')", 'yes'],
    ["increase('misses_total', '20m') >= 3", 'yes'],
    ["value_or('duration_ms', 0) > 100", 'yes'],
    ['read_only ? status > 1 : status > 300', 'no'],
  ])('%s: %s', (text, kind) => {
    expect(compileCondition(text, vocabulary).ask(facts).kind).toBe(kind)
  })

  it.each([
    ['free_percnt < 3', 0, 'no value is called free_percnt; did you mean free_percent?'],
    ['status != 200 || durationms > 3', 17, 'did you mean duration_ms?'],
    ['zzzzzz > 3', 0, 'no value is called zzzzzz; there are status, duration_ms'],
    ['status = 200', 7, 'write == to compare'],
    ['status != 200 and read_only', 14, 'write && for "and"'],
    ['status != 200 or read_only', 14, 'write || for "or"'],
    ['not read_only', 0, 'write ! for "not"'],
    ['status <> 200', 7, 'write != for "is not"'],
    ['free_percent < 10%', 17, 'without %'],
    ['duration_ms > 1000ms', 18, 'the unit is in the name of the value'],
    ['status > "200"', 0, 'number > text does not work'],
    ['status', 0, 'it gives a number'],
    ['status >', 8, 'it ends too early'],
    ['', 0, 'a condition is empty'],
    ['body.matches("(a+)+$")', 0, "write re2(text, 'pattern')"],
    ['re2(body, "(")', 10, 'a bad regular expression'],
    ['re2(body, body)', 10, 'is written out'],
    ['re2(body, "(a{1,100}){1,9}x")', 10, 'too costly'],
    [Array(5).fill('re2(body, "a")').join(' || '), 72, 'more than 4 re2()'],
    ['re2(body)', 0, "it is re2(text, 'pattern')"],
    ["incrase('a', '1m') > 1", 0, 'did you mean increase()?'],
    ["increase('a') > 1", 0, 'it is increase(series: text, over: text)'],
    ["increase(version, '1m') > 1", 9, 'as written, not computed'],
    ["value_or('statsu', 0) > 1", 9, 'did you mean status?'],
    ['[1, 2].exists(x, x == status)', 0, 'there is no exists()'],
    ['[1, 2].map(x, x).size() > 1', 0, 'there is no map()'],
    ['cel.bind(x, 1, x > 0)', 0, 'there is no bind()'],
    ['status.constructor == 1', 0, 'values have no fields'],
    ['{"a": true}["a"]', 0, 'conditions have no maps'],
    [`status > ${'('.repeat(50)}1${')'.repeat(50)}`, 33, 'too complex'],
    ['x'.repeat(1001), 1000, 'longer than 1000 characters'],
  ])('refuses %j at %d', (text, offset, reason) => {
    const error = errorOf(text)
    expect(error.message).toContain(reason)
    expect(error.offset).toBe(offset)
    expect(error.code).toBe('bad-condition')
  })

  it('counts lines and columns', () => {
    const error = errorOf('status != 200 ||\n  durtion_ms > 3')
    expect([error.line, error.column, error.length]).toEqual([2, 3, 10])
    expect(error.message).toMatch(/^2:3: /u)
  })

  it('names what is missing, and is never a no because of it', () => {
    const ask = (text: string) =>
      compileCondition(text, vocabulary).ask({ values: { status: 200, read_only: false }, transient: {} })
    expect(ask('status != 200 || duration_ms > 2000')).toEqual({ kind: 'missing', names: ['duration_ms'] })
    expect(ask('read_only && duration_ms > 2000')).toEqual({ kind: 'missing', names: ['duration_ms'] })
    expect(ask('status == 200 || duration_ms > 2000')).toEqual({ kind: 'yes' })
    expect(ask("increase('other', '1m') > 3")).toEqual({ kind: 'missing', names: ["increase('other', '1m')"] })
    expect(ask("value_or('duration_ms', 0) > 2000")).toEqual({ kind: 'no' })
  })

  it('says when it cannot be evaluated', () => {
    const answer = compileCondition('double(version) > 1', vocabulary).ask(facts)
    expect(answer.kind).toBe('failed')
  })

  it('takes a hostile text with a pattern that would run for ever elsewhere', () => {
    const body = 'a'.repeat(20_000)
    const answer = compileCondition("re2(body, '^(a+)+$') && re2(body, '(a|aa)+b')", vocabulary).ask({
      values: {},
      transient: { body },
    })
    expect(answer.kind).toBe('no')
  })
})

describe('renderCondition', () => {
  it.each([
    ['status != 200 || duration_ms > 2000', '200 != 200 || 139 > 2000'],
    ['free_percent < 10', '8.41 < 10'],
    ["increase('misses_total', '20m') >= 3", '4 >= 3'],
    ["value_or('duration_ms', 0) > 2", '139 > 2'],
    ['version == "status"', '"1.2.3" == "status"'],
    ['body.contains("status")', 'body.contains("status")'],
    ['status > 1\n  || read_only', '200 > 1 || false'],
  ])('%s', (text, expected) => {
    expect(renderCondition(compileCondition(text, vocabulary), facts)).toBe(expected)
  })

  it('leaves the name of what is missing', () => {
    const condition = compileCondition('free_percent < 10 || duration_ms > 2', vocabulary)
    expect(renderCondition(condition, { values: { free_percent: 50 }, transient: {} })).toBe(
      '50 < 10 || duration_ms > 2',
    )
  })
})

describe('formatValue', () => {
  it.each([
    [139, [], '139'],
    [8.4123, [], '8.41'],
    [12345.678, [], '12345.7'],
    [0.00012345, [], '0.000123'],
    [9.9999, [10], '9.9999'],
    [9.9999, [], '10'],
    [-2.5, [], '-2.5'],
    ['x\u001b[31m\n"y', [], '"x "y"'],
    [true, [], 'true'],
  ])('%j beside %j is %s', (value, literals, text) => {
    expect(formatValue(value, literals)).toBe(text)
  })
})

describe('nearestName', () => {
  it.each([
    ['free_percnt', 'free_percent'],
    ['percent', 'free_percent'],
    ['STATUS', 'status'],
    ['xyz', undefined],
  ])('%s: %s', (name, expected) => {
    expect(nearestName(name, ['free_percent', 'status', 'duration_ms'])).toBe(expected)
  })
})
