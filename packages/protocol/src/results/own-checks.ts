/**
 * This host's own checks: runs are counted into a status, and a check that does not report in time is `late`.
 *
 * While the host is awake it judges its own deadlines; nobody else may, for others cannot tell a lost message from a
 * check that did not run.
 */
import type { Observed } from '../event.ts'
import type { CheckName } from '../ids.ts'
import { limits } from '../limits.ts'
import type { CheckSpec, Judgement, Status } from '../observation.ts'
import { meshRecords } from '../sorted-records.ts'
import type { OwnCheck } from '../state.ts'
import type { Result } from '../wire/records.ts'
import { drop, nowOf, put, type Work } from '../work.ts'

/** Takes a new configuration: known checks go on counting, new ones begin, missing ones are retired. */
export function configureChecks(
  work: Work,
  specs: readonly CheckSpec[],
  spentMs: Readonly<Record<string, number>>,
): void {
  const wanted = specs.slice(0, limits.checks)
  for (const spec of wanted) put(work, 'checks', spec.name, ownCheck(work, spec, spentMs[spec.name]))
  const names = new Set(wanted.map(({ name }) => name))
  const mine = work.state.results.get(work.state.options.self) ?? new Map()
  const gone = [...new Set([...work.state.checks.keys(), ...mine.keys()])].filter((name) => !names.has(name))
  for (const name of gone) drop(work, 'checks', name)
  if (gone.length > 0) work.state.retired = [...new Set([...work.state.retired, ...gone])]
}

function ownCheck(work: Work, spec: CheckSpec, spentMs: number | undefined): OwnCheck {
  const known = work.state.checks.get(spec.name)
  if (known !== undefined) return { ...known, spec }
  const result = lastResult(work, spec.name)
  const now = promiseClock(work, spec)
  // A push check that was never pinged promises nothing yet. Any other is expected from the first moment on.
  const expected = spec.kind !== 'push' || result !== null || spentMs !== undefined
  return {
    spec,
    result,
    badRuns: 0,
    goodRuns: 0,
    badSinceMs: null,
    reportedAtMs: expected ? now - (spentMs ?? 0) : null,
    keptAtMs: nowOf(work),
  }
}

/** The newest result of an own check. Who comes back from a goodbye begins anew: with it, all its troubles have ended. */
function lastResult({ state }: Work, name: string): Result | null {
  const { self } = state.options
  const result = state.results.get(self)?.get(name) ?? null
  const writtenIn = state.heads.get(self)?.incarnation ?? 0
  const hasLeft = meshRecords(state, 'leave').some(
    ({ signer, body }) => signer === self && body.life.incarnation >= writtenIn,
  )
  return result !== null && hasLeft ? { ...result, status: 'ok' } : result
}

/** The clock that a check's promise counts on: one that stops in sleep, unless it is to hold even then. */
function promiseClock(work: Work, { heartbeat }: CheckSpec): number {
  return heartbeat === 'always' ? work.state.clock.elapsedMs : nowOf(work)
}

/** Counts the runs that have ended and gathers their results. */
export function observe(work: Work, observed: readonly Observed[]): void {
  for (const run of observed) {
    const check = work.state.checks.get(run.check)
    if (check === undefined) continue
    const counted = countRun(check, run.judgement, nowOf(work), promiseClock(work, check.spec))
    gather(work, counted, {
      check: run.check,
      kind: check.spec.kind,
      status: counted.status,
      judgement: run.judgement,
      episode: counted.episode,
      values: run.observation.values,
      text: run.observation.error?.message ?? run.observation.text,
      because: run.because,
      durationMs: Math.round(run.observation.durationMs),
      everyMs: check.spec.everyMs,
      graceMs: check.spec.graceMs,
      heartbeat: check.spec.heartbeat,
      atUnixMs: Math.round(work.state.clock.unixMs),
    })
  }
}

interface Counted {
  readonly check: OwnCheck
  readonly status: Status
  readonly episode: number
}

/**
 * One run more. A check leaves `ok` after `after` bad runs in a row that have lasted `forMs`, and returns to it after
 * `recover` good ones; from `late` it returns with the first good one. Leaving `ok` begins a new episode.
 */
export function countRun(check: OwnCheck, judgement: Judgement, nowMs: number, reportedAtMs: number = nowMs): Counted {
  const { spec, result } = check
  const before = result?.status ?? 'ok'
  const episodeBefore = result?.episode ?? 0
  const bad = judgement !== 'ok'
  const next: OwnCheck = {
    ...check,
    badRuns: bad ? check.badRuns + 1 : 0,
    goodRuns: bad ? 0 : check.goodRuns + 1,
    badSinceMs: bad ? (check.badSinceMs ?? nowMs) : null,
    reportedAtMs,
  }
  if (bad) {
    if (before !== 'ok') return { check: next, status: judgement, episode: episodeBefore }
    const lasted = nowMs - (next.badSinceMs ?? nowMs)
    const leaves = next.badRuns >= spec.after && lasted >= spec.forMs
    return leaves
      ? { check: next, status: judgement, episode: episodeBefore + 1 }
      : { check: next, status: 'ok', episode: episodeBefore }
  }
  const recovered = before === 'ok' || before === 'late' || next.goodRuns >= spec.recover
  return { check: next, status: recovered ? 'ok' : before, episode: episodeBefore }
}

/** Whether a check of this host has ended a run since the start. */
export function hasRun({ state }: Work, name: CheckName): boolean {
  const check = state.checks.get(name)
  return check !== undefined && check.badRuns + check.goodRuns > 0
}

/**
 * Counts on from results of this host's own that its disk had lost: an episode that was told once must not get its name
 * a second time. What this start has found out is renumbered, and written once more: peers may have refused an entry
 * that claimed a place which was taken.
 */
export function regainEpisodes(work: Work, regained: readonly Result[]): void {
  for (const before of regained) {
    const check = work.state.checks.get(before.check)
    if (check === undefined) continue
    if (check.result === null || !hasRun(work, before.check)) {
      put(work, 'checks', before.check, { ...check, result: before })
      continue
    }
    const result = goOnFrom(before, check, check.result)
    put(work, 'checks', before.check, { ...check, result })
    const others = work.state.gathered.filter((waiting) => waiting.check !== before.check)
    if (others.length === work.state.gathered.length) work.state.gatheredSinceMs = nowOf(work) - limits.gatherMs
    work.state.gathered = [...others, result]
  }
}

/** What a check's newest result is when it goes on from a regained one: one bad run more is no end of a trouble. */
function goOnFrom(before: Result, { spec, badRuns, goodRuns }: OwnCheck, result: Result): Result {
  const episode = Math.max(before.episode, result.episode)
  if (before.status === 'ok') {
    return { ...result, episode: result.status === 'ok' ? episode : Math.max(before.episode + 1, result.episode) }
  }
  if (badRuns > 0) return { ...result, status: result.judgement ?? before.status, episode }
  const recovered = before.status === 'late' || goodRuns >= spec.recover
  return { ...result, status: recovered ? 'ok' : before.status, episode }
}

/** Finds the checks whose heartbeat is overdue. */
export function judgeLateness(work: Work): void {
  for (const check of work.state.checks.values()) {
    const { spec, result, reportedAtMs } = check
    const now = promiseClock(work, spec)
    if (reportedAtMs === null || spec.heartbeat === 'never' || result?.status === 'late') continue
    if (now - reportedAtMs > spec.everyMs + spec.graceMs) {
      const leaving = (result?.status ?? 'ok') === 'ok'
      const episode = (result?.episode ?? 0) + (leaving ? 1 : 0)
      gather(work, { check: { ...check, goodRuns: 0 }, status: 'late', episode }, lateResult(work, check, episode))
    } else {
      keepTime(work, check, now - reportedAtMs)
    }
  }
}

function lateResult(work: Work, { spec, result }: OwnCheck, episode: number): Result {
  return {
    check: spec.name,
    kind: spec.kind,
    status: 'late',
    judgement: null,
    episode,
    values: {},
    text: result === null ? 'has not reported yet' : `last: ${result.text}`.slice(0, 200),
    because: `no report within ${Math.round((spec.everyMs + spec.graceMs) / 1_000)} s`,
    durationMs: 0,
    everyMs: spec.everyMs,
    graceMs: spec.graceMs,
    heartbeat: spec.heartbeat,
    atUnixMs: Math.round(work.state.clock.unixMs),
  }
}

/** The time spent of a long period is kept now and then, so that a restart does not start it anew. */
function keepTime(work: Work, check: OwnCheck, spentMs: number): void {
  const { spec } = check
  if (spec.everyMs + spec.graceMs < 2 * limits.checkTimeMs || nowOf(work) - check.keptAtMs < limits.checkTimeMs) return
  put(work, 'checks', spec.name, { ...check, keptAtMs: nowOf(work) })
  work.effects.push({ kind: 'keep-check-time', check: spec.name, spentMs: Math.round(spentMs) })
}

function gather(work: Work, counted: Counted, result: Result): void {
  const changed = counted.check.result?.status !== result.status || counted.check.result.episode !== result.episode
  put(work, 'checks', result.check, { ...counted.check, result })
  if (work.state.gathered.length === 0) work.state.gatheredSinceMs = nowOf(work)
  if (changed) work.state.gatheredSinceMs = nowOf(work) - limits.gatherMs
  work.state.gathered = [...work.state.gathered, result].slice(-limits.gathered)
}
