/**
 * What the conditions of a check make of one observation.
 *
 * The worst that is certain wins: critical, then warning; then what could not be told is unknown; only a check whose every
 * condition was answered is ok. Counting (`after`, `recover`, `for`) is not done here.
 */
import type { Judgement } from '@muster/protocol'
import type { Facts, Measurement } from '../check.ts'
import { TEXT_CHARS_MAX } from '../limits.ts'
import { cutText } from '../sanitize.ts'
import type { Answer, Condition } from './compile.ts'
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

interface Asked {
  readonly level: keyof Conditions
  readonly condition: Condition
  readonly answer: Answer
}

/** Judges one measurement. `downCodes` are the kind's: errors by which the watched thing itself is down. */
export function judge(measurement: Measurement, conditions: Conditions, downCodes: readonly string[]): Verdict {
  const { observation, transient = {} } = measurement
  const facts: Facts = { values: observation.values, transient }
  const asked = (['critical', 'warning', 'unknown'] as const).flatMap((level) =>
    conditions[level].map((condition): Asked => ({ level, condition, answer: condition.ask(facts) })),
  )
  const { error } = observation
  if (error === undefined) return judgeAnswers(asked, facts)
  if (downCodes.includes(error.code)) return judgeDown(error.message, asked, facts)
  const worst = asked.find(({ level, answer }) => level !== 'unknown' && answer.kind === 'yes')
  return worst === undefined ? { judgement: 'unknown', because: error.message } : explain(worst, facts)
}

/** What certainly holds, by the worst; else what could not be told; else all is well. */
function judgeAnswers(asked: readonly Asked[], facts: Facts): Verdict {
  const worst = asked.find(({ answer }) => answer.kind === 'yes')
  if (worst !== undefined) return explain(worst, facts)
  for (const { condition, answer } of asked) {
    if (answer.kind === 'missing') {
      const verb = answer.names.length === 1 ? 'was' : 'were'
      return unknown(`${answer.names.join(', ')} ${verb} not measured`)
    }
    if (answer.kind === 'failed') return unknown(`${renderCondition(condition, facts)}: ${answer.reason}`)
  }
  // The config's own condition says more than its kind's: it comes last.
  const shown = asked.findLast(({ level }) => level === 'critical') ?? asked[0]
  return { judgement: 'ok', because: shown === undefined ? '' : withAnswer(shown, facts, 'no') }
}

/** Down is critical, unless the conditions can tell without doubt: a port that must be closed. */
function judgeDown(message: string, asked: readonly Asked[], facts: Facts): Verdict {
  const isDecided = asked.length > 0 && asked.every(({ answer }) => answer.kind === 'yes' || answer.kind === 'no')
  const verdict = isDecided ? judgeAnswers(asked, facts) : undefined
  return verdict === undefined || verdict.judgement === 'critical'
    ? { judgement: 'critical', because: message }
    : verdict
}

function explain(asked: Asked, facts: Facts): Verdict {
  return { judgement: asked.level, because: withAnswer(asked, facts, 'yes') }
}

function unknown(because: string): Verdict {
  return { judgement: 'unknown', because: cutText(because, TEXT_CHARS_MAX) }
}

function withAnswer({ condition }: Asked, facts: Facts, answer: 'yes' | 'no'): string {
  return `${cutText(renderCondition(condition, facts), TEXT_CHARS_MAX - 5)}: ${answer}`
}
