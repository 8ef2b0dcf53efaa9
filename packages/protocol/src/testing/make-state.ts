/** States of one core for unit tests: a start, and a few members as they are needed. */
import { createState } from '../create-state.ts'
import type { HostId } from '../ids.ts'
import type { Incident } from '../incidents/incident.ts'
import { newMember } from '../membership/hearing.ts'
import { rosterOf } from '../membership/roster.ts'
import type { CoreOptions, Restored } from '../options.ts'
import type { HeldRecord, Member, State } from '../state.ts'
import { recordIdOf } from '../wire/names.ts'
import type { Heartbeat, MeshRecord, SignedAs } from '../wire/records.ts'
import { MESH } from './fixed-records.ts'

/** The options of host `me`, in the default class. */
export const OPTIONS: CoreOptions = {
  mesh: MESH,
  self: 'me',
  name: 'me',
  presence: { everyMs: 10_000, graceMs: 5_000, sleeps: false, restartMs: 300_000 },
  remindMs: 14_400_000,
  tickMs: 250,
  seed: 1,
  without: [],
}

/** An empty disk of a first start. */
export const NOTHING_RESTORED: Restored = { incarnation: 1, heads: {}, entries: [], carried: [], incidents: [] }

/** The moment of the start. */
export const START = { monotonicMs: 1_000_000, bootMs: 1_000_000, unixMs: 1_795_000_000_000 }

/** A state of host `me` at `awakeMs`, judging already, with these members and whatever else is changed. */
export function stateWith(members: readonly Member[], awakeMs = 0, change: Partial<State> = {}): State {
  const start = createState(OPTIONS, NOTHING_RESTORED, START)
  const clock = { ...start.clock, awakeMs, elapsedMs: awakeMs }
  const state = {
    ...start,
    clock,
    quiet: null,
    members: new Map(members.map((member) => [member.host, member])),
    ...change,
  }
  return { ...state, roster: rosterOf(state) }
}

/** The same mesh as each of its hosts sees it, when all hear each other. */
export function viewsOf(hosts: readonly HostId[]): readonly State[] {
  return hosts.map((self) => {
    const others = hosts.filter((host) => host !== self).map((host) => memberAt(host))
    return stateWith(others, 0, { options: { ...OPTIONS, self, name: self } })
  })
}

/** A member heard straight at `heardAtMs`, with changes. */
export function memberAt(host: HostId, heardAtMs = 0, change: Partial<Member> = {}): Member {
  return { ...newMember(host, heardAtMs, 0), heartbeat: heartbeatOf(host), direct: true, ...change }
}

/** A heartbeat of the default class. */
export function heartbeatOf(host: HostId, change: Partial<Heartbeat> = {}): SignedAs<'heartbeat'> {
  const body: Heartbeat = {
    life: { incarnation: 1, epoch: 0 },
    beat: 1,
    everyMs: 10_000,
    graceMs: 5_000,
    sleeps: false,
    mode: 'up',
    restartMs: 300_000,
    head: null,
    observers: ['me'],
    wakuAgeMs: null,
    sets: '0000000000000000',
    nonce: null,
    ...change,
  }
  return { domain: 'heartbeat', version: 1, mesh: MESH, signer: host, body, signature: new Uint8Array() }
}

/** A mesh record of `signer` as held since `bornAtMs`, with its id: an entry of `State.records`. */
export function heldRecord(signer: HostId, body: MeshRecord, bornAtMs = 0): readonly [string, HeldRecord] {
  const record = { domain: 'record', version: 1, mesh: MESH, signer, body, signature: new Uint8Array() } as const
  return [recordIdOf(record), { record, bornAtMs, learntAtMs: bornAtMs }]
}

/** An open incident of a silent host, with changes. */
export function incidentOf(change: Partial<Incident> = {}): Incident {
  return {
    id: '7f3a'.padEnd(32, '0'),
    aliases: [],
    host: 'vps',
    check: '',
    fault: 'silent',
    severity: 'critical',
    state: 'firing',
    life: { incarnation: 1, epoch: 0 },
    episode: 0,
    openedAtMs: 0,
    sinceAtMs: 0,
    resolvedAtMs: null,
    worsenedAtMs: null,
    sinceUnixMs: START.unixMs,
    resolvedUnixMs: null,
    voters: ['me'],
    observers: 2,
    because: '',
    outages: 1,
    ...change,
  }
}
