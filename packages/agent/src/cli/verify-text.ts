/** The lines of `muster verify`. Pure. */
import type { AuditReport, HostReport } from '../audit/audit.ts'
import type { Finding } from '../audit/finding.ts'
import type { LogPosition } from '../storage/index.ts'
import { counted, fitted, plain } from './plain-text.ts'

/** Findings of one host that are printed; `--json` has more. */
const FINDINGS_SHOWN = 3

/** One line for each host, what is wrong below it, and at the end what could not be looked at. */
export function verifyLines({ hosts, strays, setAside }: AuditReport): readonly string[] {
  const width = Math.max(0, ...hosts.map(({ name }) => [...plain(name, 63)].length))
  const trimmed = hosts.filter((host) => host.trimmed === true)
  return [
    ...hosts.flatMap((host) => hostLines(host, width)),
    ...strays.first.slice(0, FINDINGS_SHOWN).flatMap((finding) => findingLines('WRONG', finding)),
    ...more(strays.count),
    ...(trimmed.length === 0 ? [] : [TRIMMED]),
    ...setAside.map((name) => `${plain(name, 80)} was damaged and set aside before: nothing of it was looked at.`),
  ]
}

const TRIMMED =
  'History is 48 h. What a first kept entry names as the one before it is trimmed, so that this one link is not checked.'

function hostLines(host: HostReport, width: number): readonly string[] {
  const name = fitted(plain(host.name, 63), width)
  const verdict = host.count === 0 ? 'whole' : 'WRONG'
  return [
    `${name}  ${logText(host)}  ${verdict}`.trimEnd(),
    ...host.first.slice(0, FINDINGS_SHOWN).flatMap((finding) => findingLines(' ', finding)),
    ...more(host.count),
    ...(host.ahead === null
      ? []
      : [`  it signed that there is ${placeText(host.ahead)} too: that never came here, or was removed`]),
  ]
}

/** "412 entries (1/1 to 3/87) in 3 lives and 12 records". */
function logText({ entries, from, to, lives, records, trimmed }: HostReport): string {
  const others = counted(records, 'record')
  if (from === null || to === null) return `no entries, ${others}`
  const start = trimmed === true ? ', those before are trimmed' : ''
  const count = entries === 1 ? '1 entry' : `${entries} entries`
  return `${count}, ${placeText(from)} to ${placeText(to)}${start}, in ${lives === 1 ? '1 life' : `${lives} lives`}, ${others}`
}

function findingLines(lead: string, finding: Finding): readonly string[] {
  const { place, record, what, cids } = finding
  const where = [place === null ? '' : placeText(place), record === null ? '' : plain(record, 80)].filter(
    (at) => at !== '',
  )
  const head = `${lead} ${[...where, plain(what, 300)].join(': ')}`
  if (cids.length === 0) return [head]
  return [
    head,
    `    ${finding.kind === 'equivocation' ? 'proof: ' : ''}${cids.map((cid) => plain(cid, 80)).join(' and ')}`,
  ]
}

function more(count: number): readonly string[] {
  return count <= FINDINGS_SHOWN ? [] : [`  and ${count - FINDINGS_SHOWN} more`]
}

function placeText({ incarnation, seq }: LogPosition): string {
  return `life ${incarnation} entry ${seq}`
}
