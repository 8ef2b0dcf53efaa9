/**
 * Whom to dial and when: pure bookkeeping, with time and chance from outside.
 *
 * Every entry is dialled for ever while it is not connected. The wait doubles with each failure up to a cap, with
 * jitter, so that a restarted mesh does not knock in step; a connection that lasted makes it small again; a resume
 * makes it nothing, and a host that could not be reached for a while and now is brings the others forward, for the road
 * that was gone may be back for all. The host with the higher id waits a little longer than the other, so that two do not dial each
 * other at the same moment. An address without an id is an entry of its own until it is known who answers there.
 */
import type { HostId } from '@muster/protocol'
import { ADDRESSES_PER_PEER_MAX, PEER_BOOK_MAX } from './limits.ts'
import type { DiallingOptions, PeerBookEntry } from './swarm.ts'

/** The default patience. */
export const DIALLING_DEFAULT: DiallingOptions = {
  backoffMinMs: 500,
  backoffMaxMs: 30_000,
  higherIdWaitsMs: 1_000,
  stableMs: 10_000,
}

/** So many dials must have failed before an answer is news of the road: some ten seconds. */
const UNREACHED_FAILURES = 5
/** The others are dialled within this long then, and not brought forward again for as long as the next. */
const HASTEN_WITHIN_MS = 1_000
const HASTEN_EVERY_MS = 10_000

/** Somebody to dial. */
export interface Target {
  /** The host id, or the address while that is unknown. */
  readonly key: string
  readonly host: HostId | undefined
  readonly addresses: readonly string[]
}

/** The book. Times are monotonic milliseconds. */
export interface PeerBook {
  /** Replaces the entries; those that stay keep their waits. Entries above the limits are left out. */
  setEntries(entries: readonly PeerBookEntry[], nowMs: number): void
  /** Some targets whose time has come; each is taken to be dialled until `dialled` says how that went. */
  takeDue(nowMs: number, atMost: number): Target[]
  /** When the next one is due, or undefined when all are connected or being dialled. */
  nextDueMs(): number | undefined
  /** A dial of a target ended. */
  dialled(key: string, outcome: DialOutcome, nowMs: number): void
  /** A member is connected, whoever dialled. */
  connected(host: HostId, nowMs: number): void
  /** A member's last connection closed, after so long. */
  disconnected(host: HostId, connectedMs: number, nowMs: number): void
  /** Makes everything due that is not connected. */
  reset(nowMs: number): void
  /** The addresses known of a host, those included that are only known to lead to it. */
  addressesOf(host: HostId): string[]
  /**
   * Whether it is of no matter if an address answers: it is in no entry any more, a host it leads to is connected, or
   * it has led to nobody but hosts that have left.
   */
  isMoot(address: string): boolean
}

/** How a dial ended. `ourselves` is not dialled again. */
export type DialOutcome =
  | { readonly kind: 'connected'; readonly host: HostId }
  | { readonly kind: 'failed' | 'ourselves' }

interface Entry {
  readonly target: Target
  /** Who answers there: learnt, for an entry without an id. */
  answers: HostId | undefined
  failures: number
  dueMs: number
  state: 'waiting' | 'dialling' | 'ourselves'
}

/** An empty book. */
export function createPeerBook(self: HostId, random: () => number, options: DiallingOptions): PeerBook {
  let entries = new Map<string, Entry>()
  let gone: Gone = { hosts: new Set(), addresses: new Set() }
  const online = new Set<HostId>()
  let hastenedMs = Number.NEGATIVE_INFINITY

  const politeness = (host: HostId | undefined): number =>
    host !== undefined && host < self ? options.higherIdWaitsMs : 0

  const isOnline = (entry: Entry): boolean => entry.answers !== undefined && online.has(entry.answers)

  const isOfGone = ({ answers, target }: Entry): boolean =>
    answers === undefined ? target.addresses.every((address) => gone.addresses.has(address)) : gone.hosts.has(answers)

  const isWanted = (entry: Entry): boolean => entry.state === 'waiting' && !isOnline(entry)

  /** Dials all that are missing soon, once. Who is truly dead is left to its long waits again after one failure more. */
  const hasten = (nowMs: number): void => {
    if (nowMs - hastenedMs < HASTEN_EVERY_MS) return
    hastenedMs = nowMs
    for (const entry of entries.values()) {
      if (!isWanted(entry)) continue
      entry.dueMs = Math.min(entry.dueMs, nowMs + random() * HASTEN_WITHIN_MS + politeness(entry.answers))
    }
  }

  return {
    setEntries(wanted, nowMs) {
      const next = new Map<string, Entry>()
      gone = goneOf(wanted)
      for (const target of targetsOf(wanted, self)) {
        if (next.size >= PEER_BOOK_MAX) break
        const old = entries.get(target.key)
        const dueMs = nowMs + politeness(target.host)
        const isNews = old === undefined || old.target.addresses.join() !== target.addresses.join()
        next.set(target.key, {
          target,
          answers: target.host ?? (isNews ? undefined : old.answers),
          failures: isNews ? 0 : old.failures,
          dueMs: isNews ? dueMs : old.dueMs,
          state: old?.state === 'dialling' ? 'dialling' : isNews ? 'waiting' : old.state,
        })
      }
      entries = next
    },
    takeDue(nowMs, atMost) {
      const due = [...entries.values()]
        .filter((entry) => isWanted(entry) && entry.dueMs <= nowMs)
        .sort((a, b) => a.dueMs - b.dueMs)
        .slice(0, Math.max(0, atMost))
      for (const entry of due) entry.state = 'dialling'
      return due.map(({ target }) => target)
    },
    nextDueMs() {
      const waits = [...entries.values()].filter(isWanted).map(({ dueMs }) => dueMs)
      return waits.length === 0 ? undefined : Math.min(...waits)
    },
    dialled(key, outcome, nowMs) {
      const entry = entries.get(key)
      if (entry === undefined) return
      entry.state = outcome.kind === 'ourselves' ? 'ourselves' : 'waiting'
      if (outcome.kind === 'connected' && entry.target.host === undefined) entry.answers = outcome.host
      // Even a success counts until it has lasted: a peer that hangs up at once must not be dialled in a loop.
      entry.failures += 1
      entry.dueMs = nowMs + backoffMs(entry.failures, random(), options) + politeness(entry.answers)
    },
    connected(host, nowMs) {
      const wasUnreached = [...entries.values()].some(
        ({ answers, failures }) => answers === host && failures >= UNREACHED_FAILURES,
      )
      const isBack = wasUnreached && !online.has(host)
      online.add(host)
      if (isBack) hasten(nowMs)
    },
    disconnected(host, connectedMs, nowMs) {
      online.delete(host)
      for (const entry of entries.values()) {
        if (entry.answers !== host) continue
        if (connectedMs >= options.stableMs) entry.failures = 0
        entry.dueMs = nowMs + backoffMs(entry.failures, random(), options) + politeness(host)
      }
    },
    reset(nowMs) {
      for (const entry of entries.values()) {
        entry.failures = 0
        entry.dueMs = nowMs + politeness(entry.answers) * random()
      }
    },
    addressesOf: (host) =>
      [...entries.values()].flatMap(({ answers, target }) => (answers === host ? target.addresses : [])),
    isMoot(address) {
      const leading = [...entries.values()].filter(({ target }) => target.addresses.includes(address))
      return leading.some(isOnline) || leading.every(isOfGone)
    },
  }
}

/**
 * The wait after so many failures in a row, in milliseconds: min × 2^failures up to max, between half and whole of it
 * by chance. Without a failure it is a tenth of the least.
 */
export function backoffMs(
  failures: number,
  chance: number,
  { backoffMinMs, backoffMaxMs }: Pick<DiallingOptions, 'backoffMinMs' | 'backoffMaxMs'>,
): number {
  const whole =
    failures === 0 ? backoffMinMs / 10 : Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(failures - 1, 30))
  return whole * (0.5 + chance / 2)
}

/** Entries of one host are one target; an address without an id is one of its own. Ours is left out. */
function targetsOf(entries: readonly PeerBookEntry[], self: HostId): Target[] {
  const byHost = new Map<HostId, string[]>()
  const nameless = new Set<string>()
  const add = (host: HostId | undefined, address: string): void => {
    const owner = host ?? /\/p2p\/([^/]+)$/.exec(address)?.[1]
    const plain = owner === undefined ? address : withoutOwner(address)
    if (owner === undefined) nameless.add(plain)
    else if (owner !== self) byHost.set(owner, [...(byHost.get(owner) ?? []), plain])
  }
  for (const { host, addresses, hasLeft } of entries) {
    if (hasLeft === true) continue
    for (const address of addresses) add(host, address)
  }
  return [
    ...[...byHost].map(([host, addresses]) => ({
      key: host,
      host,
      addresses: [...new Set(addresses)].slice(0, ADDRESSES_PER_PEER_MAX),
    })),
    ...[...nameless].map((address) => ({ key: address, host: undefined, addresses: [address] })),
  ]
}

/** Who has left, and where they were. */
interface Gone {
  readonly hosts: ReadonlySet<HostId>
  readonly addresses: ReadonlySet<string>
}

function goneOf(entries: readonly PeerBookEntry[]): Gone {
  const left = entries.filter(({ hasLeft }) => hasLeft === true)
  return {
    hosts: new Set(left.flatMap(({ host }) => host ?? [])),
    addresses: new Set(left.flatMap(({ addresses }) => addresses.map(withoutOwner))),
  }
}

/** An address without the id at its end; what leads through a relay keeps its ids. */
function withoutOwner(address: string): string {
  return address.includes('/p2p-circuit') ? address : address.replace(/\/p2p\/[^/]+$/, '')
}
