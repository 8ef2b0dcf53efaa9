import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutText, firstLine, lastLine, sanitizeLine } from './sanitize.ts'

describe('sanitizeLine', () => {
  it.each([
    ['plain text stays', 'DISK OK - 66% free', 'DISK OK - 66% free'],
    ['colours go', '\u001b[1;31mred\u001b[0m alert', 'red alert'],
    ['8-bit control sequences go', 'a\u009b31mb', 'ab'],
    ['a window title goes with its text', 'a\u001b]0;owned\u0007b', 'ab'],
    ['a title ended by ST goes', 'a\u001b]2;owned\u001b\\b', 'ab'],
    ['an unended string is cut off', 'a\u001bPq#0;2;0', 'a'],
    ['a lone escape goes', 'a\u001b', 'a'],
    ['line ends and tabs are one space', ' a\r\n\tb\u0085 c ', 'a b c'],
    ['control characters go', 'a\u0000\u0008\u007fb', 'ab'],
    ['bidi overrides and isolates go', 'gpj.\u202eexe\u2066x\u2069', 'gpj.exex'],
    ['zero-width and tag characters go', 'a\u200bb\u{e0041}c\u2060d', 'abcd'],
    ['a lone surrogate goes', 'a\ud800b', 'ab'],
    ['letters of all scripts stay', 'Größe 数 עברית 🙂', 'Größe 数 עברית 🙂'],
  ])('%s', (_, text, expected) => {
    expect(sanitizeLine(text)).toBe(expected)
  })

  it('never gives more than the cap, nor anything unsafe, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 1, max: 200 }), (text, max) => {
        const line = sanitizeLine(text, max)
        expect(line.length).toBeLessThanOrEqual(max)
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\n]/u)
      }),
    )
  })

  it('looks at the start of a megabyte only', () => {
    expect(sanitizeLine('x'.repeat(1_000_000))).toBe(`${'x'.repeat(199)}…`)
    expect(sanitizeLine('\u001b['.repeat(500_000))).toBe('')
  })
})

describe('cutText', () => {
  it('never cuts inside a surrogate pair', () => {
    expect(cutText('ab🙂cd', 4)).toBe('ab…')
    expect(cutText('ab🙂', 4)).toBe('ab🙂')
  })
})

describe('first and last line', () => {
  it('pass over lines that say nothing', () => {
    expect(firstLine('\n \u001b[0m\nfirst\nsecond\n')).toBe('first')
    expect(lastLine('first\r\nlast\r\n\n')).toBe('last')
    expect(lastLine('')).toBe('')
  })
})
