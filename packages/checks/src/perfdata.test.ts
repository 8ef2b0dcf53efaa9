import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VALUES_MAX } from './limits.ts'
import { isOutOfRange, parsePerfdata, parseRange } from './perfdata.ts'

const to = (end: number) => ({ start: 0, end, inside: false })

describe('parsePerfdata', () => {
  it.each([
    [
      'time=0.007486s;2.000000;5;0;10',
      [{ label: 'time', value: 0.007486, unit: 's', warning: to(2), critical: to(5), min: 0, max: 10 }],
    ],
    ['size=58134B;;;0;', [{ label: 'size', value: 58134, unit: 'B', min: 0 }]],
    [
      "'a b'=1 c=-2.5%",
      [
        { label: 'a b', value: 1, unit: '' },
        { label: 'c', value: -2.5, unit: '%' },
      ],
    ],
    ["'it''s'=1", [{ label: "it's", value: 1, unit: '' }]],
    ["'a=b'=1", [{ label: 'a=b', value: 1, unit: '' }]],
    ['/=3B', [{ label: '/', value: 3, unit: 'B' }]],
    ['temp=U;10;20', [{ label: 'temp', unit: '', warning: to(10), critical: to(20) }]],
    ['n=1e3c', [{ label: 'n', value: 1000, unit: 'c' }]],
    ['n=0,5s', [{ label: 'n', value: 0.5, unit: 's' }]],
    [
      'procs=1;1:10;@2:3',
      [
        {
          label: 'procs',
          value: 1,
          unit: '',
          warning: { start: 1, end: 10, inside: false },
          critical: { start: 2, end: 3, inside: true },
        },
      ],
    ],
    [
      'junk a=1 =2 b= c=x d=1',
      [
        { label: 'a', value: 1, unit: '' },
        { label: 'd', value: 1, unit: '' },
      ],
    ],
    ["'never-closed=1 b=2", [{ label: 'b', value: 2, unit: '' }]],
    ['', []],
  ])('reads %j', (text, expected) => {
    expect(parsePerfdata(text)).toEqual(expected)
  })

  it('stops at the cap', () => {
    expect(parsePerfdata('a=1 '.repeat(1000))).toHaveLength(VALUES_MAX)
  })

  it('reads back every label and value that a plugin may print', () => {
    const label = fc.stringMatching(/^[a-z][a-z '=|]{0,20}[a-z]$/u).map((text) => text.replace(/ +/gu, ' '))
    const value = fc.double({ noNaN: true, noDefaultInfinity: true })
    fc.assert(
      fc.property(fc.array(fc.tuple(label, value), { maxLength: 8 }), (metrics) => {
        const text = metrics.map(([name, number]) => `'${name.replaceAll("'", "''")}'=${number};;`).join(' ')
        const read = parsePerfdata(text).map((metric) => [metric.label, metric.value])
        expect(read).toEqual(metrics.map(([name, number]) => [name, number + 0]))
      }),
    )
  })

  it('survives anything', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[a'=;:@~U|%1 .]*$/u)), (text) => {
        for (const { value, label } of parsePerfdata(text)) {
          expect(label).not.toBe('')
          if (value !== undefined) expect(Number.isFinite(value)).toBe(true)
        }
      }),
    )
  })
})

describe('ranges', () => {
  it.each([
    ['10', -1, true],
    ['10', 10, false],
    ['10', 11, true],
    ['10:', 9, true],
    ['10:', 1e9, false],
    ['~:10', -1e9, false],
    ['~:10', 11, true],
    ['10:20', 15, false],
    ['10:20', 21, true],
    ['@10:20', 15, true],
    ['@10:20', 9, false],
  ])('%s with %d calls for an alert: %s', (text, value, expected) => {
    const range = parseRange(text)
    expect(range).toBeDefined()
    expect(range && isOutOfRange(value, range)).toBe(expected)
  })

  it.each(['', 'x', '20:10', '1:2:3', '@', '1;2'])('%j is none', (text) => {
    expect(parseRange(text)).toBeUndefined()
  })
})
