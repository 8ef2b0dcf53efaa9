/**
 * The core: one event in, the next state and what is to be done out.
 *
 * Pure: time arrives on the event, chance comes from the state, and the world is touched by effects only. The same
 * function runs in the agent, in the simulator and in the replay of a recording.
 */
import { answerCatchUp, catchUpWhenDue, startCatchUp } from './catch-up.ts'
import { isRoutine, nextDueMs } from './due.ts'
import type { Effect } from './effect.ts'
import type { Command, Event } from './event.ts'
import type { HostId } from './ids.ts'
import { endSteadyFlapping } from './incidents/flapping.ts'
import { applyMeshRecord, forgetOldFacts, forgetOldIncidents } from './incidents/housekeeping.ts'
import { limits } from './limits.ts'
import { hear } from './membership/hearing.ts'
import { beatSoon, beatWhenDue, nextHeartbeat, sendHeartbeat } from './membership/heartbeats.ts'
import { judgeIsolation } from './membership/isolation.ts'
import { advanceClock, endQuietWhenDue, gapMs, noticeGap } from './membership/quiet.ts'
import { failProbe, watchMembers } from './membership/suspicion.ts'
import { receiveVerdict, receiveVote, weighOffers } from './membership/testimony.ts'
import {
  depart,
  endOldAttempts,
  noteAnswersWhenDue,
  noteDelivered,
  noteOutcome,
  noteWakuWorks,
  yieldTo,
} from './notifier/attempts.ts'
import { tellWhenDue } from './notifier/duties.ts'
import { expireRecords, keepRecord } from './records.ts'
import { judgeAsleepChecks } from './results/asleep-checks.ts'
import { receiveEntry, writeEntryWhenDue } from './results/log.ts'
import { configureChecks, judgeLateness, observe } from './results/own-checks.ts'
import type { Clock, State } from './state.ts'
import type { Moment } from './time.ts'
import type { MeshRecord } from './wire/records.ts'
import { beginWork, drop, nowOf, ownRecord, setMember, type Work } from './work.ts'

/** What one event led to. The effects are to be done in their order; the state already counts on all of them. */
export interface Step {
  readonly state: State
  readonly effects: readonly Effect[]
}

const NOTHING: readonly Effect[] = []

/**
 * The clock after a tick that brings nothing and only moves it; null when the tick is to be taken in full. A shell that
 * ticks thousands of times for one event may pass over such ticks, if it hands `step` the clock that it has got from them.
 */
export function passTick(state: State, at: Moment, before: Clock = state.clock): Clock | null {
  if (gapMs(before, at) > limits.ownGapMs) return null
  const clock = advanceClock(before, at, state.options)
  return clock.awakeMs < state.dueAtMs ? clock : null
}

/** What follows from one event. `before`: where ticks that were passed over have moved the clock. */
export function step(state: State, event: Event, before: Clock = state.clock): Step {
  if (event.kind === 'tick') {
    const clock = passTick(state, event.at, before)
    if (clock !== null) return { state: { ...state, clock }, effects: NOTHING }
  }
  const work = beginWork(state)
  work.state.clock = advanceClock(before, event.at, state.options)
  noticeGap(work, gapMs(before, event.at))
  take(work, event)
  if (event.kind !== 'tick' && isRoutine(state, work.state)) {
    work.state.dueAtMs = Math.min(state.dueAtMs, nowOf(work) + limits.catchUpMs)
    return { state: work.state, effects: work.effects }
  }
  if (isUrgent(event)) evaluate(work)
  work.state.dueAtMs = isUrgent(event) ? nextDueMs(work.state) : nowOf(work)
  return { state: work.state, effects: work.effects }
}

/** Events after which a duty may fall due at once; after the others the next tick is soon enough. */
function isUrgent(event: Event): boolean {
  switch (event.kind) {
    case 'tick':
    case 'sent':
    case 'probe-ended':
    case 'command':
      return true
    case 'received':
      return event.record.domain !== 'entry' && event.record.domain !== 'heartbeat'
    default:
      return false
  }
}

function take(work: Work, event: Event): void {
  switch (event.kind) {
    case 'tick':
      return
    case 'received':
      return receive(work, event)
    case 'connected':
      work.state.connected = new Set(work.state.connected).add(event.peer)
      startCatchUp(work, event.peer, 0)
      beatSoon(work)
      return
    case 'disconnected':
      work.state.connected = new Set([...work.state.connected].filter((peer) => peer !== event.peer))
      drop(work, 'catchUps', event.peer)
      return
    case 'probe-ended':
      return endProbe(work, event)
    case 'probed':
      noteFrame(work, event.from)
      work.effects.push({ kind: 'answer-probe', ask: event.ask, heartbeat: nextHeartbeat(work, event.nonce) })
      return
    case 'catch-up-asked':
      noteFrame(work, event.from)
      return answerCatchUp(work, event)
    case 'catch-up-ended':
      if (event.ok) noteFrame(work, event.peer)
      drop(work, 'catchUps', event.peer)
      // The peers have given back what they hold of this host's own log: from here on it may add to it.
      if (event.ok && work.state.catchUps.size === 0) work.state.writesFromMs = 0
      return
    case 'observed':
      return observe(work, event.results)
    case 'configured':
      return configureChecks(work, event.checks, event.spentMs)
    case 'departing':
      return depart(work, event)
    case 'sent':
      return noteOutcome(work, event)
    case 'delivered':
      noteWakuWorks(work)
      return noteDelivered(work, event)
    case 'waku-worked':
      noteWakuWorks(work)
      return
    case 'route':
      work.state.routeUp = event.up
      return
    case 'command':
      return obey(work, event.command)
    default:
      return event satisfies never
  }
}

function receive(work: Work, event: Extract<Event, { kind: 'received' }>): void {
  const { from, record, ageMs, road } = event
  noteFrame(work, from)
  switch (record.domain) {
    case 'heartbeat':
      return hear(work, record, { from, ageMs, direct: from === record.signer && road !== 'catch-up' })
    case 'vote':
      return receiveVote(work, record, ageMs)
    case 'verdict':
      return receiveVerdict(work, record, ageMs)
    case 'entry':
      return receiveEntry(work, record, from, road, ageMs)
    case 'notice':
      if (keepRecord(work, record, ageMs)) yieldTo(work, record)
      return
    case 'record':
      if (keepRecord(work, record, ageMs)) applyMeshRecord(work, record)
      return
    default:
      return record satisfies never
  }
}

/** Frames come in bursts: one within so long of another says nothing more. Milliseconds. */
const FRAME_MS = 100

/** Any authenticated frame shows that its sender is there, and that this host hears somebody. */
function noteFrame(work: Work, from: HostId): void {
  const member = work.state.members.get(from)
  if (member === undefined || nowOf(work) - member.frameAtMs < FRAME_MS) return
  setMember(work, { ...member, frameAtMs: nowOf(work) })
}

function endProbe(work: Work, event: Extract<Event, { kind: 'probe-ended' }>): void {
  const { target, nonce, answer, direct } = event
  if (answer !== null && answer.signer === target && answer.body.nonce === nonce) {
    if (direct) noteFrame(work, target)
    hear(work, answer, { from: target, ageMs: 0, direct })
    return
  }
  const member = work.state.members.get(target)
  if (member?.suspicion?.probe?.nonce === nonce) failProbe(work, member)
}

function obey(work: Work, command: Command): void {
  switch (command.kind) {
    case 'publish':
      return publish(work, command.record)
    case 'stop':
      work.state.stopping = true
      return sendHeartbeat(work)
    case 'leave':
      work.state.stopping = true
      return publish(work, { kind: 'leave', life: work.state.life })
    default:
      return command satisfies never
  }
}

function publish(work: Work, body: MeshRecord): void {
  const record = ownRecord(work.state, 'record', body)
  if (!keepRecord(work, record, 0)) return
  work.effects.push({ kind: 'gossip', record })
  applyMeshRecord(work, record)
}

/** Forgets what is old, once in a while. */
function tidyWhenDue(work: Work): void {
  if (nowOf(work) < work.state.nextTidyAtMs) return
  work.state.nextTidyAtMs = nowOf(work) + limits.tidyEveryMs
  expireRecords(work)
  forgetOldIncidents(work)
  forgetOldFacts(work)
}

/** Everything that time alone may bring about, in the order in which one thing can lead to the next. */
function evaluate(work: Work): void {
  endQuietWhenDue(work)
  judgeIsolation(work)
  // What others have concluded first: adopting it costs no message.
  weighOffers(work)
  watchMembers(work)
  endSteadyFlapping(work)
  judgeLateness(work)
  judgeAsleepChecks(work)
  writeEntryWhenDue(work)
  endOldAttempts(work)
  noteAnswersWhenDue(work)
  tellWhenDue(work)
  catchUpWhenDue(work)
  tidyWhenDue(work)
  beatWhenDue(work)
}
