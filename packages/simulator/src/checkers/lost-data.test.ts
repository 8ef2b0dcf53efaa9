import { describe, expect, it } from 'vitest'
import type { Happening } from '../happening.ts'
import { type Case, outcomeOf } from '../testing/cases.ts'
import { arrived, copy, effect, entry, keepEntry, mode, notice, openIncident, view } from '../testing/history.ts'
import { checkConvergence, checkNames } from './convergence.ts'
import { checkFalseVerdicts } from './detection.ts'
import { checkForwardOnly } from './logs.ts'
import { checkOutbox } from './outbox.ts'
import { checkTold } from './told.ts'

const first = entry('a', 1, 1)
const later = entry('a', 2, 1)
const lost = (atMs: number): Happening => ({ kind: 'data-lost', atMs, host: 'a' })
const heldByB = [keepEntry(1, 'a', first, 'x'), keepEntry(1, 'b', first, 'x')]
const regained = (atMs: number, record = first): Happening => {
  const head = { incarnation: record.body.life.incarnation, seq: record.body.seq, cid: `cid-${record.body.seq}` }
  return effect(atMs, 'a', { kind: 'keep-entry', entry: record, head, ageMs: 0, sync: false })
}
const sendNotice = effect(1_000, 'a', {
  kind: 'send-notice',
  attempt: 1,
  recipient: 'phone',
  notice: notice(),
  timeoutMs: 3_000,
})
/** They hold these entries of the log of `a` at the end, by number, long after all was written. */
const ended = (ofA: readonly number[], ofB: readonly number[]): Happening => ({
  kind: 'ended',
  atMs: 300_000,
  views: [['a', ofA] as const, ['b', ofB] as const].map(([host, seqs]) => ({
    host,
    mode: 'running',
    view: view(),
    logs: new Map([['a', seqs.map((seq) => ({ incarnation: 1, seq, cid: `cid-${seq}` }))]]),
  })),
})
const healed: Happening = { kind: 'healed', atMs: 100_000 }

const CASES: readonly Case[] = [
  {
    invariant: 'I7',
    checker: checkForwardOnly,
    name: 'a host that lost its data and writes a second first entry, knowing nothing',
    history: [...heldByB, lost(2), effect(3, 'a', keepLife()), keepEntry(4, 'a', first, 'y')],
    breaks: false,
  },
  {
    invariant: 'I7',
    checker: checkForwardOnly,
    name: 'the same after a peer has shown it the first one',
    history: [...heldByB, lost(2), effect(3, 'a', keepLife()), arrived(4, 'a', first), keepEntry(5, 'a', first, 'y')],
    breaks: true,
  },
  {
    invariant: 'I7',
    checker: checkForwardOnly,
    name: 'the same for an entry that was lost with all that had it',
    history: [
      keepEntry(1, 'a', first, 'x'),
      lost(2),
      effect(3, 'a', keepLife()),
      arrived(4, 'a', first),
      keepEntry(5, 'a', first, 'y'),
    ],
    breaks: false,
  },
  {
    invariant: 'I7',
    checker: checkForwardOnly,
    name: 'a host that lost nothing and writes a second first entry',
    history: [keepEntry(1, 'a', first, 'x'), keepEntry(4, 'a', first, 'y')],
    breaks: true,
  },
  {
    invariant: 'I7',
    checker: checkForwardOnly,
    name: 'a peer that takes an entry of a life before the newest it knows, although its writer lost its data',
    history: [keepEntry(1, 'b', later), lost(2), keepEntry(3, 'b', first)],
    breaks: true,
  },
  {
    invariant: 'I10',
    checker: checkConvergence,
    name: 'a host that lacks an own entry which it lost and could not regain before it wrote on',
    history: [keepEntry(1, 'a', first), lost(2), keepEntry(3, 'a', entry('a', 1, 2)), healed, ended([2], [1, 2])],
    breaks: false,
  },
  {
    invariant: 'I10',
    checker: checkConvergence,
    name: 'a host that regained its entries and lacks one',
    history: [
      keepEntry(1, 'a', first),
      keepEntry(1, 'a', entry('a', 1, 2)),
      lost(2),
      regained(3, entry('a', 1, 2)),
      healed,
      ended([2], [1, 2]),
    ],
    breaks: true,
  },
  {
    invariant: 'I14',
    checker: checkOutbox,
    name: 'a notice that was lost with the data of its host',
    history: [sendNotice, lost(2_000), { kind: 'healed', atMs: 3_000 }, { kind: 'ended', atMs: 200_000, views: [] }],
    breaks: false,
  },
  {
    invariant: 'I14',
    checker: checkOutbox,
    name: 'a notice that was forgotten after its host had lost other data',
    history: [lost(500), sendNotice, { kind: 'healed', atMs: 3_000 }, { kind: 'ended', atMs: 200_000, views: [] }],
    breaks: true,
  },
  {
    invariant: 'I9',
    checker: checkNames,
    name: "what is missed of a sleeper's check and what its host counts have names of their own",
    history: [missed(1, 'a', 'i1', ['a']), missed(2, 'b', 'i1', ['b']), missed(3, 'a', 'i2', ['c'])],
    breaks: false,
  },
  {
    invariant: 'I9',
    checker: checkNames,
    name: "two names for what is missed of a sleeper's check",
    history: [missed(1, 'a', 'i1', ['a']), missed(2, 'b', 'i2', ['b'])],
    breaks: true,
  },
  ...[
    { name: 'a verdict that the news of a slow link could not stop', byMs: 3_000, breaks: false },
    { name: 'a verdict against news that a less slow link had brought', byMs: 100, breaks: true },
  ].map(
    ({ name, byMs, breaks }): Case => ({
      invariant: 'I2',
      checker: checkFalseVerdicts,
      name,
      history: [
        { kind: 'slow', atMs: 1, host: 'a', byMs },
        { kind: 'heard', atMs: 95_000, by: 'b', of: 'c', life: { incarnation: 1, epoch: 0 }, beat: 9, ageMs: 0 },
        effect(100_000, 'a', {
          kind: 'concluded',
          subject: 'c',
          life: { incarnation: 1, epoch: 0 },
          beat: 8,
          ageMs: 15_100,
          how: 'votes',
        }),
      ],
      breaks,
    }),
  ),
]

function keepLife() {
  return { kind: 'keep-life', life: { incarnation: 1, epoch: 0 } } as const
}

function missed(atMs: number, host: string, id: string, voters: readonly string[]): Happening {
  const of = openIncident({ id, check: 'backup', fault: 'check', life: null, episode: 1, voters })
  return effect(atMs, host, { kind: 'incident', incident: of })
}

describe('what slow links, sleepers and lost data excuse', () => {
  it.each(CASES)('$invariant: $name', (one) => {
    const { broken, isExercised } = outcomeOf(one)
    expect(broken.length > 0).toBe(one.breaks)
    expect(broken.every((invariant) => invariant === one.invariant)).toBe(true)
    expect(isExercised).toBe(true)
  })
})

describe('a death that a person has asked to be quiet about', () => {
  const death = (matcher: string): readonly Happening[] => [
    { kind: 'announced', atMs: 1, recipient: 'phone' },
    ...['a', 'b'].map((by): Happening => {
      return { kind: 'heard', atMs: 99_900, by, of: 'c', life: { incarnation: 1, epoch: 0 }, beat: 1, ageMs: 0 }
    }),
    effect(90_000, 'a', {
      kind: 'gossip',
      record: {
        domain: 'record',
        version: 1,
        mesh: 'mesh',
        signer: 'a',
        signature: new Uint8Array(),
        body: { kind: 'silence', matcher, forMs: 60_000, atUnixMs: 0 },
      },
    }),
    mode(100_000, 'c', 'off', 'power'),
    { kind: 'ended', atMs: 400_000, views: [] },
  ]
  it.each([
    ['c', []],
    ['c/disk', ['I1']],
    ['b', ['I1']],
  ])('is excused by a silence of %s: %j is broken', (matcher, expected) => {
    const one: Case = { invariant: 'I1', checker: checkTold, name: '', history: death(matcher), breaks: false }
    expect(outcomeOf(one).broken).toEqual(expected)
  })
})

it('a copy of a notice is one whatever else was lost', () => {
  const history = [lost(500), sendNotice, copy(2_000, 'a'), healed, ended([], [])]
  expect(outcomeOf({ invariant: 'I14', checker: checkOutbox, name: '', history, breaks: false }).broken).toEqual([])
})
