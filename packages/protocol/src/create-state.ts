/** The state of a core at its start, from what its shell found on disk. */
import { judgeResult } from './incidents/check-incidents.ts'
import { CLOSED_BY_LEAVE, type Incident } from './incidents/incident.ts'
import { limits } from './limits.ts'
import { firstAttemptOf } from './membership/epoch.ts'
import { newMember } from './membership/hearing.ts'
import { isNewerBeat } from './membership/presence-class.ts'
import { isPresent } from './membership/roster.ts'
import { isWitnessed, OFFERED_MAX } from './membership/witness.ts'
import type { CoreOptions, Restored } from './options.ts'
import { restoreRecord } from './records.ts'
import { notePromise } from './results/asleep-checks.ts'
import { meshRecords } from './sorted-records.ts'
import type { Member, State } from './state.ts'
import type { Moment } from './time.ts'
import { checkIncidentId, compareLives, hostIncidentId } from './wire/names.ts'
import type { Life, Result, SignedAs } from './wire/records.ts'
import { amendMember, beginWork, put, setMember, type Work } from './work.ts'

/**
 * Makes the first state. The host judges nobody until it has heard one full period and caught up once; whom it
 * remembers and does not hear, it judges from this moment on.
 */
export function createState(options: CoreOptions, restored: Restored, at: Moment): State {
  const work = beginWork(emptyState(options, restored, at))
  for (const { record, ageMs } of restored.carried) {
    if (record.domain !== 'heartbeat') restoreRecord(work, record, ageMs)
  }
  restoreResults(work, restored)
  for (const { signer, body } of meshRecords(work.state, 'member')) {
    if (signer !== options.self) setMember(work, { ...memberFor(work, signer), profile: body })
  }
  for (const { record } of work.state.records.values()) if (record.domain === 'verdict') noteEvidence(work, record)
  for (const incident of restored.incidents) noteReturn(work, incident)
  for (const { record, ageMs } of restored.carried) {
    if (record.domain === 'heartbeat') restoreHeard(work, record, ageMs)
  }
  // Last of these: whoever is known to have lived on since its goodbye has not left.
  for (const { signer, body } of meshRecords(work.state, 'leave')) {
    const member = memberFor(work, signer)
    if (signer !== options.self && compareLives(body.life, member.life) >= 0) {
      setMember(work, { ...member, state: 'left', life: body.life })
    }
  }
  const ended = restored.incidents.filter(({ state }) => state === 'resolved')
  const open = restored.incidents.filter(({ state }) => state === 'firing')
  for (const incident of [...ended.slice(-limits.incidents), ...open]) restoreIncident(work, incident)
  reopenLost(work)
  for (const { record } of work.state.records.values()) if (record.domain === 'verdict') offerAgain(work, record)
  return work.state
}

function emptyState(options: CoreOptions, restored: Restored, at: Moment): State {
  const alone = options.presence.everyMs
  return {
    options,
    clock: { ...at, awakeMs: 0, elapsedMs: 0 },
    prng: options.seed | 0,
    life: { incarnation: restored.incarnation, epoch: 0 },
    beat: 0,
    nextBeatAtMs: 0,
    lastBeatAtMs: Number.NEGATIVE_INFINITY,
    stopping: false,
    lastWakuAtMs: null,
    wakuRefusals: 0,
    wakuRestsUntilMs: 0,
    routeUp: true,
    members: new Map(),
    roster: [options.self],
    connected: new Set(),
    quiet: { sinceMs: 0, untilMs: alone, rounds: 1, inRound: false },
    isolatedSinceMs: null,
    isolated: false,
    checks: new Map(),
    gathered: [],
    gatheredSinceMs: 0,
    writesFromMs: limits.ownLogWaitMs,
    raises: { sinceMs: Number.NEGATIVE_INFINITY, count: 0 },
    retired: [],
    heads: new Map(Object.entries(restored.heads)),
    results: new Map(),
    promises: new Map(),
    records: new Map(),
    sets: [0, 0],
    incidents: new Map(),
    facts: new Map(),
    settled: new Map(),
    duties: new Map(),
    attempts: new Map(),
    answers: new Map(),
    nextAttempt: firstAttemptOf(restored),
    catchUps: new Map(),
    caughtUpAtMs: new Map(),
    nextRoundAtMs: limits.catchUpEveryMs,
    nextTidyAtMs: limits.tidyEveryMs,
    dueAtMs: 0,
  }
}

function memberFor(work: Work, host: string): Member {
  return work.state.members.get(host) ?? newMember(host, 0, work.state.clock.unixMs)
}

function restoreResults(work: Work, { entries }: Restored): void {
  for (const { record, ageMs } of entries) {
    const { signer, body } = record
    const results = new Map<string, Result>(work.state.results.get(signer) ?? [])
    for (const result of body.results) results.set(result.check, result)
    for (const name of body.retired) results.delete(name)
    put(work, 'results', signer, results)
    for (const result of body.results) notePromise(work, record, result, ageMs)
    if (signer === work.state.options.self) continue
    const member = memberFor(work, signer)
    setMember(work, { ...member, life: laterLife(member.life, body.life) })
  }
}

/** What a host signed in a life shows that it had it, also where only a verdict carries it. */
function noteEvidence(work: Work, { body: { subject, evidence } }: SignedAs<'verdict'>): void {
  if (evidence === null || evidence.signer !== subject || subject === work.state.options.self) return
  const member = memberFor(work, subject)
  setMember(work, { ...member, life: laterLife(member.life, evidence.body.life) })
}

/**
 * A host incident that has ended shows that its host lived on, though it may have written nothing since: a verdict on the
 * life that was told must not name its next death. One that a goodbye closed shows nothing.
 */
function noteReturn(work: Work, { host, state, life, fault, because }: Incident): void {
  if (life === null || state !== 'resolved' || fault === 'check' || because === CLOSED_BY_LEAVE) return
  if (host === work.state.options.self) return
  const member = memberFor(work, host)
  const least = { incarnation: life.incarnation, epoch: life.epoch + 1 }
  setMember(work, { ...member, life: laterLife(member.life, least) })
}

/** Power may go between a bad result and its incident: the result is on disk, and nobody will send it again. */
function reopenLost(work: Work): void {
  const { mesh } = work.state.options
  for (const [host, results] of work.state.results) {
    for (const result of results.values()) {
      // Nearly all are well, and the name of an incident takes a hash.
      if (result.status === 'ok') continue
      const isKnown = work.state.incidents.has(checkIncidentId(mesh, host, result.check, result.episode))
      if (!isKnown) judgeResult(work, host, result)
    }
  }
}

/** A verdict of others that was kept and not yet adopted waits to be weighed again: no peer sends what we hold. */
function offerAgain(work: Work, verdict: SignedAs<'verdict'>): void {
  const { body, signer } = verdict
  const member = work.state.members.get(body.subject)
  if (member === undefined || !isPresent(member) || signer === work.state.options.self) return
  if (body.alone || !isWitnessed(verdict) || compareLives(body.life, member.life) < 0) return
  amendMember(work, member.host, { offered: [...member.offered, verdict].slice(-OFFERED_MAX) })
}

/**
 * A heartbeat that was kept: a host said with it that it is stopping, or came back. Who is stopping is missed when its time
 * is over, and not before it had a period to be heard in; anybody else is watched from this start.
 */
function restoreHeard(work: Work, heartbeat: SignedAs<'heartbeat'>, ageMs: number): void {
  const { signer, body } = heartbeat
  const member = memberFor(work, signer)
  if (signer === work.state.options.self || compareLives(body.life, member.life) < 0) return
  if (!isNewerBeat(body, member.heartbeat?.body)) return
  const isStopping = body.mode === 'stopping'
  const agoMs = isStopping ? Math.min(ageMs, Math.max(0, body.restartMs - body.everyMs - body.graceMs)) : 0
  setMember(work, {
    ...member,
    heartbeat,
    life: body.life,
    heardAtMs: work.state.clock.awakeMs - agoMs,
    heardUnixMs: work.state.clock.unixMs - ageMs,
  })
}

function laterLife(a: Life, b: Life): Life {
  return compareLives(a, b) >= 0 ? a : b
}

/** An incident that was open when this host stopped goes on, unless its end is already known. */
function restoreIncident(work: Work, kept: Incident): void {
  const { unixMs } = work.state.clock
  // The awake clock begins anew: only the wall clock knows how long ago it was.
  const incident: Incident = {
    ...kept,
    openedAtMs: 0,
    sinceAtMs: Math.min(0, kept.sinceUnixMs - (kept.resolvedUnixMs ?? unixMs)),
    resolvedAtMs: kept.resolvedAtMs === null ? null : 0,
    worsenedAtMs: null,
  }
  // Who has said goodbye has no checks to be told of.
  const hasLeft = work.state.members.get(incident.host)?.state === 'left'
  if (incident.state === 'firing' && hasLeft) {
    const ended = {
      state: 'resolved',
      resolvedAtMs: 0,
      resolvedUnixMs: Math.round(unixMs),
      because: CLOSED_BY_LEAVE,
    } as const
    put(work, 'incidents', incident.id, { ...incident, ...ended })
    return
  }
  if (incident.state === 'resolved' || incident.life === null) {
    put(work, 'incidents', incident.id, incident)
    return
  }
  const verdict = newestVerdict(work, incident)
  const member = work.state.members.get(incident.host)
  const returned = member !== undefined && compareLives(member.life, incident.life) > 0
  // A flapping host may be back and its incident still be open: it ends when the host has been steady.
  if (returned && incident.fault === 'flapping') {
    put(work, 'incidents', incident.id, incident)
    return
  }
  if (incident.host === work.state.options.self || returned || verdict === null) {
    put(work, 'incidents', incident.id, {
      ...incident,
      state: 'resolved',
      resolvedAtMs: 0,
      resolvedUnixMs: Math.round(work.state.clock.unixMs),
    })
    return
  }
  put(work, 'incidents', incident.id, incident)
  setMember(work, {
    ...memberFor(work, incident.host),
    state: verdict.body.fault === 'asleep' ? 'asleep' : 'silent',
    life: verdict.body.life,
    verdict,
  })
}

/** The verdict on the newest life that the incident is about. */
function newestVerdict(work: Work, incident: Incident): SignedAs<'verdict'> | null {
  let newest: SignedAs<'verdict'> | null = null
  const ids = new Set([incident.id, ...incident.aliases])
  for (const { record } of work.state.records.values()) {
    if (record.domain !== 'verdict' || record.body.subject !== incident.host) continue
    if (!ids.has(hostIncidentId(work.state.options.mesh, incident.host, record.body.life))) continue
    if (newest === null || compareLives(record.body.life, newest.body.life) > 0) newest = record
  }
  return newest
}
