import type { Incident, LogHead } from '@muster/protocol'
import { describe, expect, it } from 'vitest'
import type { FinalView, Happening } from '../happening.ts'
import {
  arrived,
  concluded,
  copy,
  effect,
  entry,
  heard,
  incident,
  judge,
  keepEntry,
  link,
  mode,
  notice,
  noticeRecord,
  openIncident,
  says,
  shown,
  view,
  vote,
} from '../testing/history.ts'
import { budgetBytes, checkBudget } from './budget.ts'
import type { Checker, Invariant, Surroundings } from './checker.ts'
import { checkConvergence, checkNames } from './convergence.ts'
import { checkCopies } from './copies.ts'
import { checkFalseVerdicts, checkQuietJudges, checkSelfJudgement } from './detection.ts'
import { checkForwardOnly, checkSigners } from './logs.ts'
import { checkOutbox } from './outbox.ts'
import { checkReplays } from './replays.ts'
import { checkShown } from './shown.ts'
import { checkTold } from './told.ts'

interface Case {
  readonly invariant: Invariant
  readonly checker: (surroundings: Surroundings) => Checker
  readonly name: string
  readonly history: readonly Happening[]
  readonly breaks: boolean
  /** A history that puts nothing to the test. */
  readonly idle?: boolean
}

const minute = 60_000
const first = entry('c', 1, 1)
const second = entry('c', 1, 2)
const final = (host: string, incidents: readonly Incident[], log: readonly LogHead[] = []): FinalView => ({
  host,
  mode: 'running',
  view: view({ incidents: new Map(incidents.map((one) => [one.id, one])) }),
  logs: new Map([['c', log]]),
})
const calmDeath: readonly Happening[] = [
  { kind: 'announced', atMs: 1_000, recipient: 'phone' },
  heard(2 * minute - 3_000, 'a', 'c'),
  heard(2 * minute - 3_000, 'b', 'c'),
  mode(2 * minute, 'c', 'off', 'power'),
]
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

const CASES: readonly Case[] = [
  {
    invariant: 'I1',
    checker: checkTold,
    name: 'a death that is told in time',
    history: [...calmDeath, shown(138_000, 'fired'), ended],
    breaks: false,
  },
  {
    invariant: 'I1',
    checker: checkTold,
    name: 'a death that nobody tells of',
    history: [...calmDeath, ended],
    breaks: true,
  },
  {
    invariant: 'I1',
    checker: checkTold,
    name: 'a death that is told too late',
    history: [...calmDeath, shown(200_000, 'fired'), ended],
    breaks: true,
  },
  {
    invariant: 'I1',
    checker: checkTold,
    name: 'a death while a link changes promises nothing',
    history: [...calmDeath, ...link(2 * minute + 1_000, 'a', 'b', false), ended],
    breaks: false,
    idle: true,
  },
  {
    invariant: 'I2',
    checker: checkFalseVerdicts,
    name: 'a verdict on a dead host',
    history: [heard(1_000, 'b', 'c'), mode(2_000, 'c', 'off', 'power'), concluded(17_000, 'a', 'c')],
    breaks: false,
  },
  {
    invariant: 'I2',
    checker: checkFalseVerdicts,
    name: 'a verdict on a host that a peer within reach hears',
    history: [heard(10_000, 'b', 'c'), concluded(17_000, 'a', 'c')],
    breaks: true,
  },
  {
    invariant: 'I2',
    checker: checkFalseVerdicts,
    name: 'the same with no road to that peer',
    history: [...link(5_000, 'a', 'b', false), heard(10_000, 'b', 'c'), concluded(17_000, 'a', 'c')],
    breaks: false,
  },
  {
    invariant: 'I3',
    checker: checkShown,
    name: 'one fired',
    history: [shown(1, 'fired'), shown(2, 'resolved'), shown(3, 'fired')],
    breaks: false,
  },
  {
    invariant: 'I3',
    checker: checkShown,
    name: 'two fired in one interval',
    history: [shown(1, 'fired'), shown(2, 'fired')],
    breaks: true,
  },
  {
    invariant: 'I4',
    checker: checkCopies,
    name: 'one sender',
    history: [says(1_000, 'a', 'claim'), copy(1_100, 'a')],
    breaks: false,
  },
  {
    invariant: 'I4',
    checker: checkCopies,
    name: 'a second sender that had heard the claim',
    history: [
      says(1_000, 'a', 'claim'),
      arrived(1_050, 'b', noticeRecord('a', 'claim')),
      copy(1_100, 'a'),
      says(2_000, 'b', 'claim'),
      copy(2_100, 'b'),
    ],
    breaks: true,
  },
  {
    invariant: 'I4',
    checker: checkCopies,
    name: 'a second sender whose claim crossed',
    history: [
      says(1_000, 'a', 'claim'),
      says(1_010, 'b', 'claim'),
      arrived(1_050, 'b', noticeRecord('a', 'claim')),
      copy(1_100, 'a'),
      copy(1_110, 'b'),
    ],
    breaks: false,
  },
  {
    invariant: 'I4',
    checker: checkCopies,
    name: 'a second sender after the first one died',
    history: [
      says(1_000, 'a', 'claim'),
      arrived(1_050, 'b', noticeRecord('a', 'claim')),
      copy(1_100, 'a'),
      mode(1_200, 'a', 'off', 'power'),
      says(2_000, 'b', 'claim'),
      copy(2_100, 'b'),
    ],
    breaks: false,
  },
  {
    invariant: 'I4',
    checker: checkCopies,
    name: 'two senders without any claim',
    history: [copy(1_100, 'a'), copy(1_200, 'b')],
    breaks: true,
  },
  {
    invariant: 'I4',
    checker: checkCopies,
    name: 'the fourth resend',
    history: [1, 2, 3, 4, 5].map((time) => copy(time * 1_000, 'a')),
    breaks: true,
  },
  {
    invariant: 'I5',
    checker: checkQuietJudges,
    name: 'a vote of a host that hears others',
    history: [heard(1_000, 'a', 'b'), vote(15_000, 'a', 'c')],
    breaks: false,
  },
  {
    invariant: 'I5',
    checker: checkQuietJudges,
    name: 'a vote while isolated',
    history: [vote(15_000, 'a', 'c', view({ isolated: true }))],
    breaks: true,
  },
  {
    invariant: 'I5',
    checker: checkQuietJudges,
    name: 'a verdict while quiet',
    history: [concluded(15_000, 'a', 'c', view({ quiet: {} }))],
    breaks: true,
  },
  {
    invariant: 'I5',
    checker: checkQuietJudges,
    name: 'a vote soon after a gap',
    history: [mode(10_000, 'a', 'frozen', 'freeze'), mode(30_000, 'a', 'running', 'resume'), vote(33_000, 'a', 'c')],
    breaks: true,
  },
  {
    invariant: 'I5',
    checker: checkQuietJudges,
    name: 'a vote although nothing arrives',
    history: [
      heard(1_000, 'a', 'b'),
      vote(
        60_000,
        'a',
        'c',
        view({
          members: new Map([
            ['b', { state: 'alive' }],
            ['c', { state: 'suspect' }],
          ]),
        }),
      ),
    ],
    breaks: true,
  },
  {
    invariant: 'I6',
    checker: checkSelfJudgement,
    name: 'a verdict on another',
    history: [concluded(1, 'a', 'b')],
    breaks: false,
  },
  {
    invariant: 'I6',
    checker: checkSelfJudgement,
    name: 'a verdict on oneself',
    history: [concluded(1, 'a', 'a')],
    breaks: true,
  },
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
    history: [{ kind: 'bytes', atMs: 10_000, host: 'a', bytes: budgetBytes(2, 10_000, 0) }],
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
      bytes: budgetBytes(2, 10_000, 0) * 0.6,
    })),
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

describe('checkers', () => {
  it.each(CASES)('$invariant: $name, breaks: $breaks', ({ invariant, checker, history, breaks, idle }) => {
    const watch = judge(checker, history)
    expect(watch.broken.map((broken) => broken.invariant)).toEqual(breaks ? [invariant] : [])
    expect(watch.exercised[invariant] > 0).toBe(idle !== true)
  })

  it('have a history that breaks them, each', () => {
    const shown = new Set(CASES.filter(({ breaks }) => breaks).map(({ invariant }) => invariant))
    // I11 compares two runs: its test is beside it.
    expect(shown.size).toBe(14)
  })
})
