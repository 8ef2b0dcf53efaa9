/** What a person sees of a mesh in which hosts die and return, and how that differs from what is to be seen. */
import type { Pushed } from '../bench/stock-receiver.ts'

/** One death and all that belongs to it. On the monotonic clock of this process. */
export interface Death {
  readonly name: string
  readonly fromMs: number
  /** The host ran and was cut off: it may tell by itself that it was, and others what it could not hear of. */
  readonly isParted: boolean
  /** When its time was over: what is told of the host until then belongs to this death. Null while it goes on. */
  untilMs: number | null
  /** What was done to the host had no effect: nothing is to be seen of it. */
  isVoid: boolean
}

/** A notice as it came in, perhaps from several nodes. */
export type Seen = Pick<Pushed, 'hash' | 'transition' | 'incidents' | 'toldBy' | 'atMs'>

/** Counts, with a line for each that should be 0. */
export interface Tally {
  /** Deaths whose time is over. */
  readonly deaths: number
  /** Notices that a host is silent which was neither dead nor cut off. */
  readonly falseNotices: number
  /** Deaths that nobody told of. */
  readonly missedNotices: number
  /** Notices of a death beyond the first. */
  readonly seenTwice: number
  /** Deaths that were told of and whose end was not seen exactly once, and ends of what had not begun. */
  readonly recoveriesNotOnce: number
  /** Messages that both sides of a cut sent about the same, by its id: a receiver shows them once. */
  readonly copiesFolded: number
  /** Notices on checks. A machine that is busy sets some off: they are counted and not judged. */
  readonly ofChecks: number
  /** From each death to its notice, seconds. */
  readonly seconds: readonly number[]
  /** What was wrong, for a person. */
  readonly wrong: readonly string[]
}

/** One incident within one message. */
interface Mention {
  readonly kind: 'fired' | 'resolved' | 'update'
  readonly hostName: string
  readonly names: readonly string[]
  readonly atMs: number
  readonly text: string
}

/**
 * Compares what was seen with the deaths. The same message from two nodes is seen once: it is the same by its hash. A copy
 * that was sealed anew, as a second teller makes one, is seen again, also by a receiver that would fold it: while nobody
 * who could tell dies or is cut off, one message is what there is to be. Only what a cut explains is folded, as
 * `docs/waku.md` asks it of receivers.
 */
export function tallyOf(deaths: readonly Death[], seen: readonly Seen[]): Tally {
  const messages = [...new Map(seen.toReversed().map((each) => [each.hash, each])).values()]
  const mentions = messages.flatMap(mentionsOf).toSorted((a, b) => a.atMs - b.atMs)
  const strays = mentions.filter(({ hostName, atMs }) => !deaths.some((death) => isOf(death, hostName, atMs)))
  const wrong = strays.map(({ hostName, text }) => `${hostName}: ${text}, without a death`)
  const strayEnds = strays.filter(({ kind }) => kind === 'resolved').length
  const counts = { missedNotices: 0, seenTwice: 0, recoveriesNotOnce: strayEnds, copiesFolded: 0 }
  const seconds: number[] = []

  for (const death of deaths) {
    const { name, fromMs, untilMs, isVoid } = death
    const about = mentions.filter(({ hostName, atMs }) => isOf(death, hostName, atMs))
    const shownOf = (kind: Mention['kind']): readonly Mention[] => {
      const all = about.filter((each) => each.kind === kind)
      const shown = death.isParted ? withoutCopies(all) : all
      counts.copiesFolded += all.length - shown.length
      return shown
    }
    const fired = shownOf('fired')
    const resolved = shownOf('resolved')
    const texts = (those: readonly Mention[]): string =>
      those.map(({ text, atMs }) => `${text} after ${((atMs - fromMs) / 1_000).toFixed(1)} s`).join(', ')
    const [first] = fired
    if (first !== undefined) seconds.push((first.atMs - fromMs) / 1_000)
    if (fired.length > 1) {
      counts.seenTwice += fired.length - 1
      wrong.push(`${name}: its death was seen ${fired.length} times: ${texts(fired)}`)
    }
    if (resolved.length > 1 || (untilMs !== null && resolved.length !== Math.min(1, fired.length))) {
      counts.recoveriesNotOnce += 1
      wrong.push(`${name}: its return was seen ${resolved.length} times ${texts(resolved)}`.trimEnd())
    }
    if (untilMs === null || isVoid || fired.length > 0) continue
    counts.missedNotices += 1
    wrong.push(`${name}: its death was not seen`)
  }
  return {
    deaths: deaths.filter(({ untilMs, isVoid }) => untilMs !== null && !isVoid).length,
    falseNotices: strays.length - strayEnds,
    ...counts,
    ofChecks: messages.flatMap(({ incidents }) => incidents).filter(({ check }) => check !== '').length,
    seconds,
    wrong,
  }
}

function mentionsOf({ transition, incidents, toldBy, atMs }: Seen): readonly Mention[] {
  return incidents
    .filter(({ check }) => check === '')
    .map(({ hostName, id, aliases, fault }) => ({
      kind: transition === 'fired' || transition === 'resolved' ? transition : 'update',
      hostName,
      names: [id, ...aliases],
      atMs,
      text: `${transition} ${fault} by ${toldBy}`,
    }))
}

/** The same incident in the same transition is shown once, under whichever of its names. */
function withoutCopies(mentions: readonly Mention[]): readonly Mention[] {
  return mentions.filter(
    ({ names }, index) =>
      !mentions.slice(0, index).some((earlier) => earlier.names.some((name) => names.includes(name))),
  )
}

/** A death that had no effect explains no notice. */
function isOf({ name, fromMs, untilMs, isVoid }: Death, hostName: string, atMs: number): boolean {
  return !isVoid && name === hostName && atMs >= fromMs && (untilMs === null || atMs < untilMs)
}
