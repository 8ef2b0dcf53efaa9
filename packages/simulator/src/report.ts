/** What many runs came to, in lines for a person. */
import { INVARIANTS } from './checkers/checker.ts'
import type { Sums } from './simulate.ts'

/** Broken seeds that are listed in full. */
const LISTED = 20

/**
 * The lines to print after a run: how often each fault and each invariant was exercised, and what broke. `shape`: the
 * options of the command that drew these worlds, which replay one of them.
 */
export function formatReport(sums: Sums, shape: readonly string[] = []): string[] {
  const hours = (sums.virtualMs / 3_600_000).toFixed(1)
  const { all, false: wrong } = sums.verdicts
  const lines = [
    `${sums.seeds} seeds, ${hours} virtual hours, ${sums.brokenSeeds.length} broken`,
    `${all} verdicts, ${wrong} on hosts that ran and were within reach`,
    ...(wrong === 0 ? [] : [`  seeds ${sums.falseSeeds.slice(0, LISTED).join(', ')}`]),
    '',
    'faults',
  ]
  const faults = Object.entries(sums.faults).toSorted(([left], [right]) => (left < right ? -1 : 1))
  for (const [kind, times] of faults) lines.push(`  ${kind.padEnd(26)}${String(times).padStart(9)}`)
  lines.push('', 'invariants, times checked and times broken')
  for (const invariant of INVARIANTS) {
    const broken = sums.broken.filter((one) => one.invariant === invariant).length
    lines.push(`  ${invariant.padEnd(5)}${String(sums.exercised[invariant]).padStart(10)}${String(broken).padStart(8)}`)
  }
  if (sums.broken.length === 0) return lines
  lines.push('')
  for (const seed of sums.brokenSeeds.slice(0, LISTED)) {
    const first = sums.broken.find((one) => one.seed === seed)
    if (first !== undefined) lines.push(`seed ${seed}: ${first.invariant} ${first.text}`)
    lines.push(`  ${['muster simulate', ...shape, '--seed', seed].join(' ')}`)
  }
  if (sums.brokenSeeds.length > LISTED) lines.push(`and ${sums.brokenSeeds.length - LISTED} more`)
  return lines
}
