import type { SignedAs } from '@muster/protocol'
import { describe, expect, it } from 'vitest'
import type { Happening } from '../happening.ts'
import { brokenBy, type Case, outcomeOf } from '../testing/cases.ts'
import {
  arrived,
  concluded,
  copy,
  effect,
  heard,
  leaveRecord,
  link,
  mode,
  noticeRecord,
  says,
  shown,
  stopping,
  view,
  vote,
} from '../testing/history.ts'
import type { Invariant } from './checker.ts'
import { checkCopies } from './copies.ts'
import { checkFalseVerdicts, checkQuietJudges, checkSelfJudgement } from './detection.ts'
import { checkShown } from './shown.ts'
import { checkTold } from './told.ts'

const minute = 60_000
const calmDeath: readonly Happening[] = [
  { kind: 'announced', atMs: 1_000, recipient: 'phone' },
  heard(2 * minute - 3_000, 'a', 'c'),
  heard(2 * minute - 3_000, 'b', 'c'),
  mode(2 * minute, 'c', 'off', 'power'),
]
/** `c` says that it is stopping, and loses power before it has ended. */
const goodbyeAndDeath: readonly Happening[] = [
  ...calmDeath.slice(0, -1),
  effect(2 * minute - 100, 'c', { kind: 'send-heartbeat', to: ['a', 'b'], heartbeat: stopping('c'), riders: [] }),
  ...calmDeath.slice(-1),
]
const ended: Happening = { kind: 'ended', atMs: 5 * minute, views: [] }
/** A host claims, sends, and says that Waku took it; those in `heardBy` hear all of that. */
function claimAndSend(atMs: number, host: string, heardBy: readonly string[]): readonly Happening[] {
  const [claim, accepted] = [noticeRecord(host, 'claim'), noticeRecord(host, 'accepted')]
  return [
    effect(atMs, host, { kind: 'gossip', record: claim as SignedAs<'notice'> }),
    ...heardBy.map((by) => arrived(atMs + 10, by, claim)),
    copy(atMs + 20, host),
    effect(atMs + 30, host, { kind: 'gossip', record: accepted as SignedAs<'notice'> }),
    ...heardBy.map((by) => arrived(atMs + 40, by, accepted)),
  ]
}
/** Sends that Waku took and lost, half a minute after each other, as all know. */
function lostCopies(hosts: readonly string[]): readonly Happening[] {
  return hosts.flatMap((host, index) =>
    claimAndSend(
      30_000 * index,
      host,
      ['a', 'b', 'c'].filter((by) => by !== host),
    ),
  )
}
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
    name: 'a death after a goodbye that is told when the time for a restart is over',
    history: [...goodbyeAndDeath, shown(4 * minute + 8_000, 'fired'), ended],
    breaks: false,
  },
  {
    invariant: 'I1',
    checker: checkTold,
    name: 'a death after a goodbye that nobody tells of',
    history: [...goodbyeAndDeath, ended],
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
    history: [heard(10_000, 'b', 'c', 2), concluded(17_000, 'a', 'c')],
    breaks: true,
  },
  {
    invariant: 'I2',
    checker: checkFalseVerdicts,
    name: 'a verdict by the very heartbeat that a peer got a moment later',
    history: [heard(1_900, 'a', 'c'), heard(2_100, 'b', 'c'), concluded(17_000, 'a', 'c')],
    breaks: false,
  },
  {
    invariant: 'I2',
    checker: checkFalseVerdicts,
    name: 'the same with no road to that peer',
    history: [...link(5_000, 'a', 'b', false), heard(10_000, 'b', 'c', 2), concluded(17_000, 'a', 'c')],
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
    invariant: 'I8',
    checker: checkShown,
    name: 'a reminder after the end of an older trouble, which came late',
    history: [shown(1, 'fired'), shown(2, 'resolved', 'c', 'i0'), shown(3, 'reminder')],
    breaks: false,
  },
  {
    invariant: 'I8',
    checker: checkShown,
    name: 'a reminder after the end of the trouble itself, under the id of an update',
    history: [shown(1, 'fired'), shown(2, null, 'c', 'i2'), shown(3, 'resolved', 'c', 'i2'), shown(4, 'reminder')],
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
    name: 'a second sender after the first one gave it back',
    history: [
      says(1_000, 'a', 'claim'),
      arrived(1_050, 'b', noticeRecord('a', 'claim')),
      copy(1_100, 'a'),
      arrived(1_500, 'b', noticeRecord('a', 'release')),
      says(2_000, 'b', 'claim'),
      copy(2_100, 'b'),
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
  ...([1_500, 2_500] as const).map(
    (atMs): Case => ({
      invariant: 'I4',
      checker: checkCopies,
      name: `a second sender that ${atMs < 2_000 ? 'has heard' : 'is yet to hear'} that the first one leaves for good`,
      history: [
        says(1_000, 'a', 'claim'),
        arrived(1_050, 'b', noticeRecord('a', 'claim')),
        copy(1_100, 'a'),
        arrived(1_200, 'b', noticeRecord('a', 'accepted')),
        ...(atMs < 2_000 ? [arrived(atMs, 'b', leaveRecord('a'))] : []),
        says(2_000, 'b', 'claim'),
        copy(2_100, 'b'),
        ...(atMs > 2_000 ? [arrived(atMs, 'b', leaveRecord('a'))] : []),
      ],
      breaks: atMs > 2_000,
    }),
  ),
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
    name: 'a resend by one who knows of three sends',
    history: [...lostCopies(['a', 'a', 'a']), ...claimAndSend(90_000, 'b', [])],
    breaks: false,
  },
  {
    invariant: 'I4',
    checker: checkCopies,
    name: 'a resend by one who knows of four',
    history: [...lostCopies(['a', 'a', 'a', 'a']), ...claimAndSend(120_000, 'b', [])],
    breaks: true,
  },
  {
    invariant: 'I4',
    checker: checkCopies,
    name: 'a resend by one who knows of three of four, the other was made on the other side of a cut',
    history: [
      ...lostCopies(['a', 'a', 'a']),
      ...link(85_000, 'b', 'c', false),
      ...claimAndSend(86_000, 'c', ['a']),
      ...link(88_000, 'b', 'c', true),
      ...claimAndSend(90_000, 'b', []),
    ],
    breaks: false,
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
]

describe('checkers of detection and notices', () => {
  it.each(CASES)('$invariant: $name, breaks: $breaks', (one) => {
    const { broken, isExercised } = outcomeOf(one)
    expect(broken).toEqual(one.breaks ? [one.invariant] : [])
    expect(isExercised).toBe(one.idle !== true)
  })

  it('have a history that breaks them, each', () => {
    const all: Invariant[] = ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I8']
    expect(brokenBy(CASES)).toEqual(all.toSorted())
  })
})
