import type { Notice, ToldIncident } from '@muster/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EMPTY_MEMORY, type Memory, sift } from './listen-intervals.ts'

const MINUTE = 60_000

function incident(id: string, more: Partial<ToldIncident> = {}): ToldIncident {
  return {
    id,
    aliases: [],
    host: 'vps',
    hostName: 'vps-1',
    check: '',
    fault: 'silent',
    severity: 'critical',
    sinceUnixMs: 10 * MINUTE,
    lastedMs: 5_000,
    voters: ['laptop'],
    observers: 2,
    alsoOn: [],
    because: '',
    ...more,
  }
}

function notice(transition: Notice['transition'], ...incidents: ToldIncident[]): Notice {
  return { mesh: 'm', transition, incidents, massDeath: false, toldBy: 'laptop', writtenUnixMs: 11 * MINUTE }
}

/** What is shown of these notices, in order: `transition id`. */
function shownOf(notices: readonly Notice[], memory: Memory = EMPTY_MEMORY): readonly string[] {
  const shown: string[] = []
  for (const each of notices) {
    const sifted = sift(memory, each)
    // What is remembered survives a restart of the listener.
    memory = JSON.parse(JSON.stringify(sifted.memory)) as Memory
    for (const one of sifted.shown) for (const { id } of one.incidents) shown.push(`${one.transition} ${id}`)
  }
  return shown
}

const a = incident('a1')
const b = incident('b2', { sinceUnixMs: 10 * MINUTE + 3_000 })
const later = incident('c3', { sinceUnixMs: 20 * MINUTE })
const renamed = incident('d4', { aliases: ['a1'] })

describe('what is shown', () => {
  test.each<[string, readonly Notice[], readonly string[]]>([
    ['an outage and its end', [notice('fired', a), notice('resolved', a)], ['fired a1', 'resolved a1']],
    [
      'each transition once',
      [notice('fired', a), notice('fired', a), notice('resolved', a), notice('resolved', a)],
      ['fired a1', 'resolved a1'],
    ],
    [
      'a fired inside an open interval is an update',
      [notice('fired', a), notice('fired', b), notice('resolved', incident('b2', { aliases: ['a1'] }))],
      ['fired a1', 'resolved b2'],
    ],
    ['a fired after its end is not shown', [notice('resolved', a), notice('fired', a)], ['resolved a1']],
    [
      'a fired after its end, under another name of it',
      [notice('resolved', renamed), notice('fired', a)],
      ['resolved d4'],
    ],
    ['an end alone', [notice('resolved', a)], ['resolved a1']],
    ['an end under a newer name', [notice('fired', a), notice('resolved', renamed)], ['fired a1', 'resolved d4']],
    [
      'reminders, each once',
      [notice('fired', a), notice('reminder-1', a), notice('reminder-1', a), notice('reminder-2', a)],
      ['fired a1', 'reminder-1 a1', 'reminder-2 a1'],
    ],
    [
      'worse, once',
      [notice('fired', a), notice('worse', a), notice('worse', a), notice('resolved', a)],
      ['fired a1', 'worse a1', 'resolved a1'],
    ],
    [
      'a reminder of what never opened opens it',
      [notice('reminder-2', a), notice('fired', a), notice('resolved', a)],
      ['fired a1', 'resolved a1'],
    ],
    [
      'a reminder after the end is not shown',
      [notice('fired', a), notice('resolved', a), notice('reminder-1', a)],
      ['fired a1', 'resolved a1'],
    ],
    [
      'two outages: two fired, two resolved',
      [notice('fired', a), notice('resolved', a), notice('fired', later), notice('resolved', later)],
      ['fired a1', 'resolved a1', 'fired c3', 'resolved c3'],
    ],
    [
      'two outages close together, the first end late',
      [notice('fired', a), notice('fired', b), notice('resolved', a), notice('resolved', b)],
      ['fired a1', 'resolved a1', 'fired b2', 'resolved b2'],
    ],
    [
      'two outages close together, the ends the other way round',
      [notice('fired', a), notice('fired', b), notice('resolved', b), notice('resolved', a)],
      ['fired a1', 'resolved b2'],
    ],
    [
      'a later outage is shown though the end of the first was lost',
      [notice('fired', a), notice('fired', later), notice('resolved', later), notice('resolved', a)],
      ['fired a1', 'fired c3', 'resolved c3'],
    ],
    [
      'an old end does not say that a missing host is back',
      [notice('fired', later), notice('resolved', incident('e5', { lastedMs: MINUTE }))],
      ['fired c3'],
    ],
    [
      'both sides of a partition',
      [notice('fired', a), notice('fired', a), notice('resolved', a), notice('fired', a), notice('resolved', a)],
      ['fired a1', 'resolved a1'],
    ],
    [
      'what isolation and death have the same id for is one',
      [notice('fired', incident('a1', { fault: 'isolated' })), notice('fired', a), notice('resolved', a)],
      ['fired a1', 'resolved a1'],
    ],
    [
      'a check has an interval of its own',
      [notice('fired', a), notice('fired', incident('f6', { check: 'disk', fault: 'check' }))],
      ['fired a1', 'fired f6'],
    ],
  ])('%s', (_, notices, expected) => {
    expect(shownOf(notices)).toEqual(expected)
  })

  test('of a notice about several hosts only what is new', () => {
    const other = incident('g7', { host: 'nas', hostName: 'nas' })
    const first = sift(EMPTY_MEMORY, notice('fired', a))
    const second = sift(first.memory, notice('fired', a, other))
    expect(second.shown).toMatchObject([{ transition: 'fired', incidents: [{ id: 'g7' }] }])
  })

  test('what belongs together stays one notice', () => {
    const other = incident('g7', { host: 'nas', hostName: 'nas' })
    expect(sift(EMPTY_MEMORY, notice('fired', a, other)).shown).toHaveLength(1)
  })

  test('a memory has an end', () => {
    let memory = EMPTY_MEMORY
    for (let number = 0; number < 5_000; number += 1) {
      memory = sift(memory, notice('resolved', incident(`r${number}`))).memory
      memory = sift(memory, notice('fired', incident(`f${number}`, { host: `h${number}` }))).memory
    }
    expect(memory.closed.length).toBeLessThanOrEqual(4_096)
    expect(memory.open.length).toBeLessThanOrEqual(2_000)
  })
})

test('in any order and with any copies, an interval is R alone, or F (worse | reminder)* and at most one R', () => {
  const transition = fc.constantFrom<Notice['transition']>('fired', 'worse', 'reminder-1', 'reminder-2', 'resolved')
  const told = fc.record({
    transition,
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    alias: fc.option(fc.constantFrom('a', 'b', 'c', 'd')),
    minute: fc.integer({ min: 0, max: 5 }),
  })
  fc.assert(
    fc.property(fc.array(told, { maxLength: 14 }), (all) => {
      const notices = all.map(({ transition: each, id, alias, minute }) =>
        notice(
          each,
          incident(id, { aliases: alias === null || alias === id ? [] : [alias], sinceUnixMs: minute * MINUTE }),
        ),
      )
      let letters = ''
      for (const line of shownOf(notices)) letters += LETTERS[line.split(' ')[0] ?? ''] ?? '?'
      // An interval whose end was never told ends where the next one begins.
      expect(letters).toMatch(/^(R|F[WMN]*R?)*$/)
      for (const interval of letters.split(/(?=[FR])/)) {
        expect(new Set(interval).size, letters).toBe(interval.length)
      }
    }),
    { numRuns: 2_000 },
  )
})

const LETTERS: Readonly<Record<string, string>> = {
  fired: 'F',
  worse: 'W',
  'reminder-1': 'M',
  'reminder-2': 'N',
  resolved: 'R',
}
