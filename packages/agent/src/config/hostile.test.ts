import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError } from './errors.ts'
import { parseConfig } from './load.ts'

const GOOD = readFileSync(new URL('../../../../deploy/muster.example.yaml', import.meta.url), 'utf8')
const parse = (text: string) => parseConfig(text, { file: 'muster.yaml', defaultHost: 'vps-1' })

describe('a hostile text', () => {
  test.each([
    ['a hundred thousand brackets', '['.repeat(100_000)],
    ['as many open maps', '{a: '.repeat(100_000)],
    ['deep lists', '- '.repeat(50_000)],
    ['a deep map', Array.from({ length: 500 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['more keys than are read', Array.from({ length: 60_000 }, (_, index) => `k${index}: 1`).join('\n')],
    [
      'a billion laughs',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${[...'bcdefghij'].map((n, i) => `${n}: &${n} [${Array(10).fill(`*${'abcdefghi'[i]}`).join(',')}]`).join('\n')}\n`,
    ],
    ['an alias of itself', 'tags: &a [*a]\n'],
    ['two megabytes', `# ${'x'.repeat(2_000_000)}\n`],
  ])('a bomb: %s', (_, text) => {
    expect(() => parse(text)).toThrow(ConfigError)
  })

  test('any text gives a config or a ConfigError', () => {
    const words = fc.constantFrom(
      'host',
      'checks',
      'swarm',
      'presence',
      'listen',
      'every',
      'kind',
      'disk',
      'name',
      ': ',
      '- ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      ', ',
      '"',
      "'",
      '&a ',
      '*a',
      '!!',
      '|',
      '>',
      '#',
      '\t',
      '1s',
      '/ip4/0.0.0.0/tcp/1',
      'null',
      '~',
      '? ',
      '---\n',
    )
    const text = fc.array(fc.oneof({ weight: 6, arbitrary: words }, fc.string({ unit: 'binary', maxLength: 8 })), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(text, (parts) => onlyConfigErrors(parts.join(''))),
      { numRuns: 1000 },
    )
  })

  test('any change of a good config gives a config or a ConfigError', () => {
    const edit = fc.tuple(fc.nat(GOOD.length), fc.nat(20), fc.string({ maxLength: 6 }))
    fc.assert(
      fc.property(edit, ([at, length, text]) => onlyConfigErrors(GOOD.slice(0, at) + text + GOOD.slice(at + length))),
      { numRuns: 300 },
    )
  })
})

function onlyConfigErrors(text: string): void {
  try {
    parse(text)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
  }
}
