/**
 * What the conditions of a check make of one observation.
 *
 * The worst that is certain wins: critical, then warning; then what could not be told is unknown; only a check whose every
 * condition was answered is ok. Counting (`after`, `recover`, `for`) is not done here.
 */
import type { Judgement, Observation } from '@muster/protocol'
import type { Facts, Measurement } from '../check.ts'
import { TEXT_CHARS_MAX } from '../limits.ts'
import { cutText } from '../sanitize.ts'
import type { Condition } from './compile.ts'
import { renderCondition } from './render.ts'

/** The compiled conditions of one check: those of its kind and those of its config, by what they lead to. */
export interface Conditions {
  readonly critical: readonly Condition[]
  readonly warning: readonly Condition[]
  readonly unknown: readonly Condition[]
}

/** A judgement and why, with the numbers in place (`139 > 2000: no`). */
export interface Verdict {
  readonly judgement: Judgement
  /** One line, at most 200 characters. Empty when there is nothing to judge by. */
  readonly because: string
}

/** Judges one measurement. `downCodes` are the kind's: errors by which the watched thing itself is down. */
export function judge(measurement: Measurement, conditions: Conditions, downCodes: readonly string[]): Verdict {
  const { observation, transient = {} } = measurement
  const facts: Facts = { values: observation.values, transient }
  const certain = findYes('critical', conditions.critical, facts) ?? findYes('warning', conditions.warning, facts)
  if (observation.error === undefined) return certain ?? judgeDoubt(conditions, facts)
  return judgeError(observation.error, conditions, facts, downCodes, certain)
}

function judgeError(
  error: NonNullable<Observation['error']>,
  conditions: Conditions,
  facts: Facts,
  downCodes: readonly string[],
  certain: Verdict | undefined,
): Verdict {
  const isDown = downCodes.includes(error.code)
  if (isDown && certain?.judgement === 'critical') return { judgement: 'critical', because: error.message }
  if (!isDown) return certain ?? { judgement: 'unknown', because: error.message }
  // A port that must be closed: the refusal is the good news, when the config's own conditions can tell without doubt.
  const all = [...conditions.critical, ...conditions.warning]
  const isDecided = all.length > 0 && all.every((condition) => condition.ask(facts).kind !== 'missing')
  const verdict = isDecided ? (certain ?? judgeDoubt(conditions, facts)) : undefined
  return verdict ?? { judgement: 'critical', because: error.message }
}

function findYes(judgement: Judgement, conditions: readonly Condition[], facts: Facts): Verdict | undefined {
  const found = conditions.find((condition) => condition.ask(facts).kind === 'yes')
  return found === undefined ? undefined : { judgement, because: withAnswer(found, facts, 'yes') }
}

/** Nothing is certainly bad. Is everything certainly well? */
function judgeDoubt(conditions: Conditions, facts: Facts): Verdict {
  const unknown = findYes('unknown', conditions.unknown, facts)
  if (unknown !== undefined) return unknown
  const all = [...conditions.critical, ...conditions.warning, ...conditions.unknown]
  for (const condition of all) {
    const answer = condition.ask(facts)
    if (answer.kind === 'missing') {
      const verb = answer.names.length === 1 ? 'was' : 'were'
      return {
        judgement: 'unknown',
        because: cutText(`${answer.names.join(', ')} ${verb} not measured`, TEXT_CHARS_MAX),
      }
    }
    if (answer.kind === 'failed') {
      const because = cutText(`${renderCondition(condition, facts)}: ${answer.reason}`, TEXT_CHARS_MAX)
      return { judgement: 'unknown', because }
    }
  }
  // The config's own condition says more than its kind's: it comes last.
  const shown = conditions.critical.at(-1) ?? conditions.warning.at(-1)
  return { judgement: 'ok', because: shown === undefined ? '' : withAnswer(shown, facts, 'no') }
}

function withAnswer(condition: Condition, facts: Facts, answer: 'yes' | 'no'): string {
  return `${cutText(renderCondition(condition, facts), TEXT_CHARS_MAX - 5)}: ${answer}`
}
