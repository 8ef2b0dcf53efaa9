import { describe, expect, it } from 'vitest'
import { extrasOf } from './extra-connections.ts'

/** `m` mine, `t` theirs; upper case direct, lower case relayed; in the order in which they came. */
const roads = (text: string) =>
  [...text].map((letter, sinceMs) => ({
    letter,
    isMine: /m/i.test(letter),
    isDirect: /[MT]/.test(letter),
    sinceMs,
  }))

const indexes = (text: string, isMineLower: boolean): number[] =>
  extrasOf(roads(text), isMineLower).map(({ sinceMs }) => sinceMs)

describe('extra connections', () => {
  it.each([
    ['M', true, []],
    ['M', false, []],
    ['T', true, []],
    ['MT', true, []],
    ['MT', false, [0]],
    ['TM', false, [1]],
    ['MM', true, [1]],
    ['MMT', false, [0, 1]],
    ['mM', true, [0]],
    ['mT', true, [0]],
    ['mT', false, [0]],
    ['mt', true, []],
    ['mt', false, [0]],
    ['Mt', false, []],
    ['mmM', false, [0, 1]],
  ])('%s, mine is lower: %s', (text, isMineLower, expected) => {
    expect(indexes(text, isMineLower)).toEqual(expected)
  })

  it('never leaves two sides without a connection, or with two that are alike', () => {
    for (const text of ['MT', 'TM', 'MMT', 'MTT', 'mt', 'Mt', 'mT', 'mMtT', 'MMTT']) {
      const mirrored = text.replace(/[mMtT]/g, (letter) => ({ m: 't', t: 'm', M: 'T', T: 'M' })[letter] ?? letter)
      for (const isMineLower of [true, false]) {
        const closed = new Set([...indexes(text, isMineLower), ...indexes(mirrored, !isMineLower)])
        expect(text.length - closed.size, `${text} ${isMineLower}`).toBe(1)
      }
    }
  })
})
