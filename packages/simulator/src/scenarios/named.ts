/**
 * Scenarios with a name: what users were promised in so many words, and regressions.
 *
 * Unlike a drawn seed each says what must come of it: what the recipient's device shows, in order.
 */
import { build, type Plan } from './plan.ts'
import { DISK_PLANS, PEOPLE_PLANS, PROMISE_PLANS, RESTART_PLANS, ROAD_PLANS } from './plans.ts'
import type { Scenario } from './scenario.ts'

/** A scenario and what the device must show: `host fired`, `host/check resolved`. */
export interface NamedScenario {
  readonly name: string
  readonly scenario: Scenario
  readonly shows: readonly string[]
}

const second = 1_000
const minute = 60 * second

const PLANS: readonly Plan[] = [
  {
    name: 'two hosts, one loses power and returns',
    hosts: 2,
    lines: [{ atMs: 2 * minute, fault: { kind: 'power-cut', host: 1, backAfterMs: 2 * minute } }],
    shows: ['birch fired', 'birch resolved'],
  },
  {
    name: 'three hosts, one is killed and returns',
    hosts: 3,
    lines: [{ atMs: 2 * minute, fault: { kind: 'kill', host: 2, backAfterMs: 2 * minute } }],
    shows: ['cedar fired', 'cedar resolved'],
  },
  {
    name: 'three of five lose power at once',
    hosts: 5,
    lines: [{ atMs: 2 * minute, fault: { kind: 'mass-death', hosts: [0, 2, 4], backAfterMs: null } }],
    shows: ['atlas', 'cedar', 'ember'].flatMap((name) => [`${name} fired`, `${name} reminder`, `${name} reminder`]),
  },
  {
    name: "one host's link is cut twice without a restart",
    hosts: 3,
    lines: [
      { atMs: 2 * minute, fault: { kind: 'isolation', host: 1, forMs: minute, waku: true, route: false } },
      { atMs: 5 * minute, fault: { kind: 'isolation', host: 1, forMs: minute, waku: true, route: false } },
    ],
    shows: ['birch fired', 'birch resolved', 'birch fired', 'birch resolved'],
  },
  ...[0, 1, 2].map((claimant) => ({
    name: `the notifier loses power right after its claim, if it is host ${claimant}`,
    seed: 910_000,
    hosts: 4,
    lines: [
      { atMs: minute, fault: { kind: 'power-cut-after-claim', host: claimant, backAfterMs: null } as const },
      { atMs: 2 * minute, fault: { kind: 'power-cut', host: 3, backAfterMs: null } as const },
    ],
    // In this mesh it is host 0's turn: its own death is told too.
    shows: [
      ...['dune fired', 'dune reminder', 'dune reminder'],
      ...(claimant === 0 ? ['atlas fired', 'atlas reminder'] : []),
    ],
  })),
  {
    name: 'a host is stopped for 90 s and accuses nobody when it goes on',
    hosts: 3,
    lines: [{ atMs: 2 * minute, fault: { kind: 'freeze', host: 0, forMs: 90 * second } }],
    shows: ['atlas fired', 'atlas resolved'],
  },
  {
    name: 'a laptop that sleeps wakes nobody',
    hosts: 3,
    sleeper: 1,
    lines: [{ atMs: 2 * minute, fault: { kind: 'suspend', host: 1, forMs: 3 * minute } }],
    shows: [],
  },
  {
    name: 'an isolated host with Waku and its peers tell of one trouble',
    hosts: 4,
    lines: [{ atMs: 2 * minute, fault: { kind: 'isolation', host: 2, forMs: 2 * minute, waku: false, route: false } }],
    shows: ['cedar fired', 'cedar resolved'],
  },
  {
    name: 'a planned goodbye is no news',
    hosts: 3,
    lines: [{ atMs: 2 * minute, fault: { kind: 'leave', host: 1, backAfterMs: null } }],
    shows: [],
  },
  {
    name: 'a stop that is back in time is no news',
    hosts: 3,
    lines: [{ atMs: 2 * minute, fault: { kind: 'stop', host: 1, backAfterMs: minute } }],
    shows: [],
  },
  {
    name: 'a stop that does not come back is told',
    hosts: 3,
    lines: [{ atMs: 2 * minute, fault: { kind: 'stop', host: 1, backAfterMs: null } }],
    shows: ['birch fired', 'birch reminder'],
  },
  {
    name: 'a maintenance excuses an absence',
    hosts: 3,
    lines: [
      { atMs: 100 * second, fault: { kind: 'maintenance', by: 0, host: 1, forMs: 3 * minute } },
      { atMs: 2 * minute, fault: { kind: 'power-cut', host: 1, backAfterMs: minute } },
    ],
    shows: [],
  },
  {
    name: 'one survivor of four tells of itself or of the dead',
    hosts: 4,
    lines: [{ atMs: 2 * minute, fault: { kind: 'mass-death', hosts: [1, 2, 3], backAfterMs: null } }],
    shows: ['atlas fired', 'atlas reminder'],
  },
  {
    name: 'a notice waits while there is no Waku anywhere',
    hosts: 3,
    lines: [
      { atMs: 110 * second, fault: { kind: 'waku-outage', hosts: [0, 1, 2], trouble: 'down', forMs: 2 * minute } },
      { atMs: 2 * minute, fault: { kind: 'power-cut', host: 1, backAfterMs: null } },
    ],
    shows: ['birch fired', 'birch reminder', 'birch reminder'],
  },
  {
    name: 'a recipient that was offline for the whole outage shows both when it is back',
    hosts: 3,
    lines: [
      { atMs: 110 * second, fault: { kind: 'recipient-offline', recipient: 0, forMs: 4 * minute } },
      { atMs: 2 * minute, fault: { kind: 'power-cut', host: 1, backAfterMs: minute } },
    ],
    shows: ['birch fired', 'birch resolved'],
  },
]

/** Both sides of a partition of five: each tells of the other, and healing ends it all. */
const PARTITION: Plan = {
  name: 'both sides of a partition tell',
  hosts: 5,
  lines: [{ atMs: 2 * minute, fault: { kind: 'partition', side: [0, 1], forMs: 2 * minute } }],
  shows: ['atlas', 'birch', 'cedar', 'dune', 'ember'].flatMap((name) => [`${name} fired`, `${name} resolved`]),
}

/** All named scenarios. */
export const NAMED: readonly NamedScenario[] = [
  ...PLANS,
  PARTITION,
  ...RESTART_PLANS,
  ...PROMISE_PLANS,
  ...PEOPLE_PLANS,
  ...ROAD_PLANS,
  ...DISK_PLANS,
].map((plan, index) => ({
  name: plan.name,
  shows: plan.shows,
  scenario: build(plan, plan.seed ?? 900_000 + index),
}))
