/** Hand-made happenings for tests of checkers: each function makes one, with what does not matter filled in. */
import type {
  AnySigned,
  Effect,
  HostId,
  Incident,
  IncidentId,
  Notice,
  NoticeRecord,
  SignedAs,
  Transition,
} from '@muster/protocol'
import { createWatch, type Watch } from '../checkers/all.ts'
import type { Checker, Surroundings } from '../checkers/checker.ts'
import type { CoreView } from '../core.ts'
import type { Cause, Happening, Mode, Shown } from '../happening.ts'

const HISTORY_MS = 48 * 3_600_000
const PRESENCE = { everyMs: 10_000, graceMs: 5_000, sleeps: false, restartMs: 120_000 }
const ENVELOPE = { version: 1, mesh: 'mesh', signature: new Uint8Array() } as const

/** A core's view in which nothing is wrong. */
export function view(rest: Partial<CoreView> = {}): CoreView {
  return {
    life: { incarnation: 1, epoch: 0 },
    members: new Map(),
    incidents: new Map(),
    heads: new Map(),
    isolated: false,
    quiet: null,
    ...rest,
  }
}

/** Runs one checker over a history of the hosts `a`, `b`, `c` (all running from 0 on) and returns it. */
export function judge(make: (surroundings: Surroundings) => Checker, history: readonly Happening[]): Watch {
  const hosts = ['a', 'b', 'c']
  const watch = createWatch(
    hosts.map((id) => ({ id, name: id, presence: PRESENCE, historyMs: HISTORY_MS })),
    [make],
  )
  for (const host of hosts) watch.see(mode(0, host, 'running', 'start'))
  for (const happening of history) watch.see(happening)
  return watch
}

/** A host goes into a mode. */
export function mode(atMs: number, host: HostId, next: Mode, cause: Cause): Happening {
  return { kind: 'mode', atMs, host, mode: next, cause }
}

/** Both directions of a link. */
export function link(atMs: number, a: HostId, b: HostId, up: boolean): Happening[] {
  return [
    { kind: 'link', atMs, from: a, to: b, up },
    { kind: 'link', atMs, from: b, to: a, up },
  ]
}

/** A heartbeat of the first life of `of` arrives at `by`, straight from it. */
export function heard(atMs: number, by: HostId, of: HostId, beat = 1): Happening {
  return { kind: 'heard', atMs, by, of, life: { incarnation: 1, epoch: 0 }, beat, ageMs: 0 }
}

/** What a host says that is told to stop. */
export function stopping(signer: HostId): SignedAs<'heartbeat'> {
  const { everyMs, graceMs, sleeps, restartMs } = PRESENCE
  const body = {
    life: { incarnation: 1, epoch: 0 },
    beat: 2,
    everyMs,
    graceMs,
    sleeps,
    mode: 'stopping' as const,
    restartMs,
    head: null,
    observers: [],
    wakuAgeMs: null,
    sets: '0000000000000000',
    nonce: null,
  }
  return { ...ENVELOPE, domain: 'heartbeat', signer, body }
}

/** A core asked for an effect. `before` is its view ahead of the step: nothing wrong in it, unless given. */
export function effect(atMs: number, host: HostId, what: Effect, before: CoreView = view()): Happening {
  return { kind: 'effect', atMs, host, effect: what, before }
}

/** The effect of concluding, by votes, that the first life of `subject` has ended. */
export function concluded(atMs: number, host: HostId, subject: HostId, before: CoreView = view()): Happening {
  const life = { incarnation: 1, epoch: 0 }
  return effect(atMs, host, { kind: 'concluded', subject, life, beat: 1, ageMs: 15_100, how: 'votes' }, before)
}

/** The effect of casting a vote. */
export function vote(atMs: number, host: HostId, subject: HostId, before: CoreView = view()): Happening {
  const body = { subject, life: { incarnation: 1, epoch: 0 }, beat: 1, ageMs: 13_000, round: 1, evidence: null }
  return effect(atMs, host, { kind: 'gossip', record: { ...ENVELOPE, domain: 'vote', signer: host, body } }, before)
}

/** An entry as its signer wrote it. */
export function entry(signer: HostId, incarnation: number, seq: number): SignedAs<'entry'> {
  const body = {
    life: { incarnation, epoch: 0 },
    seq,
    previous: null,
    atUnixMs: 0,
    results: [],
    retired: [],
  }
  return { ...ENVELOPE, domain: 'entry', signer, body }
}

/** The effect of storing an entry, fsynced. The CID is made up from its sequence number, unless given. */
export function keepEntry(
  atMs: number,
  host: HostId,
  record: SignedAs<'entry'>,
  cid = `cid-${record.body.seq}`,
): Happening {
  const head = { incarnation: record.body.life.incarnation, seq: record.body.seq, cid }
  return effect(atMs, host, { kind: 'keep-entry', entry: record, head, ageMs: 0, sync: true })
}

/** A line of the notice log: the first attempt of `signer` at telling `phone` of the incident `i1`. */
export function noticeRecord(signer: HostId, step: NoticeRecord['step'], transition: Transition = 'fired'): AnySigned {
  const body = { step, incidents: ['i1'], transition, recipient: 'phone', attempt: 1 }
  return { ...ENVELOPE, domain: 'notice', signer, body }
}

/** A host's word that it leaves the mesh for good, in its first life. */
export function leaveRecord(signer: HostId): AnySigned {
  return { ...ENVELOPE, domain: 'record', signer, body: { kind: 'leave', life: { incarnation: 1, epoch: 0 } } }
}

/** The effect of gossiping a line of the notice log. */
export function says(
  atMs: number,
  host: HostId,
  step: NoticeRecord['step'],
  transition: Transition = 'fired',
): Happening {
  return effect(atMs, host, { kind: 'gossip', record: noticeRecord(host, step, transition) })
}

/** A record arrives at a host, from its signer itself. */
export function arrived(atMs: number, host: HostId, record: AnySigned): Happening {
  return { kind: 'arrived', atMs, host, from: record.signer, record }
}

/** A notice that tells of the incident `i1` of host `c`. */
export function notice(transition: Transition = 'fired'): Notice {
  return {
    mesh: 'mesh',
    transition,
    incidents: [
      {
        id: 'i1',
        aliases: [],
        host: 'c',
        hostName: 'c',
        check: '',
        fault: 'silent',
        severity: 'critical',
        sinceUnixMs: 0,
        lastedMs: 0,
        voters: [],
        observers: 2,
        alsoOn: [],
        because: '',
      },
    ],
    massDeath: false,
    toldBy: 'a',
    writtenUnixMs: 0,
  }
}

/** Waku takes a copy of the notice of incident `i1` for `phone` from a host. */
export function copy(atMs: number, host: HostId, transition: Transition = 'fired'): Happening {
  return { kind: 'copy', atMs, host, attempt: 1, recipient: 'phone', notice: notice(transition) }
}

/** The device `phone` shows a line about an incident of a host, or (`what` null) takes it as an update. */
export function shown(atMs: number, what: Shown | null, host: HostId = 'c', incident: IncidentId = 'i1'): Happening {
  return { kind: 'shown', atMs, recipient: 'phone', host, check: '', incident, shown: what }
}

/** The effect of an incident of host `c` that opened or ended. */
export function incident(atMs: number, host: HostId, rest: Partial<Incident> = {}): Happening {
  return effect(atMs, host, { kind: 'incident', incident: openIncident(rest) })
}

/** The incident `i1`: host `c` is silent, and `a` and `b` agree. `rest` replaces fields. */
export function openIncident(rest: Partial<Incident> = {}): Incident {
  return {
    id: 'i1',
    aliases: [],
    host: 'c',
    check: '',
    fault: 'silent',
    severity: 'critical',
    state: 'firing',
    life: { incarnation: 1, epoch: 0 },
    episode: 0,
    openedAtMs: 0,
    resolvedAtMs: null,
    sinceAtMs: 0,
    worsenedAtMs: null,
    sinceUnixMs: 0,
    resolvedUnixMs: null,
    voters: ['a', 'b'],
    observers: 2,
    because: '',
    outages: 1,
    ...rest,
  }
}
