/** An incident in a few words. Loads nothing, so that a command can use it too. */
import type { IncidentView } from './shapes.ts'

/** What happened, without a full stop: "vps-1 is silent". */
export function sentenceOf(
  incident: Pick<IncidentView, 'fault' | 'hostName' | 'check' | 'severity' | 'because'>,
): string {
  const { fault, hostName, check, severity, because } = incident
  switch (fault) {
    case 'silent':
      return severity === 'unknown' ? `${hostName} is silent, says one observer` : `${hostName} is silent`
    case 'stopped':
      return `${hostName} was stopped and is not back`
    case 'asleep':
      return `${hostName} is asleep`
    case 'isolated':
      return `${hostName} hears nobody`
    case 'flapping':
      return `${hostName} comes and goes`
    case 'check':
      // "139 > 2000: yes" answers a question; in a sentence the fact is enough.
      return `${hostName} ${check}${because === '' ? ` is ${severity}` : `: ${because.replace(/: yes$/, '')}`}`
    default:
      return fault satisfies never
  }
}
