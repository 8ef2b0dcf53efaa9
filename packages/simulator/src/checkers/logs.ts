/**
 * I7 and I15: a host's log, and its lives, only ever go forward, and only the host itself writes them.
 */
import type { HostId, SignedAs } from '@muster/protocol'
import { type Checker, type Surroundings, watching } from './checker.ts'

type Place = readonly [incarnation: number, epoch: number, count: number]

function isAfter(left: Place, right: Place): boolean {
  if (left[0] !== right[0]) return left[0] > right[0]
  return left[2] > right[2] && left[1] >= right[1]
}

function text(place: Place): string {
  return place.join('.')
}

/**
 * I7: what is accepted of a host strictly increases, at every peer and across crashes; so does what it issues, its
 * heartbeats included. A peer whose disk lost unsynced entries may accept those same entries again, no others.
 */
export function checkForwardOnly({ truth, exercise, report }: Surroundings): Checker {
  const issued = new Map<HostId, Place>()
  const beats = new Map<HostId, Place>()
  const accepted = new Map<string, Place>()
  const cids = new Map<string, string>()
  /** Who holds an entry besides its writer, for all that is known: a power cut may have taken it. */
  const holders = new Map<string, Set<HostId>>()
  /** The same, by the holder. */
  const held = new Map<HostId, string[]>()
  /** Entries that their writer has lost. */
  const orphans = new Set<string>()
  const restarted = new Set<string>()
  const lastBeat = new Map<HostId, SignedAs<'heartbeat'>>()
  return watching(['data-lost', 'mode', 'effect'], (happening) => {
    if (happening.kind === 'data-lost' || (happening.kind === 'mode' && happening.cause === 'power')) {
      for (const key of accepted.keys()) if (key.startsWith(`${happening.host}<`)) restarted.add(key)
      for (const name of held.get(happening.host) ?? []) holders.get(name)?.delete(happening.host)
      held.delete(happening.host)
      if (happening.kind === 'mode') return
      // It cannot know how far it was. Nobody else may accept anything from before.
      issued.delete(happening.host)
      beats.delete(happening.host)
      for (const name of cids.keys()) if (name.startsWith(`${happening.host}|`)) orphans.add(name)
      return
    }
    if (happening.kind !== 'effect') return
    const { effect, host, atMs } = happening
    if (effect.kind === 'send-heartbeat' || effect.kind === 'answer-probe') {
      const { life, beat } = effect.heartbeat.body
      // One heartbeat may go to several peers in several ways.
      if (lastBeat.get(host) === effect.heartbeat) return
      lastBeat.set(host, effect.heartbeat)
      forward(beats, host, [life.incarnation, life.epoch, beat], atMs, 'beats')
      return
    }
    if (effect.kind !== 'keep-entry') return
    const { entry, head } = effect
    const place: Place = [entry.body.life.incarnation, entry.body.life.epoch, entry.body.seq]
    // An own entry that is not synced was lost and has come back from a peer.
    if (entry.signer === host && effect.sync) forward(issued, host, place, atMs, 'issues')
    const key = `${host}<${entry.signer}`
    exercise('I7')
    const last = accepted.get(key)
    const wasBlind = last !== undefined && entry.signer === host && truth.wroteBlindly(host, last[0], last[2])
    if (last !== undefined && !isAfter(place, last) && !restarted.has(key) && !wasBlind) {
      report({
        invariant: 'I7',
        atMs,
        hosts: [host, entry.signer],
        text: `${host} accepts ${text(place)} of ${entry.signer} after ${text(last)}`,
      })
    }
    restarted.delete(key)
    accepted.set(key, place)
    const name = `${entry.signer}|${entry.body.life.incarnation}|${entry.body.seq}`
    const known = cids.get(name)
    // What its writer lost and nobody else holds is gone from the world, and its place is free.
    const isFree = orphans.has(name) && (holders.get(name)?.size ?? 0) === 0
    const isBlind = truth.wroteBlindly(entry.signer, head.incarnation, head.seq)
    if (known !== undefined && known !== head.cid && !isFree && !isBlind) {
      report({
        invariant: 'I7',
        atMs,
        hosts: [host, entry.signer],
        text: `two entries of ${entry.signer} are number ${text(place)}`,
      })
    }
    cids.set(name, head.cid)
    if (isFree) orphans.delete(name)
    if (entry.signer === host) return
    holders.set(name, (holders.get(name) ?? new Set()).add(host))
    const names = held.get(host)
    if (names === undefined) held.set(host, [name])
    else names.push(name)
  })

  function forward(known: Map<HostId, Place>, host: HostId, place: Place, atMs: number, what: string): void {
    const last = known.get(host)
    if (last !== undefined && !isAfter(place, last)) {
      report({ invariant: 'I7', atMs, hosts: [host], text: `${host} ${what} ${text(place)} after ${text(last)}` })
    }
    known.set(host, place)
  }
}

/** I15: every accepted entry was written by the host whose log it joins. */
export function checkSigners({ exercise, report }: Surroundings): Checker {
  const written = new Map<HostId, Set<SignedAs<'entry'>['body']>>()
  return watching(['effect'], (happening) => {
    if (happening.effect.kind !== 'keep-entry') return
    const { host, atMs } = happening
    const { entry, sync } = happening.effect
    if (entry.signer === host && sync) {
      const bodies = written.get(host) ?? new Set()
      written.set(host, bodies.add(entry.body))
      return
    }
    exercise('I15')
    if (written.get(entry.signer)?.has(entry.body) !== true) {
      report({
        invariant: 'I15',
        atMs,
        hosts: [host, entry.signer],
        text: `${host} accepts an entry as of ${entry.signer}, who never wrote it`,
      })
    }
  })
}
