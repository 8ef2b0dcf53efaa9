/**
 * The order in which effects are performed: what a host says of others is on its disk first, and the core need not wait
 * for the disk.
 *
 * What is to be kept goes to the disk at once, in its order, and what waits meanwhile shares an fsync. What is to be
 * sent waits until all that was to be kept before it is on disk, and for what was to be sent before it. So on a disk
 * that takes seconds for an fsync the host hears and judges as ever, and what it says is late: to its peers that is the
 * same as a slow network. Two things do not wait: that the host is there (a heartbeat, whose riders may tell of a claim
 * that is being written), and a notice that has waited long enough. When more waits than memory should hold, or the disk
 * hangs, no more events are taken in. Then the host is not awake: its peers miss it, and its core finds that out by itself.
 */
import type { Effect, Moment } from '@muster/protocol'

/** Effects that may wait for the disk. Each holds a record of 64 KiB at most, and most hold 1 kB. */
const WAITING_MAX = 1_000
/**
 * How long a notice waits for what was to be kept before it, its own claim above all, milliseconds. A disk that takes
 * longer is worth no more than one that fails: it costs history, never a notice.
 */
export const DEPART_WAIT_MS = 300
/** A disk that has not ended a write for so long hangs. Then this host had better be missed. Milliseconds. */
const HANGS_MS = 60_000
/** Records written together: the driver takes 16 MiB at once. */
const GROUP_MAX = 100

/** Neighbours among these may be under way together, for the disk has each kind of them in its order. */
const SHARED_WRITES: ReadonlySet<Effect['kind']> = new Set([
  'keep-entry',
  'keep-record',
  'drop-record',
  'keep-check-time',
  'incident',
])
/** A life has the disk for itself: all that comes after it belongs to it. */
const WRITES: ReadonlySet<Effect['kind']> = new Set([...SHARED_WRITES, 'keep-life'])

/** How a host shows that it is there, and asks whether another is. */
const PRESENCE: ReadonlySet<Effect['kind']> = new Set(['send-heartbeat', 'probe', 'answer-probe'])

/** Performs the effects of one core. */
export interface EffectOrder {
  /** Takes the effects of one event, in their order, and the moment that the core saw. */
  take(effects: readonly Effect[], at: Moment): void
  /** Null while the disk keeps up; else resolves when all that waits has been performed. */
  behind(): Promise<void> | null
  /** Resolves when all that was taken has been performed. */
  settled(): Promise<void>
}

/** What performing needs: hands, a clock, and who is told of a failure. */
export interface EffectOrderDeps {
  readonly now: () => Moment
  /** Performs one effect, which was decided at a moment. A promise is that of what is kept. */
  readonly perform: (effect: Effect, decidedAt: Moment) => Promise<void> | undefined
  readonly onFailed: (effect: Effect, error: unknown) => void
}

interface Taken {
  readonly effect: Effect
  readonly at: Moment
}

/** Makes the order of one core's effects. */
export function createEffectOrder(deps: EffectOrderDeps): EffectOrder {
  /** To be written, and under way. */
  const writes: Taken[] = []
  /** To be sent once as many writes were done as had been taken before it. */
  const sends: (Taken & { readonly after: number })[] = []
  let taken = 0
  let done = 0
  let writing: Promise<void> | null = null
  let waiters: readonly { readonly after: number; readonly resolve: () => void }[] = []

  /** One effect that fails costs itself, not what follows it. */
  async function perform({ effect, at }: Taken): Promise<void> {
    try {
      await deps.perform(effect, at)
    } catch (error) {
      deps.onFailed(effect, error)
    }
  }

  async function writeAll(): Promise<void> {
    while (writes.length > 0) {
      const group = writes.slice(0, groupLength(writes))
      await Promise.all(group.map(perform))
      writes.splice(0, group.length)
      done += group.length
      sendReady()
      for (const { after, resolve } of waiters) if (after <= done) resolve()
      waiters = waiters.filter(({ after }) => after > done)
    }
    writing = null
  }

  function sendReady(): void {
    for (let next = sends[0]; next !== undefined && next.after <= done; next = sends[0]) {
      sends.shift()
      void perform(next)
    }
  }

  /** A notice that has waited long enough for the disk leaves without it: late, it would be told by nobody. */
  function departNow(effect: Effect): void {
    const index = sends.findIndex((send) => send.effect === effect)
    const [due] = index === -1 ? [] : sends.splice(index, 1)
    if (due !== undefined) void perform(due)
  }

  /**
   * What need not wait. A notice is only made ready: it leaves by `depart`. A heartbeat, a probe and its answer say no more
   * than that this host is there in its present life, and that life must be on disk; late by two slow fsyncs, they would
   * make a death of a host that lives.
   */
  function isFree(effect: Effect): boolean {
    if (effect.kind === 'send-notice') return true
    return PRESENCE.has(effect.kind) && !writes.some((write) => write.effect.kind === 'keep-life')
  }

  return {
    take(effects, at) {
      const free: Taken[] = []
      for (const effect of effects) {
        if (WRITES.has(effect.kind)) {
          writes.push({ effect, at })
          taken += 1
        } else if (writes.length > 0 && isFree(effect)) free.push({ effect, at })
        else {
          sends.push({ effect, at, after: taken })
          if (effect.kind === 'depart') setTimeout(() => departNow(effect), DEPART_WAIT_MS).unref()
        }
      }
      sendReady()
      if (writes.length > 0) writing ??= writeAll()
      for (const each of free) void perform(each)
    },
    behind() {
      const [first] = writes
      if (first === undefined) return null
      const hangs = lateMs(first.at, deps.now()) > HANGS_MS
      return hangs || writes.length + sends.length > WAITING_MAX ? writing : null
    },
    settled() {
      if (done >= taken) return Promise.resolve()
      return new Promise((resolve) => {
        waiters = [...waiters, { after: taken, resolve }]
      })
    },
  }
}

/** How many of the first writes may be under way together. */
function groupLength(writes: readonly Taken[]): number {
  const end = writes.slice(0, GROUP_MAX).findIndex(({ effect }) => !SHARED_WRITES.has(effect.kind))
  return end === -1 ? Math.min(writes.length, GROUP_MAX) : Math.max(1, end)
}

/** How long ago something was decided, a sleep of the machine included. Milliseconds. */
export function lateMs(decidedAt: Moment, now: Moment): number {
  return Math.max(0, now.monotonicMs - decidedAt.monotonicMs, now.bootMs - decidedAt.bootMs)
}
