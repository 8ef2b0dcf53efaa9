/**
 * One step under way: a private copy of the state that helpers write to, and the effects gathered so far.
 *
 * Maps are copied on their first write, so that the state that came in stays as it was and an idle tick costs nothing.
 */
import type { Effect } from './effect.ts'
import type { HostId } from './ids.ts'
import { forgetLists } from './incidents/open-incidents.ts'
import { counts, rosterWith } from './membership/roster.ts'
import { nextRandom } from './prng.ts'
import { SharedKeyMap } from './shared-key-map.ts'
import type { Attempt, Member, State } from './state.ts'
import { WIRE_VERSION } from './wire/envelope.ts'
import type { AnySigned, Bodies, Domain, SignedAs } from './wire/records.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type MapFields = { [K in keyof State]: State[K] extends ReadonlyMap<infer _K, infer _V> ? K : never }[keyof State]
type KeyOf<F extends MapFields> = State[F] extends ReadonlyMap<infer K, unknown> ? K : never
type ValueOf<F extends MapFields> = State[F] extends ReadonlyMap<infer _K, infer V> ? V : never

/** The state as it came in, the copy that is changed, and the effects in the order in which they are to be done. */
export interface Work {
  readonly before: State
  readonly state: Writable<State>
  readonly effects: Effect[]
}

/** Starts a step. */
export function beginWork(state: State): Work {
  return { before: state, state: { ...state }, effects: [] }
}

/** Maps whose keys come and go within seconds: with few keys, a plain copy costs less than keys of their own each time. */
const FLEETING: ReadonlySet<MapFields> = new Set(['catchUps', 'duties', 'attempts', 'answers'])

function copyOf<F extends MapFields>(work: Work, field: F): Map<KeyOf<F>, ValueOf<F>> {
  const fields = work.state as Record<MapFields, unknown>
  if (work.state[field] === work.before[field]) {
    const before = work.before[field] as ReadonlyMap<never, never>
    fields[field] = FLEETING.has(field) ? new Map(before) : SharedKeyMap.copyOf(before)
  } else if (field === 'incidents' || field === 'settled') {
    forgetLists(work.state)
  }
  return work.state[field] as unknown as Map<KeyOf<F>, ValueOf<F>>
}

/** Sets one key of one of the state's maps. */
export function put<F extends MapFields>(work: Work, field: F, key: KeyOf<F>, value: ValueOf<F>): void {
  copyOf(work, field).set(key, value)
}

/** Removes one key of one of the state's maps. */
export function drop<F extends MapFields>(work: Work, field: F, key: KeyOf<F>): void {
  if ((work.state[field] as ReadonlyMap<unknown, unknown>).has(key)) copyOf(work, field).delete(key)
}

/** Changes some fields of a member that is known. */
export function amendMember(work: Work, host: HostId, change: Partial<Member>): Member {
  const member = work.state.members.get(host)
  if (member === undefined) throw new Error(`assertion failed: ${host} is a member`)
  const amended = { ...member, ...change }
  setMember(work, amended)
  return amended
}

/** Adds or replaces a member, and the roster with it when who takes part has changed. */
export function setMember(work: Work, member: Member): void {
  const before = work.state.members.get(member.host)
  put(work, 'members', member.host, member)
  const takesPart = counts(member)
  if ((before !== undefined && counts(before)) === takesPart) return
  work.state.roster = rosterWith(work.state.roster, member.host, takesPart)
}

/** The awake clock's reading of this step. */
export function nowOf(work: Work): number {
  return work.state.clock.awakeMs
}

/** A record of this host's own. The shell signs it on its way out. */
export function ownRecord<D extends Domain>(state: State, domain: D, body: Bodies[D]): SignedAs<D> {
  const { mesh, self } = state.options
  return { domain, version: WIRE_VERSION, mesh, signer: self, body, signature: UNSIGNED } as SignedAs<D>
}

const UNSIGNED = new Uint8Array(0)

/** A number in [0, 1) from the state's own generator. */
export function chance(work: Work): number {
  const [value, next] = nextRandom(work.state.prng)
  work.state.prng = next
  return value
}

/** Tells a person, through the shell's log. */
export function report(
  work: Work,
  level: 'debug' | 'info' | 'warn',
  phrase: string,
  fields: Readonly<Record<string, string | number | boolean>>,
): void {
  work.effects.push({ kind: 'report', level, phrase, fields })
}

/** True unless a simulation has switched the rule off. */
export function holds(state: State, rule: State['options']['without'][number]): boolean {
  return !state.options.without.includes(rule)
}

/** Sends one record straight to a peer. */
export function sendTo(work: Work, to: HostId, record: AnySigned, ageMs: number): void {
  work.effects.push({ kind: 'send', to, carried: [{ record, ageMs }] })
}

/** Changes some fields of an attempt under way. */
export function amendAttempt(work: Work, id: number, change: Partial<Attempt>): void {
  const attempt = work.state.attempts.get(id)
  if (attempt !== undefined) put(work, 'attempts', id, { ...attempt, ...change })
}
