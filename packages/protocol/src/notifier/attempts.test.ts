import { expect, test } from 'vitest'
import type { Event } from '../event.ts'
import type { Attempt } from '../state.ts'
import { incidentOf, START, stateWith } from '../testing/make-state.ts'
import { beginWork } from '../work.ts'
import { noteDelivered, noteOutcome } from './attempts.ts'

const INCIDENT = incidentOf()
const PHONE = 'ab'.repeat(16)
const attemptOf = (attempt: number): Attempt => ({
  attempt,
  transition: 'fired',
  recipient: PHONE,
  incidents: [INCIDENT.id],
  claimedAtMs: 0,
  departed: true,
})

type Outcome = Extract<Event, { kind: 'sent' }>['outcome']

/** What the log says of these attempts, after receipts in this order; `device` is the device's own answer. */
function said(receipts: readonly (readonly [number, Outcome | 'device'])[]): number {
  const attempts = new Map(receipts.map(([attempt]) => [attempt, attemptOf(attempt)]))
  const incidents = new Map([[INCIDENT.id, INCIDENT]])
  const work = beginWork(stateWith([], 1_000, { incidents, attempts }))
  // The claim, by which a host knows the notice for its own.
  work.state.facts = new Map([
    [
      INCIDENT.id,
      [...attempts.keys()].map((attempt) => ({
        transition: 'fired' as const,
        recipient: PHONE,
        peer: 'me',
        attempt,
        step: 'claim' as const,
        atMs: 0,
      })),
    ],
  ])
  for (const [attempt, receipt] of receipts) {
    if (receipt !== 'device') noteOutcome(work, { kind: 'sent', at: START, attempt, outcome: receipt })
    else {
      const { id } = INCIDENT
      noteDelivered(work, { kind: 'delivered', at: START, incidents: [id], transition: 'fired', recipient: PHONE })
    }
  }
  return work.effects.filter((effect) => effect.kind === 'report' && effect.phrase === 'notice sent').length
}

test.each<[string, readonly (readonly [number, Outcome | 'device'])[], number]>([
  [
    'accepted, then stored',
    [
      [7, 'accepted'],
      [7, 'stored'],
    ],
    1,
  ],
  ['stored alone', [[7, 'stored']], 1],
  [
    'the device first, then stored',
    [
      [7, 'device'],
      [7, 'stored'],
    ],
    1,
  ],
  [
    'the device first, then accepted and stored',
    [
      [7, 'device'],
      [7, 'accepted'],
      [7, 'stored'],
    ],
    1,
  ],
  [
    'the device in between',
    [
      [7, 'accepted'],
      [7, 'device'],
      [7, 'stored'],
    ],
    1,
  ],
  [
    'told again, and accepted again',
    [
      [7, 'accepted'],
      [8, 'accepted'],
    ],
    2,
  ],
  ['refused', [[7, 'refused']], 0],
])('the log of who sent it has each notice that Waku took: %s', (_, receipts, lines) => {
  expect(said(receipts)).toBe(lines)
})
