import type { Incident, LogHead } from '@muster/protocol'
import { describe, expect, it } from 'vitest'
import type { FinalView, Happening } from '../happening.ts'
import { brokenBy, type Case, outcomeOf } from '../testing/cases.ts'
import {
  copy,
  effect,
  entry,
  incident,
  keepEntry,
  mode,
  notice,
  noticeRecord,
  openIncident,
  says,
  shown,
  view,
} from '../testing/history.ts'
import { budgetBytes, checkBudget } from './budget.ts'
import type { Invariant } from './checker.ts'
import { checkConvergence, checkNames } from './convergence.ts'
import { checkForwardOnly, checkSigners } from './logs.ts'
import { checkOutbox } from './outbox.ts'
import { checkReplays } from './replays.ts'
import { checkShown } from './shown.ts'

const minute = 60_000
const first = entry('c', 1, 1)
const second = entry('c', 1, 2)
const final = (host: string, incidents: readonly Incident[], log: readonly LogHead[] = []): FinalView => ({
  host,
  mode: 'running',
  view: view({ incidents: new Map(incidents.map((one) => [one.id, one])) }),
  logs: new Map([['c', log]]),
})
const ended: Happening = { kind: 'ended', atMs: 5 * minute, views: [] }
const replayed = (incidents: readonly Incident[]): Happening => ({
  kind: 'replayed',
  atMs: 1_000,
  host: 'a',
  record: noticeRecord('b', 'claim'),
  before: view(),
  after: view({ incidents: new Map(incidents.map((one) => [one.id, one])) }),
  effects: [],
})
const sendNotice = effect(1_000, 'a', {
  kind: 'send-notice',
  attempt: 1,
  recipient: 'phone',
  notice: notice(),
  timeoutMs: 3_000,
})
const head = { incarnation: 1, seq: 1, cid: 'cid-1' }
/** `c` takes in an entry and a record that were made a minute before. */
const away: readonly Happening[] = [
  effect(65_000, 'c', { kind: 'keep-entry', entry: first, head, ageMs: minute, sync: false }),
  effect(65_000, 'c', { kind: 'keep-record', id: 'old', record: noticeRecord('b', 'claim'), ageMs: minute }),
]
const START_BYTES = budgetBytes(2, 10_000, { starts: 1 })
const MISSED_BYTES = budgetBytes(2, 10_000, { missedEntries: 1, missedRecords: 1 })

const CASES: readonly Case[] = [
  {
    invariant: 'I7',
    checker: checkForwardOnly,
    name: 'entries in order',
    history: [keepEntry(1, 'a', first), keepEntry(2, 'a', second)],
    breaks: false,
  },
  {
    invariant: 'I7',
    checker: checkForwardOnly,
    name: 'an entry accepted twice',
    history: [keepEntry(1, 'a', first), keepEntry(2, 'a', first)],
    breaks: true,
  },
  {
    invariant: 'I7',
    checker: checkForwardOnly,
    name: 'the same entry after a power cut',
    history: [keepEntry(1, 'a', first), mode(2, 'a', 'off', 'power'), keepEntry(3, 'a', first)],
    breaks: false,
  },
  {
    invariant: 'I7',
    checker: checkForwardOnly,
    name: 'two entries of one number',
    history: [keepEntry(1, 'a', first, 'x'), keepEntry(2, 'b', first, 'y')],
    breaks: true,
  },
  {
    invariant: 'I8',
    checker: checkShown,
    name: 'fired, worse, reminder, resolved',
    history: [shown(1, 'fired'), shown(2, 'worse'), shown(3, 'reminder'), shown(4, 'resolved')],
    breaks: false,
  },
  { invariant: 'I8', checker: checkShown, name: 'resolved alone', history: [shown(1, 'resolved')], breaks: false },
  {
    invariant: 'I8',
    checker: checkShown,
    name: 'a reminder of nothing',
    history: [shown(1, 'reminder')],
    breaks: true,
  },
  {
    invariant: 'I9',
    checker: checkNames,
    name: 'one name for one trouble',
    history: [incident(1, 'a'), incident(2, 'b')],
    breaks: false,
  },
  {
    invariant: 'I9',
    checker: checkNames,
    name: 'two names for one life',
    history: [incident(1, 'a'), incident(2, 'b', { id: 'i2' })],
    breaks: true,
  },
  {
    invariant: 'I9',
    checker: checkNames,
    name: 'one name for two hosts',
    history: [incident(1, 'a'), incident(2, 'b', { host: 'b' })],
    breaks: true,
  },
  {
    invariant: 'I9',
    checker: checkNames,
    name: 'names that do not meet at the end',
    history: [
      { kind: 'healed', atMs: 0 },
      { kind: 'ended', atMs: 100_000, views: [final('a', [openIncident()]), final('b', [openIncident({ id: 'i2' })])] },
    ],
    breaks: true,
  },
  {
    invariant: 'I10',
    checker: checkConvergence,
    name: 'equal ends',
    history: [
      { kind: 'healed', atMs: 0 },
      {
        kind: 'ended',
        atMs: 100_000,
        views: [final('a', [openIncident()]), final('b', [openIncident({ id: 'i2', aliases: ['i1'] })])],
      },
    ],
    breaks: false,
  },
  {
    invariant: 'I10',
    checker: checkConvergence,
    name: 'an incident that only one has open',
    history: [
      { kind: 'healed', atMs: 0 },
      { kind: 'ended', atMs: 100_000, views: [final('a', [openIncident()]), final('b', [])] },
    ],
    breaks: true,
  },
  {
    invariant: 'I10',
    checker: checkConvergence,
    name: 'a log with a hole',
    history: [
      keepEntry(1, 'c', first),
      { kind: 'healed', atMs: 0 },
      {
        kind: 'ended',
        atMs: 100_000,
        views: [final('a', [], [{ incarnation: 1, seq: 1, cid: 'cid-1' }]), final('b', [])],
      },
    ],
    breaks: true,
  },
  {
    invariant: 'I12',
    checker: checkReplays,
    name: 'a replay that changes nothing',
    history: [replayed([])],
    breaks: false,
  },
  {
    invariant: 'I12',
    checker: checkReplays,
    name: 'a replay that opens an incident',
    history: [replayed([openIncident()])],
    breaks: true,
  },
  {
    invariant: 'I13',
    checker: checkBudget,
    name: 'bytes within the budget',
    history: [{ kind: 'bytes', atMs: 10_000, host: 'a', bytes: budgetBytes(2, 10_000) }],
    breaks: false,
  },
  {
    invariant: 'I13',
    checker: checkBudget,
    name: 'too many bytes within a minute',
    history: [10_000, 20_000].map((atMs) => ({
      kind: 'bytes',
      atMs,
      host: 'a',
      bytes: budgetBytes(2, 10_000) * 0.6,
    })),
    breaks: true,
  },
  {
    invariant: 'I13',
    checker: checkBudget,
    name: 'history for a host that was away',
    history: [...away, { kind: 'bytes', atMs: 70_000, host: 'a', bytes: MISSED_BYTES }],
    breaks: false,
  },
  {
    invariant: 'I13',
    checker: checkBudget,
    name: 'the same history again, which that host holds',
    history: [...away, { kind: 'bytes', atMs: 260_000, host: 'a', bytes: MISSED_BYTES }],
    breaks: true,
  },
  {
    invariant: 'I13',
    checker: checkBudget,
    name: 'a minute in which a host started',
    history: [mode(70_000, 'c', 'running', 'start'), { kind: 'bytes', atMs: 90_000, host: 'a', bytes: START_BYTES }],
    breaks: false,
  },
  {
    invariant: 'I13',
    checker: checkBudget,
    name: 'as many bytes in the minute after',
    history: [mode(70_000, 'c', 'running', 'start'), { kind: 'bytes', atMs: 131_000, host: 'a', bytes: START_BYTES }],
    breaks: true,
  },
  {
    invariant: 'I13',
    checker: checkBudget,
    name: 'as many bytes for what was fresh',
    history: [keepEntry(65_000, 'c', first), { kind: 'bytes', atMs: 70_000, host: 'a', bytes: MISSED_BYTES }],
    breaks: true,
  },
  {
    invariant: 'I14',
    checker: checkOutbox,
    name: 'a notice that Waku took',
    history: [sendNotice, copy(1_100, 'a'), { kind: 'healed', atMs: 2_000 }, ended],
    breaks: false,
  },
  {
    invariant: 'I14',
    checker: checkOutbox,
    name: 'a notice that another one told',
    history: [sendNotice, says(1_100, 'b', 'stored'), { kind: 'healed', atMs: 2_000 }, ended],
    breaks: false,
  },
  {
    invariant: 'I14',
    checker: checkOutbox,
    name: 'a notice that is forgotten',
    history: [sendNotice, { kind: 'healed', atMs: 2_000 }, ended],
    breaks: true,
  },
  {
    invariant: 'I15',
    checker: checkSigners,
    name: "a host's own entry",
    history: [keepEntry(1, 'c', first), keepEntry(2, 'a', first)],
    breaks: false,
  },
  {
    invariant: 'I15',
    checker: checkSigners,
    name: 'an entry that its host never wrote',
    history: [keepEntry(2, 'a', first)],
    breaks: true,
  },
]

describe('checkers of records and ends', () => {
  it.each(CASES)('$invariant: $name, breaks: $breaks', (one) => {
    const { broken, isExercised } = outcomeOf(one)
    expect(broken).toEqual(one.breaks ? [one.invariant] : [])
    expect(isExercised).toBe(one.idle !== true)
  })

  it('have a history that breaks them, each', () => {
    const all: Invariant[] = ['I7', 'I8', 'I9', 'I10', 'I12', 'I13', 'I14', 'I15']
    expect(brokenBy(CASES)).toEqual(all.toSorted())
  })
})
