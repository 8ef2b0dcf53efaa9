/** This host's own answer to the roll: when, to whom, and what rides along. */
import type { Carried } from '../effect.ts'
import type { HostId } from '../ids.ts'
import { limits } from '../limits.ts'
import { newestNoticeMs } from '../sorted-records.ts'
import type { SignedAs } from '../wire/records.ts'
import { holds, nowOf, ownRecord, type Work } from '../work.ts'
import { observersOf } from './observers.ts'

/** Sends a heartbeat when it is due. */
export function beatWhenDue(work: Work): void {
  if (nowOf(work) >= work.state.nextBeatAtMs) sendHeartbeat(work)
}

/** Between two heartbeats out of turn. Milliseconds: much happening at once is told at once. */
const BEAT_PAUSE_MS = 1_000

/** Makes the next heartbeat due at once: something happened that others should learn soon. */
export function beatSoon(work: Work): void {
  const { state } = work
  const soonestMs = state.lastBeatAtMs + Math.min(BEAT_PAUSE_MS, state.options.presence.everyMs / 4)
  state.nextBeatAtMs = Math.min(state.nextBeatAtMs, Math.max(nowOf(work), soonestMs))
}

/** Sends a heartbeat now, to the observers and to those declared missing (who may hear us and answer). */
export function sendHeartbeat(work: Work): void {
  const { state } = work
  const heartbeat = nextHeartbeat(work, null)
  state.lastBeatAtMs = nowOf(work)
  state.nextBeatAtMs = nowOf(work) + state.options.presence.everyMs
  const to = new Set<HostId>(heartbeat.body.observers)
  let missing = 0
  for (const member of state.members.values()) {
    const gone = member.state === 'silent' || member.state === 'asleep' || member.heartbeat?.body.mode === 'stopping'
    if (gone && missing < limits.observers) {
      to.add(member.host)
      missing += 1
    }
  }
  const riders = ridersOf(work)
  const all = [...to]
  const behind = riders.length === 0 ? [] : all.filter((host) => !holdsTheSame(work, host))
  const level = riders.length === 0 ? all : all.filter((host) => !behind.includes(host))
  if (level.length > 0) work.effects.push({ kind: 'send-heartbeat', to: level, heartbeat, riders: [] })
  if (behind.length > 0) work.effects.push({ kind: 'send-heartbeat', to: behind, heartbeat, riders })
}

/** Makes the next heartbeat of this host; `nonce` is that of the probe which it answers. */
export function nextHeartbeat(work: Work, nonce: string | null): SignedAs<'heartbeat'> {
  const { state } = work
  const { options, lastWakuAtMs, clock } = state
  state.beat += 1
  return ownRecord(state, 'heartbeat', {
    life: state.life,
    beat: state.beat,
    everyMs: options.presence.everyMs,
    graceMs: options.presence.graceMs,
    sleeps: options.presence.sleeps,
    mode: state.stopping ? 'stopping' : 'up',
    restartMs: options.presence.restartMs,
    head: state.heads.get(options.self) ?? null,
    observers: observersOf(state, options.self),
    wakuAgeMs: lastWakuAtMs === null ? null : Math.round(clock.awakeMs - lastWakuAtMs),
    sets: setsText(state.sets),
    nonce,
  })
}

/** Texts of hashes. A memo: it goes with the pair of words, which is another one for another set. */
const texts = new WeakMap<readonly [number, number], string>()

/** The hash over the mergeable sets, as text. */
export function setsText(sets: readonly [number, number]): string {
  const known = texts.get(sets)
  if (known !== undefined) return known
  const text = sets.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  texts.set(sets, text)
  return text
}

/** The notice records learnt lately: gossip may have lost them, and a heartbeat passes them on. */
function ridersOf(work: Work): readonly Carried[] {
  if (!holds(work.state, 'merged-log') || nowOf(work) - newestNoticeMs(work.state) > limits.ridingMs) return NO_RIDERS
  const riders: Carried[] = []
  for (const held of work.state.records.values()) {
    if (held.record.domain !== 'notice' || nowOf(work) - held.learntAtMs > limits.ridingMs) continue
    riders.push({ record: held.record, ageMs: Math.max(0, Math.round(work.state.clock.elapsedMs - held.bornAtMs)) })
  }
  let ids = 0
  return riders.slice(-limits.riders).filter(({ record }) => {
    ids += record.domain === 'notice' ? record.body.incidents.length : 1
    return ids <= limits.riderIds
  })
}

const NO_RIDERS: readonly Carried[] = []

/** A member that announces the same sets as ours lacks nothing. */
function holdsTheSame(work: Work, host: HostId): boolean {
  return work.state.members.get(host)?.heartbeat?.body.sets === setsText(work.state.sets)
}
