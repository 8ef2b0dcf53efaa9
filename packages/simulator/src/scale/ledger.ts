/** Who sent how many bytes and messages of which kind, kept in sums that can be taken at any time. */

/** What bytes are spent on. */
export const TRAFFIC = [
  'heartbeats',
  'entries',
  'votes',
  'verdicts',
  'notices',
  'records',
  'answers',
  'probes',
  'digests',
  'catch-up',
  'gossip control',
  'connections',
] as const
/** One of these kinds. */
export type Traffic = (typeof TRAFFIC)[number]

/** Bytes and messages sent by each host, by kind, since the last time that they were taken. */
export interface Taken {
  readonly bytes: Readonly<Record<Traffic, Float64Array>>
  readonly messages: Readonly<Record<Traffic, Float64Array>>
}

/** Counts what hosts send. Hosts are numbers from 0. */
export interface Ledger {
  readonly add: (host: number, kind: Traffic, bytes: number, messages?: number) => void
  /** What was counted since the last call, which begins a new count. */
  readonly take: () => Taken
}

/** Makes an empty ledger for `size` hosts. */
export function createLedger(size: number): Ledger {
  const empty = (): Record<Traffic, Float64Array> =>
    Object.fromEntries(TRAFFIC.map((kind) => [kind, new Float64Array(size)])) as Record<Traffic, Float64Array>
  let bytes = empty()
  let messages = empty()
  return {
    add: (host, kind, sent, count = 1) => {
      bytes[kind][host] = (bytes[kind][host] ?? 0) + sent
      messages[kind][host] = (messages[kind][host] ?? 0) + count
    },
    take: () => {
      const taken = { bytes, messages }
      bytes = empty()
      messages = empty()
      return taken
    },
  }
}
