/** More scenarios with a name: restarts, promises of checks, people, bad roads and bad disks. */
import type { CheckSpec } from '@muster/protocol'
import type { Spell, VirtualCheck } from '../world/virtual-check.ts'
import type { Plan } from './plan.ts'

const second = 1_000
const minute = 60 * second

/** A check of a disk every 30 s, or with what else it promises. */
function check(change: Partial<CheckSpec>, spells: readonly Spell[]): VirtualCheck {
  const spec: CheckSpec = {
    name: 'disk',
    kind: 'disk',
    everyMs: 30 * second,
    graceMs: 10 * second,
    after: 1,
    recover: 1,
    forMs: 0,
    heartbeat: 'awake',
    tags: [],
    ...change,
  }
  return { spec, phaseMs: 5 * second, spells }
}

const badFor = (fromMs: number, toMs: number): Spell => ({ fromMs, toMs, judgement: 'critical' })
const mute = (fromMs: number, toMs: number): Spell => ({ fromMs, toMs, judgement: null })

/** Restarts that were meant, and power that comes and goes. */
export const RESTART_PLANS: readonly Plan[] = [
  {
    name: 'a host that restarts while another is stopped is no news',
    hosts: 3,
    lines: [
      { atMs: 2 * minute, fault: { kind: 'stop', host: 1, backAfterMs: 90 * second } },
      { atMs: 2 * minute + 20 * second, fault: { kind: 'restart', host: 2, backAfterMs: 5 * second } },
    ],
    shows: [],
  },
  {
    name: 'a restart of all hosts at once is no news',
    hosts: 4,
    lines: [
      {
        atMs: 2 * minute,
        fault: { kind: 'restart-of-all', backAfterMs: [20 * second, 5 * second, 40 * second, 2 * second] },
      },
    ],
    shows: [],
  },
  {
    name: 'two short blackouts in a row are no news',
    hosts: 4,
    lines: [2 * minute, 2 * minute + 30 * second].map((atMs) => ({
      atMs,
      fault: { kind: 'blackout', backAfterMs: [3 * second, 4 * second, 6 * second, 5 * second] },
    })),
    shows: [],
  },
  {
    name: 'a host that does not return from the second of two blackouts is told',
    hosts: 4,
    lines: [
      {
        atMs: 2 * minute,
        fault: { kind: 'blackout', backAfterMs: [3 * second, 4 * second, 6 * second, 5 * second] },
      },
      {
        atMs: 2 * minute + 30 * second,
        fault: { kind: 'blackout', backAfterMs: [3 * second, 4 * second, 6 * second, 3 * minute] },
      },
    ],
    shows: ['dune fired', 'dune resolved'],
  },
]

/** What checks promise. */
export const PROMISE_PLANS: readonly Plan[] = [
  {
    name: 'a promise that holds even in sleep is told while its host sleeps',
    hosts: 3,
    sleeper: 1,
    checks: { 1: [check({ name: 'backup', kind: 'push', heartbeat: 'always' }, [])] },
    lines: [{ atMs: 2 * minute, fault: { kind: 'suspend', host: 1, forMs: 4 * minute } }],
    shows: ['birch/backup fired', 'birch/backup resolved'],
  },
  {
    name: 'any other promise rests while its host sleeps',
    hosts: 3,
    sleeper: 1,
    checks: { 1: [check({ name: 'backup', kind: 'push' }, [])] },
    lines: [{ atMs: 2 * minute, fault: { kind: 'suspend', host: 1, forMs: 4 * minute } }],
    shows: [],
  },
  {
    name: 'a check that promises nothing may be silent',
    hosts: 2,
    checks: { 1: [check({ name: 'cron', kind: 'push', heartbeat: 'never' }, [mute(minute, 7 * minute)])] },
    lines: [],
    shows: [],
  },
  {
    name: 'a check that does not report is late',
    hosts: 2,
    checks: { 1: [check({ name: 'cron', kind: 'push' }, [mute(minute, 4 * minute)])] },
    lines: [],
    shows: ['birch/cron fired', 'birch/cron resolved'],
  },
  {
    name: 'a check that must fail three times does not tell of two',
    hosts: 2,
    checks: { 1: [check({ after: 3 }, [badFor(minute, 2 * minute), badFor(3 * minute, 5 * minute)])] },
    lines: [],
    shows: ['birch/disk fired', 'birch/disk resolved'],
  },
  {
    name: 'a check that must recover twice has one incident where it flickers',
    hosts: 2,
    checks: {
      1: [
        check(
          { recover: 2 },
          [0, 1, 2].map((time) => badFor((2 + time) * minute, (2.4 + time) * minute)),
        ),
      ],
    },
    lines: [],
    shows: ['birch/disk fired', 'birch/disk resolved'],
  },
  {
    name: 'a check that must be bad for two minutes tells of three but not of one',
    hosts: 2,
    checks: { 1: [check({ forMs: 2 * minute }, [badFor(minute, 2 * minute), badFor(3 * minute, 6 * minute)])] },
    lines: [],
    shows: ['birch/disk fired', 'birch/disk resolved'],
  },
  {
    name: 'a host with little history gives and takes what it has',
    hosts: 3,
    historyMs: minute,
    lines: [{ atMs: 2 * minute, fault: { kind: 'power-cut', host: 2, backAfterMs: 3 * minute } }],
    shows: ['cedar fired', 'cedar resolved'],
  },
]

/** What people do about incidents. */
export const PEOPLE_PLANS: readonly Plan[] = [
  {
    name: 'what nobody answers is told again',
    hosts: 3,
    lines: [{ atMs: minute, fault: { kind: 'power-cut', host: 2, backAfterMs: 5 * minute } }],
    shows: ['cedar fired', 'cedar reminder', 'cedar resolved'],
  },
  {
    name: 'what is acknowledged is not told again, but its end is',
    hosts: 3,
    lines: [
      { atMs: minute, fault: { kind: 'power-cut', host: 2, backAfterMs: 5 * minute } },
      { atMs: 2 * minute, fault: { kind: 'ack', by: 1 } },
    ],
    shows: ['cedar fired', 'cedar resolved'],
  },
  {
    name: 'a death during a silence is told when the silence ends',
    hosts: 3,
    lines: [
      { atMs: minute, fault: { kind: 'silence', by: 0, host: 2, check: null, forMs: 2 * minute } },
      { atMs: 80 * second, fault: { kind: 'power-cut', host: 2, backAfterMs: 4 * minute } },
    ],
    shows: ['cedar fired', 'cedar resolved'],
  },
  {
    name: 'a silence of a check says nothing of its host',
    hosts: 3,
    checks: { 2: [check({}, [badFor(90 * second, 3 * minute)])] },
    lines: [
      { atMs: minute, fault: { kind: 'silence', by: 0, host: 2, check: 'disk', forMs: 4 * minute } },
      { atMs: 4 * minute, fault: { kind: 'power-cut', host: 2, backAfterMs: minute } },
    ],
    shows: ['cedar fired', 'cedar resolved'],
  },
  {
    name: 'a maintenance that is announced after the death ends nothing, and what is told is told',
    hosts: 3,
    lines: [
      { atMs: minute, fault: { kind: 'power-cut', host: 2, backAfterMs: 3 * minute } },
      { atMs: 2 * minute, fault: { kind: 'maintenance', by: 0, host: 2, forMs: minute } },
    ],
    shows: ['cedar fired', 'cedar resolved'],
  },
  {
    name: 'who leaves takes its troubles along, and comes back with those that it still has',
    hosts: 3,
    checks: { 1: [check({}, [badFor(minute, 7 * minute)])] },
    lines: [{ atMs: 2 * minute, fault: { kind: 'leave', host: 1, backAfterMs: 2 * minute } }],
    shows: ['birch/disk fired', 'birch/disk resolved', 'birch/disk fired', 'birch/disk resolved'],
  },
  {
    name: 'who has left and come back is watched again',
    hosts: 3,
    lines: [
      { atMs: minute, fault: { kind: 'leave', host: 1, backAfterMs: minute } },
      { atMs: 4 * minute, fault: { kind: 'power-cut', host: 1, backAfterMs: minute } },
    ],
    shows: ['birch fired', 'birch resolved'],
  },
]

/** Bad roads and slow processes. */
export const ROAD_PLANS: readonly Plan[] = [
  {
    name: 'a death is told although a link works one way only and the notifier dies',
    // In this mesh it is birch's turn: its own death is told too.
    seed: 920_000,
    hosts: 6,
    lines: [
      { atMs: 100 * second, fault: { kind: 'one-way-cut', from: 0, to: 1, forMs: 3 * minute } },
      { atMs: 110 * second, fault: { kind: 'notifier-dies', backAfterMs: null } },
      { atMs: 2 * minute, fault: { kind: 'power-cut', host: 3, backAfterMs: null } },
    ],
    shows: ['dune fired', 'birch fired', 'dune reminder', 'birch reminder', 'dune reminder'],
  },
  {
    name: 'a host with a link of three seconds is not missed',
    hosts: 3,
    lines: [{ atMs: 2 * minute, fault: { kind: 'slow-link', host: 1, byMs: 3 * second, forMs: 5 * minute } }],
    shows: [],
  },
  {
    name: 'a host that stalls for seconds now and then accuses nobody and is not missed',
    hosts: 3,
    lines: [
      {
        atMs: 2 * minute,
        fault: {
          kind: 'stalls',
          host: 1,
          stallsMs: [2, 5, 4, 7, 3].map((time) => time * second),
          pauseMs: 12 * second,
        },
      },
    ],
    shows: [],
  },
]

/** Disks that are full, new or old. */
export const DISK_PLANS: readonly Plan[] = [
  {
    name: 'a host on a full disk is as alive as any other, and so is it after what it forgot',
    hosts: 3,
    lines: [
      {
        atMs: 2 * minute,
        fault: { kind: 'disk-full', host: 1, backAfterMs: 5 * second, againAfterMs: 90 * second },
      },
    ],
    shows: [],
  },
  ...(['data-deleted', 'data-restored'] as const).map((kind): Plan => {
    const lost = { host: 1, backAfterMs: minute }
    const fault = kind === 'data-deleted' ? { kind, ...lost } : { kind, ...lost, afterMs: minute }
    return {
      name: `a host with ${kind === 'data-deleted' ? 'an empty folder' : 'an old copy of its data'} returns once and its next trouble is told`,
      hosts: 3,
      checks: { 1: [check({}, [badFor(72 * second, 100 * second), badFor(5.5 * minute, 7 * minute)])] },
      lines: [
        { atMs: 70 * second, fault: { kind: 'kill', host: 1, backAfterMs: second } },
        { atMs: 2 * minute, fault },
      ],
      shows: [
        'birch/disk fired',
        'birch/disk resolved',
        'birch fired',
        'birch resolved',
        'birch/disk fired',
        'birch/disk resolved',
      ],
    }
  }),
]
