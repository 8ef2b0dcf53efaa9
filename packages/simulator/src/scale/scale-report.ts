/** What a run of a large mesh found, in lines for a person. */
import { TRAFFIC, type Traffic } from './ledger.ts'
import { percentile } from './percentile.ts'
import type { Death, Rates, ScaleResult } from './scale.ts'

/** Kinds of events that are listed: the costliest. */
const STEPS_LISTED = 8

/** The lines to print after a run. */
export function formatScale(result: ScaleResult): string[] {
  const { hosts, checks, connections, steady, afterDeath, deaths } = result
  return [
    `${hosts} hosts with ${checks} checks each, seed ${result.seed}: ${Math.round(result.virtualMs / 1_000)} virtual seconds`,
    ...(result.settled ? [] : ['THE MESH HAD NOT SETTLED when it was measured']),
    `connections of an agent: ${connections.mean.toFixed(1)} on average, ${connections.max} at most`,
    '',
    `${'sent by an agent, a second'.padEnd(28)}at rest: bytes   messages   after a death: bytes   messages`,
    ...TRAFFIC.map((kind) => rateLine(kind, steady, afterDeath)),
    totalLine(steady, afterDeath),
    `at rest, bytes a second: median ${whole(steady.medianBytes)}, p99 ${whole(steady.p99Bytes)}, most ${whole(steady.maxBytes)}`,
    '',
    `${'seconds from the loss of power'.padEnd(34)}median      max`,
    ...(
      [
        ['first verdict', 'firstMs'],
        ['half of the survivors know', 'halfMs'],
        ['every survivor knows', 'lastMs'],
        ['notice at the device', 'toldMs'],
      ] as const
    ).map(([text, field]) => deathLine(text, deaths, field)),
    ...knowledge(result),
    ...stepLines(result),
  ]
}

function rateLine(kind: Traffic, steady: Rates, afterDeath: Rates): string {
  return columns(kind, steady.byKind[kind], afterDeath.byKind[kind])
}

function totalLine(steady: Rates, afterDeath: Rates): string {
  return columns('in all', steady.mean, afterDeath.mean)
}

function columns(name: string, rest: Rates['mean'], death: Rates['mean']): string {
  return `  ${name.padEnd(26)}${whole(rest.bytes).padStart(14)}${rest.messages.toFixed(2).padStart(11)}${whole(
    death.bytes,
  ).padStart(23)}${death.messages.toFixed(2).padStart(11)}`
}

type DeathTime = 'firstMs' | 'halfMs' | 'lastMs' | 'toldMs'

function deathLine(text: string, deaths: readonly Death[], field: DeathTime): string {
  const times = deaths.map((death) => death[field] ?? Number.POSITIVE_INFINITY)
  const shown = (share: number): string => {
    const ms = percentile(times, share)
    return (Number.isFinite(ms) ? (ms / 1_000).toFixed(1) : 'never').padStart(9)
  }
  return `  ${text.padEnd(29)}${shown(0.5)}${shown(1)}`
}

function knowledge({ deaths, falseVerdicts }: ScaleResult): readonly string[] {
  const unaware = deaths.reduce((sum, { survivors, knowing }) => sum + survivors - knowing, 0)
  const notices = deaths.map((death) => death.notices).join(', ')
  const folded = deaths.reduce((sum, death) => sum + death.copies - death.notices, 0)
  return [
    `  ${deaths.length} deaths; survivors who never knew: ${unaware}; verdicts on hosts that lived: ${falseVerdicts}`,
    `  notices shown of each: ${notices}; copies that the device folded: ${folded}`,
  ]
}

function stepLines({ steps, stepShare, heapBytesPerCore }: ScaleResult): readonly string[] {
  if (stepShare === null) return []
  return [
    '',
    `${'one core: time of its steps'.padEnd(28)}events    median us       p99 us       max us`,
    ...steps
      .slice(0, STEPS_LISTED)
      .map(
        ({ kind, count, medianUs, p99Us, maxUs }) =>
          `  ${kind.padEnd(20)}${String(count).padStart(12)}${[medianUs, p99Us, maxUs].map((us) => us.toFixed(1).padStart(13)).join('')}`,
      ),
    `  at rest it takes ${(100 * stepShare).toPrecision(2)} % of a processor core`,
    ...(heapBytesPerCore === null ? [] : [`  its state takes ${(heapBytesPerCore / 1e6).toFixed(2)} MB of heap`]),
  ]
}

function whole(bytes: number): string {
  return String(Math.round(bytes))
}
