/** I9 and I10: peers that can talk end with the same names for the same troubles, and with the same history. */
import type { HostId, Incident, LogHead } from '@muster/protocol'
import type { CoreView } from '../core.ts'
import type { FinalView } from '../happening.ts'
import { type Checker, lifeText, type Surroundings, watching } from './checker.ts'

/** Two completed rounds, with a margin: what is older than this at the end must be known everywhere. */
const ROUNDS_MS = 75_000

function idsOf(incident: Incident): readonly string[] {
  return [incident.id, ...incident.aliases]
}

function isOpenPresence(incident: Incident): boolean {
  return incident.state === 'firing' && incident.check === '' && incident.fault !== 'flapping'
}

/**
 * I9: equal newest known life, equal id; otherwise the alias sets meet after merging. A (host, check, life or episode)
 * has one id at all times and on all peers; the ids of open incidents are compared at the end.
 */
export function checkNames({ truth, exercise, report }: Surroundings): Checker {
  const ids = new Map<string, string>()
  const subjects = new Map<string, string>()
  return watching(['effect', 'ended'], (happening) => {
    const { atMs } = happening
    if (happening.kind === 'effect' && happening.effect.kind === 'incident') {
      const { id, host, check, fault, life, episode, voters, sinceUnixMs } = happening.effect.incident
      const fail = (text: string): void => report({ invariant: 'I9', atMs, hosts: [happening.host, host], text })
      exercise('I9')
      const subject = `${host}/${check}`
      const known = subjects.get(id)
      if (known !== undefined && known !== subject) fail(`${id.slice(0, 8)} names ${known} and ${subject}`)
      subjects.set(id, subject)
      if (fault === 'flapping') return
      // What peers miss of a host that sleeps is named by the result before it: the host itself counts no episode then.
      const isMissed = check !== '' && !voters.includes(host)
      const name = `${subject}|${isMissed ? `after ${sinceUnixMs}` : life === null ? episode : lifeText(life)}`
      const other = ids.get(name)
      if (other !== undefined && other !== id) fail(`${name} has the ids ${other.slice(0, 8)} and ${id.slice(0, 8)}`)
      ids.set(name, id)
      return
    }
    if (happening.kind !== 'ended' || atMs - truth.healedMs() < ROUNDS_MS) return
    const views = settledViews(happening.views)
    for (const [index, left] of views.entries()) {
      for (const right of views.slice(index + 1)) compare(left, right)
    }

    function compare(left: Settled, right: Settled): void {
      for (const one of left.view.incidents.values()) {
        if (!isOpenPresence(one)) continue
        const others = [...right.view.incidents.values()].filter(
          (other) => isOpenPresence(other) && other.host === one.host,
        )
        if (others.length === 0) continue
        exercise('I9')
        const mine = new Set(idsOf(one))
        if (others.some((other) => idsOf(other).some((id) => mine.has(id)))) continue
        report({
          invariant: 'I9',
          atMs,
          hosts: [left.host, right.host, one.host],
          text: `${left.host} and ${right.host} name the trouble of ${one.host} by ids that do not meet`,
        })
      }
    }
  })
}

interface Settled {
  readonly host: HostId
  readonly view: CoreView
  readonly logs: FinalView['logs']
}

function settledViews(views: readonly FinalView[]): Settled[] {
  return views.flatMap(({ host, mode, view, logs }) =>
    mode === 'running' && view !== null ? [{ host, view, logs }] : [],
  )
}

/** I10: two completed rounds after healing, with no new events: equal lives, open incidents, logs. */
export function checkConvergence({ hosts, truth, exercise, report }: Surroundings): Checker {
  /** When each entry was written: by signer, incarnation and number. */
  const written = new Map<string, number>()
  const lastIncidentMs = new Map<string, number>()
  return watching(['effect', 'ended'], (happening) => {
    const { atMs } = happening
    if (happening.kind === 'effect') {
      const { effect, host } = happening
      // An own entry that was regained from peers is not written anew.
      if (effect.kind === 'keep-entry' && effect.entry.signer === host && effect.sync) {
        written.set(placeText(host, effect.head), atMs)
      }
      if (effect.kind === 'incident') {
        for (const id of idsOf(effect.incident)) lastIncidentMs.set(id, atMs)
        lastIncidentMs.set(`${effect.incident.host}/${effect.incident.check}`, atMs)
      }
      return
    }
    if (happening.kind !== 'ended' || atMs - truth.healedMs() < ROUNDS_MS) return
    const horizonMs = atMs - ROUNDS_MS
    // What is older than the history may be trimmed here and not yet there.
    const rememberedMs = atMs - Math.min(...hosts.map(({ historyMs }) => historyMs))
    const views = settledViews(happening.views).filter(({ host }) => truth.ranThroughout(host, horizonMs, atMs))
    const [first] = views
    if (first === undefined || views.length < 2) return
    exercise('I10')
    for (const { id: of } of hosts) {
      const own = happening.views.find(({ host }) => host === of)
      compareLogs(views, own, of, horizonMs)
      compareIncidents(views, of, horizonMs)
      compareLives(views, of, horizonMs)
    }

    /** Every entry that any of them holds, older than two rounds and within the history, is held by all under one CID. */
    function compareLogs(settled: readonly Settled[], own: FinalView | undefined, of: HostId, beforeMs: number): void {
      const held = new Set((own?.logs.get(of) ?? []).map((head) => placeText(of, head)))
      const [base, ...others] = settled.map((one) => ({ host: one.host, log: logOf(one, held, of, beforeMs) }))
      if (base === undefined) return
      for (const { host, log } of others) {
        const lacking = [...base.log].find(([place, cid]) => log.get(place) !== cid)
        const more = [...log].find(([place, cid]) => base.log.get(place) !== cid)
        const odd = lacking ?? more
        if (odd === undefined) continue
        fail(
          [host, base.host, of],
          `the logs of ${of} differ on ${base.host} (${base.log.size}) and ${host} (${log.size}), at ${odd[0]}`,
        )
        return
      }
    }

    /** The CIDs of the entries of a host to be compared, by their places. `held`: those that their writer holds itself. */
    function logOf(
      { logs }: Settled,
      held: ReadonlySet<string>,
      of: HostId,
      beforeMs: number,
    ): ReadonlyMap<string, string> {
      const cids = new Map<string, string>()
      for (const head of logs.get(of) ?? []) {
        const place = placeText(of, head)
        const writtenMs = written.get(place) ?? 0
        if (writtenMs <= rememberedMs || writtenMs >= beforeMs) continue
        // What its writer lost, and wrote on without, those who then had not got it yet never get.
        if (writtenMs <= truth.lacksOwnBeforeMs(of) && !held.has(place)) continue
        if (!truth.wroteBlindly(of, head.incarnation, head.seq)) cids.set(`${head.incarnation}.${head.seq}`, head.cid)
      }
      return cids
    }

    function compareIncidents(settled: readonly Settled[], of: HostId, beforeMs: number): void {
      const open = settled.map(({ view }) =>
        [...view.incidents.values()].filter((one) => {
          const changedMs = lastIncidentMs.get(`${of}/${one.check}`) ?? 0
          // The result that ended a check's incident may be trimmed everywhere, and its host gone.
          const isForgotten = one.check !== '' && changedMs < rememberedMs
          return one.host === of && one.state === 'firing' && changedMs < beforeMs && !isForgotten
        }),
      )
      for (const [index, mine] of open.entries()) {
        for (const one of mine) {
          const ids = new Set(idsOf(one))
          const without = open.findIndex(
            (others, other) =>
              other !== index &&
              settled[other]?.host !== of &&
              settled[index]?.host !== of &&
              !others.some((candidate) => idsOf(candidate).some((id) => ids.has(id))),
          )
          if (without < 0) continue
          fail(
            [settled[index]?.host ?? '', settled[without]?.host ?? '', of],
            `${settled[index]?.host} has ${one.fault} incident ${one.id.slice(0, 8)} of ${of}/${one.check} open, ${settled[without]?.host} has not`,
          )
          return
        }
      }
    }

    function compareLives(settled: readonly Settled[], of: HostId, beforeMs: number): void {
      if (truth.mode(of).changes(beforeMs, atMs).length > 0) return
      const lives = settled.flatMap(({ host, view }) => {
        const life = host === of ? view.life : view.members.get(of)?.life
        // Above nine hosts not everybody watches everybody: a life never heard of is no opinion.
        return life === undefined || life.incarnation === 0 ? [] : [{ host, life: lifeText(life) }]
      })
      const odd = lives.find(({ life }) => life !== lives[0]?.life)
      if (odd === undefined) return
      fail(
        [odd.host, lives[0]?.host ?? '', of],
        `${odd.host} knows life ${odd.life} of ${of}, ${lives[0]?.host} knows ${lives[0]?.life}`,
      )
    }

    function fail(who: readonly HostId[], text: string): void {
      report({ invariant: 'I10', atMs, hosts: who, text })
    }
  })
}

function placeText(host: HostId, head: LogHead): string {
  return `${host}|${head.incarnation}.${head.seq}`
}
