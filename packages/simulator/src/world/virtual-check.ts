/** A check that measures nothing: what it says at a time is its plan. */
import type { CheckSpec, Judgement, Observed } from '@muster/protocol'

/** A span of virtual time in which a check says something else than `ok`, or (null) stops reporting. */
export interface Spell {
  readonly fromMs: number
  readonly toMs: number
  readonly judgement: Judgement | null
}

/** A virtual check of one host. */
export interface VirtualCheck {
  readonly spec: CheckSpec
  /** Of its first run after a start. */
  readonly phaseMs: number
  readonly spells: readonly Spell[]
}

/** What the check reports when it runs now; null when it does not report. */
export function observe(check: VirtualCheck, nowMs: number): Observed | null {
  const spell = check.spells.find(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs)
  if (spell?.judgement === null) return null
  const judgement = spell?.judgement ?? 'ok'
  return {
    check: check.spec.name,
    observation: { values: { used_percent: judgement === 'ok' ? 40 : 97 }, durationMs: 12, text: `used ${judgement}` },
    judgement,
    because: judgement === 'ok' ? '' : 'used_percent > 90 (97)',
  }
}
