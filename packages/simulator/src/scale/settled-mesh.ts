/**
 * A large mesh that has run for a while and whose hosts all start anew: each finds on its disk what a settled mesh holds,
 * so that nothing has to be learnt one by one.
 */
import {
  type AnySigned,
  type CheckSpec,
  cidOf,
  type Entry,
  encodeCanonical,
  type HostId,
  type LogHead,
  type MeshId,
  type Observed,
  type Restored,
  type SignedAs,
} from '@muster/protocol'
import { createPrng } from '../prng.ts'

/** The hosts of a mesh by number, and what each of them has on its disk. */
export interface SettledMesh {
  readonly mesh: MeshId
  readonly hosts: readonly HostId[]
  readonly checks: readonly CheckSpec[]
  readonly restored: Restored
}

/** The presence class of a fresh `muster.yaml`. */
export const PRESENCE_CLASS = { everyMs: 10_000, graceMs: 5_000, sleeps: false, restartMs: 300_000 } as const
/** How often a check of a fresh `muster.yaml` is due, and how late it may be. Milliseconds. */
export const CHECK_EVERY_MS = 60_000
const CHECK_GRACE_MS = 30_000
/** The device that is told. */
export const RECIPIENT_KEY = Uint8Array.from({ length: 33 }, (_, index) => (index === 0 ? 2 : index))
/** What a certificate of the agent comes to, bytes. */
const CERTIFICATE_BYTES = 330
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const STARTED_UNIX_MS = 1_700_000_000_000
/** Life of the entries on disk; the hosts start with the next. */
const EARLIER_INCARNATION = 1

/** Makes the mesh. Ids are as long as real ones, for every message is full of them. */
export function createSettledMesh(seed: number, size: number, checkCount: number): SettledMesh {
  const chance = createPrng(seed, 'ids')
  const text = (letters: string, length: number): string =>
    Array.from({ length }, () => letters[chance.int(0, letters.length - 1)]).join('')
  const mesh = text('0123456789abcdef', 32)
  const hosts = Array.from({ length: size }, () => `12D3KooW${text(BASE58, 44)}`).sort()
  const checks = Array.from({ length: checkCount }, (_, index) => specOf(index))
  const entries = hosts.map((host) => entryOf(mesh, host, checks))
  const heads: Record<HostId, LogHead> = Object.fromEntries(entries.map(({ signer, body }) => [signer, headOf(body)]))
  const profiles = hosts.map((host, index) => profileOf(mesh, host, index))
  const recipient: AnySigned = {
    ...signedBy(mesh, hosts[0] ?? ''),
    domain: 'record',
    body: { kind: 'recipient', name: 'phone', publicKey: RECIPIENT_KEY, atUnixMs: STARTED_UNIX_MS },
  }
  return {
    mesh,
    hosts,
    checks,
    restored: {
      incarnation: EARLIER_INCARNATION + 1,
      heads,
      entries: entries.map((record) => ({ record, ageMs: CHECK_EVERY_MS })),
      carried: [...profiles, recipient].map((record) => ({ record, ageMs: CHECK_EVERY_MS })),
      incidents: [],
    },
  }
}

/** The place of an entry in its log. */
export function headOf(body: Entry): LogHead {
  return { incarnation: body.life.incarnation, seq: body.seq, cid: cidOf(encodeCanonical(body)) }
}

/** What a healthy check says: as many values and words as the kind `disk` gives. */
export function observedOf({ name }: CheckSpec, runs: number): Observed {
  const usedPercent = 40 + (runs % 7) / 10
  return {
    check: name,
    observation: {
      values: { free_percent: 100 - usedPercent, free_bytes: 107_374_182_400 + runs * 4_096, read_only: false },
      durationMs: 12,
      text: `${100 - usedPercent} % free (100 GiB)`,
    },
    judgement: 'ok',
    because: '',
  }
}

function specOf(index: number): CheckSpec {
  return {
    name: `check-${index + 1}`,
    kind: 'disk',
    everyMs: CHECK_EVERY_MS,
    graceMs: CHECK_GRACE_MS,
    after: 1,
    recover: 1,
    forMs: 0,
    heartbeat: 'awake',
    tags: [],
  }
}

function signedBy(mesh: MeshId, signer: HostId) {
  return { version: 1, mesh, signer, signature: new Uint8Array(0) }
}

function entryOf(mesh: MeshId, host: HostId, checks: readonly CheckSpec[]): SignedAs<'entry'> {
  const results = checks.map((spec) => {
    const { observation, judgement, because } = observedOf(spec, 0)
    return {
      check: spec.name,
      kind: spec.kind,
      status: 'ok' as const,
      judgement,
      episode: 0,
      values: observation.values,
      text: observation.text,
      because,
      durationMs: observation.durationMs,
      everyMs: spec.everyMs,
      graceMs: spec.graceMs,
      heartbeat: spec.heartbeat,
      atUnixMs: STARTED_UNIX_MS,
    }
  })
  const life = { incarnation: EARLIER_INCARNATION, epoch: 0 }
  const body = { life, seq: 1, previous: null, atUnixMs: STARTED_UNIX_MS, results, retired: [] }
  return { ...signedBy(mesh, host), domain: 'entry', body }
}

function profileOf(mesh: MeshId, host: HostId, index: number): AnySigned {
  const address = `/ip4/10.${index >> 8}.${index & 255}.1/tcp`
  return {
    ...signedBy(mesh, host),
    domain: 'record',
    body: {
      kind: 'member',
      name: `host-${index + 1}`,
      addresses: [`${address}/4650`],
      wakuAddresses: [`${address}/4652/ws/p2p/${host}`],
      everyMs: PRESENCE_CLASS.everyMs,
      graceMs: PRESENCE_CLASS.graceMs,
      sleeps: PRESENCE_CLASS.sleeps,
      certificate: new Uint8Array(CERTIFICATE_BYTES),
      serial: 1,
    },
  }
}
