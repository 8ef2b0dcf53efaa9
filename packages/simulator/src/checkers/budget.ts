/** I13: what an agent puts on the wire. The budget is that of docs/adr/0009. */
import type { HostId } from '@muster/protocol'
import { type Checker, type Surroundings, watching } from './checker.ts'

/** The window of I13, and how the world sums bytes up. */
const WINDOW_MS = 60_000
/** 1.5 kB/s at N = 10 in the default class (every 10 s). */
const BYTES_PER_SECOND = 1_500
const AT_PEERS = 9
const AT_EVERY_MS = 10_000
/** Catch-up rounds and entries cost even the smallest mesh something. */
const FIXED_SHARE = 0.35
const BYTES_PER_INCIDENT_AND_PEER = 10_000
/** A claim and a receipt are per recipient: each beyond the first costs this. */
const BYTES_PER_FURTHER_RECIPIENT = 2_000
/** A claim that nobody on Waku took, and its release, as each agent passes them on. */
const BYTES_PER_RELEASE = 1_200
/** Who starts is beaten to at once by everybody, and asks for what it missed: this much of each. */
const BYTES_PER_START_AND_PEER = 600
/** An entry, and a verdict or a line of the notice log, that a host pulls which was away when they were made. */
const BYTES_PER_MISSED_ENTRY = 600
const BYTES_PER_MISSED_RECORD = 1_500
/** What is kept at an age beyond that was missed: a round of catch-up each 30 s brings what was only late. */
const MISSED_MS = 30_000

/** What happened that costs bytes beyond the roll itself. */
export interface Trouble {
  /** Distinct incidents and suspicions, reminders included. */
  readonly incidents: number
  /** Distinct pairs of incident and recipient told, beyond one for each incident. */
  readonly furtherRecipients: number
  /** Claims that were given back. */
  readonly releases: number
  /** Hosts that started. */
  readonly starts: number
  /** Entries and records that hosts took in long after these were made, each counted once for each of these hosts. */
  readonly missedEntries: number
  readonly missedRecords: number
}

const NO_TROUBLE: Trouble = {
  incidents: 0,
  furtherRecipients: 0,
  releases: 0,
  starts: 0,
  missedEntries: 0,
  missedRecords: 0,
}

/** Bytes that an agent may send within 60 s: a fixed part, and one for each peer and beat. */
export function budgetBytes(peers: number, everyMs: number, trouble: Partial<Trouble> = {}): number {
  const { incidents, furtherRecipients, releases, starts, missedEntries, missedRecords } = { ...NO_TROUBLE, ...trouble }
  const share = FIXED_SHARE + (1 - FIXED_SHARE) * (peers / AT_PEERS) * (AT_EVERY_MS / everyMs)
  const perPeer =
    BYTES_PER_INCIDENT_AND_PEER * incidents +
    BYTES_PER_FURTHER_RECIPIENT * furtherRecipients +
    BYTES_PER_START_AND_PEER * starts
  const missed = BYTES_PER_MISSED_ENTRY * missedEntries + BYTES_PER_MISSED_RECORD * missedRecords
  return (WINDOW_MS / 1_000) * BYTES_PER_SECOND * share + perPeer * peers + BYTES_PER_RELEASE * releases + missed
}

/** Checks I13. */
export function checkBudget({ hosts, exercise, report }: Surroundings): Checker {
  const sent = new Map<HostId, { readonly atMs: number; readonly bytes: number }[]>()
  const troubled = createWindow(3 * WINDOW_MS)
  const told = createWindow(3 * WINDOW_MS)
  const releases = createWindow(WINDOW_MS)
  const starts = createWindow(WINDOW_MS)
  // A catch-up may begin before the window and end in it.
  const missedEntries = createWindow(2 * WINDOW_MS)
  const missedRecords = createWindow(2 * WINDOW_MS)
  // While it lasts an incident costs too: its verdict answers each heartbeat of the life that it ended.
  const open = new Set<string>()
  const peers = hosts.length - 1
  const everyMs = Math.min(...hosts.map(({ presence }) => presence.everyMs))
  return watching(['effect', 'bytes', 'mode'], (happening) => {
    const { atMs } = happening
    if (happening.kind === 'mode') {
      if (happening.cause === 'start') starts.add(atMs, `${happening.host} ${atMs}`)
      return
    }
    if (happening.kind === 'effect') {
      const { effect } = happening
      if (effect.kind === 'incident') {
        const { id, aliases, state } = effect.incident
        troubled.add(atMs, id)
        if (state === 'firing') open.add(id)
        else open.delete(id)
        for (const alias of aliases) open.delete(alias)
      }
      // A reminder costs as its incident did.
      if (effect.kind === 'gossip' && effect.record.domain === 'notice') {
        const { incidents, recipient } = effect.record.body
        for (const id of incidents) {
          troubled.add(atMs, id)
          told.add(atMs, `${id} ${recipient}`)
        }
        if (effect.record.body.step === 'release') releases.add(atMs, `${atMs} ${releases.count()}`)
      }
      if (effect.kind === 'gossip' && effect.record.domain === 'vote') {
        troubled.add(atMs, `suspicion of ${effect.record.body.subject}`)
      }
      if (effect.kind === 'keep-entry' && effect.ageMs > MISSED_MS) {
        missedEntries.add(atMs, `${happening.host} ${effect.entry.signer} ${effect.head.cid}`)
      }
      if (effect.kind === 'keep-record' && effect.ageMs > MISSED_MS) {
        missedRecords.add(atMs, `${happening.host} ${effect.id}`)
      }
      return
    }
    exercise('I13')
    const { host, bytes } = happening
    const recent = (sent.get(host) ?? []).filter((one) => one.atMs > atMs - WINDOW_MS)
    recent.push({ atMs, bytes })
    sent.set(host, recent)
    const sum = recent.reduce((total, one) => total + one.bytes, 0)
    // The usual case first: what the roll alone may cost needs no look at the troubles.
    if (sum <= budgetBytes(peers, everyMs)) return
    for (const window of [troubled, told, releases, starts, missedEntries, missedRecords]) window.forget(atMs)
    let incidents = troubled.count()
    for (const id of open) if (!troubled.has(id)) incidents += 1
    const furtherRecipients = Math.max(0, told.count() - incidents)
    const budget = budgetBytes(peers, everyMs, {
      incidents,
      furtherRecipients,
      releases: releases.count(),
      starts: starts.count(),
      missedEntries: missedEntries.count(),
      missedRecords: missedRecords.count(),
    })
    if (sum <= budget) return
    report({
      invariant: 'I13',
      atMs,
      hosts: [host],
      text: `${host} sent ${Math.round(sum / 1_000)} kB within 60 s, ${Math.round(budget / 1_000)} kB are allowed (${peers} peers, ${incidents} incidents)`,
    })
  })
}

/** The different things that were named within a time. */
interface Window {
  readonly add: (atMs: number, name: string) => void
  /** Forgets what was named too long before `nowMs`. */
  readonly forget: (nowMs: number) => void
  readonly has: (name: string) => boolean
  readonly count: () => number
}

/** Counts as it goes: in a mesh in trouble thousands of things are named, and the sums are asked for every few seconds. */
function createWindow(forMs: number): Window {
  const named: { readonly atMs: number; readonly name: string }[] = []
  const times = new Map<string, number>()
  let forgotten = 0
  return {
    add: (atMs, name) => {
      named.push({ atMs, name })
      times.set(name, (times.get(name) ?? 0) + 1)
    },
    forget: (nowMs) => {
      for (; forgotten < named.length; forgotten += 1) {
        const { atMs, name } = named[forgotten] ?? { atMs: nowMs, name: '' }
        if (atMs >= nowMs - forMs) return
        const left = (times.get(name) ?? 0) - 1
        if (left > 0) times.set(name, left)
        else times.delete(name)
      }
    },
    has: (name) => times.has(name),
    count: () => times.size,
  }
}
