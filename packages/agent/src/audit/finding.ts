/** What can be wrong with what a store holds, and where it was found. */
import type { LogPosition } from '../storage/index.ts'

/**
 * The kinds of wrong. Scripts rely on the words.
 *
 * - `unreadable`: the bytes on disk are not those that were written
 * - `malformed`: no record that any release of this version writes
 * - `newer-version`, `other-mesh`: a record of a later release, or of a mesh with another swarm key
 * - `forged`: a signature is not that of whom it names
 * - `uncertified`: the mesh key vouches for no such host, or its certificate is not genuine
 * - `displaced`: it is kept where another belongs, or under another's hash
 * - `missing`: entries in between are not there
 * - `broken-chain`: an entry names another one before it than the one that is there; entries may be missing between them
 * - `equivocation`: the host signed two histories: two entries of one number, or one that denies the one before it
 * - `backwards`: an entry of a life that had ended
 */
export type FaultKind =
  | 'unreadable'
  | 'malformed'
  | 'newer-version'
  | 'other-mesh'
  | 'forged'
  | 'uncertified'
  | 'displaced'
  | 'missing'
  | 'broken-chain'
  | 'equivocation'
  | 'backwards'

/** Something that is wrong. `what` is a sentence for a person, without its place; `cids` are what proves it, if anything. */
export interface Fault {
  readonly kind: FaultKind
  readonly what: string
  readonly cids: readonly string[]
}

/** A fault and its place: in a log, or a record by its name. Both are null when it is the host's own. */
export interface Finding extends Fault {
  readonly place: LogPosition | null
  readonly record: string | null
}

/** Findings that are kept of one host. All are counted: what is damaged as a whole has millions. */
export const FINDINGS_MAX = 20

/** What was found of one host, or of what nobody can be told to have written. */
export interface Findings {
  readonly first: readonly Finding[]
  /** All of them. */
  readonly count: number
}

/** Findings as they come. */
export interface FindingList {
  add(fault: Fault, at: { readonly place?: LogPosition | null; readonly record?: string }): void
  findings(): Findings
}

/** An empty list. */
export function createFindingList(): FindingList {
  const first: Finding[] = []
  let count = 0
  return {
    add(fault, { place = null, record = null }) {
      count += 1
      if (first.length < FINDINGS_MAX) first.push({ ...fault, place, record })
    },
    findings: () => ({ first, count }),
  }
}

/** A fault that nothing proves but the bytes themselves. */
export function faultOf(kind: FaultKind, what: string, ...cids: readonly string[]): Fault {
  return { kind, what, cids }
}
