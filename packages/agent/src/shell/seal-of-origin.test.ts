import { bytesToSignOf, type HostId, type SignedAs, WIRE_VERSION } from '@muster/protocol'
import { expect, test } from 'vitest'
import { createCertificateBook, issueCertificate } from '../identity/certificate.ts'
import { generateHostKey, type HostKey, hostKeyOf } from '../identity/host-key.ts'
import { meshKeyOf } from '../identity/mesh-key.ts'
import { createSealOfOrigin } from './seal-of-origin.ts'

const meshKey = meshKeyOf(new Uint8Array(32).fill(1))
const me = hostKeyOf(new Uint8Array(32).fill(2))
const vps = hostKeyOf(new Uint8Array(32).fill(3))
const stranger = generateHostKey()

const book = createCertificateBook(meshKey.publicKey)
for (const [{ hostId }, name] of [
  [me, 'me'],
  [vps, 'vps'],
] as const) {
  book.admit(issueCertificate(meshKey, { host: hostId, name, serial: 1, issuedAtUnixMs: 0 }))
}
const seal = createSealOfOrigin({ hostKey: me, mesh: meshKey.meshId, book })

function entryOf(key: HostKey, { mesh = meshKey.meshId, signer = key.hostId } = {}): SignedAs<'entry'> {
  const body = { life: { incarnation: 1, epoch: 0 }, seq: 1, previous: null, atUnixMs: 0, results: [], retired: [] }
  return signed(key, { domain: 'entry', version: WIRE_VERSION, mesh, signer, body, signature: new Uint8Array() })
}

function voteOf(key: HostKey, evidence: SignedAs<'heartbeat'>): SignedAs<'vote'> {
  const life = { incarnation: 1, epoch: 0 }
  const body = { subject: evidence.signer, life, beat: 1, ageMs: 1, round: 1, evidence }
  const { meshId: mesh } = meshKey
  return signed(key, {
    domain: 'vote',
    version: WIRE_VERSION,
    mesh,
    signer: key.hostId,
    body,
    signature: new Uint8Array(),
  })
}

function heartbeatOf(key: HostKey): SignedAs<'heartbeat'> {
  const body = {
    life: { incarnation: 1, epoch: 0 },
    beat: 1,
    everyMs: 10_000,
    graceMs: 5_000,
    sleeps: false,
    mode: 'up',
    restartMs: 1,
    head: null,
    observers: [] as HostId[],
    wakuAgeMs: null,
    sets: '00c0ffee0badcafe',
    nonce: null,
  } as const
  const { meshId: mesh } = meshKey
  return signed(key, {
    domain: 'heartbeat',
    version: WIRE_VERSION,
    mesh,
    signer: key.hostId,
    body,
    signature: new Uint8Array(),
  })
}

function signed<R extends SignedAs<'entry' | 'vote' | 'heartbeat'>>(key: HostKey, record: R): R {
  return { ...record, signature: key.sign(bytesToSignOf(record)) }
}

const genuine = entryOf(vps)
const beat = heartbeatOf(vps)
const altered = { ...beat, body: { ...beat.body, beat: 2 } }

test.each([
  ['of a member', genuine, null],
  ['with another body', { ...genuine, body: { ...genuine.body, seq: 2 } }, 'bad-signature'],
  ['with a signature that is none', { ...genuine, signature: new Uint8Array(3) }, 'bad-signature'],
  ['signed by another member', entryOf(me, { signer: vps.hostId }), 'bad-signature'],
  ['of a stranger', entryOf(stranger), 'not-a-member'],
  ['of no host at all', entryOf(vps, { signer: 'nobody' }), 'not-a-member'],
  ['of another mesh', entryOf(vps, { mesh: 'bb'.repeat(16) }), 'other-mesh'],
  ['with genuine evidence inside', voteOf(me, beat), null],
  ['with altered evidence inside', voteOf(me, altered), 'bad-signature'],
  ['with evidence of a stranger inside', voteOf(me, heartbeatOf(stranger)), 'not-a-member'],
] as const)('a record %s is judged alike on this thread and on others', async (_, record, code) => {
  const now = await Promise.resolve()
    .then(() => seal.verify(record))
    .then(codeOf, codeOf)
  expect([now, await seal.verifyLater(record).then(codeOf, codeOf)]).toEqual([code, code])
})

function codeOf(outcome: unknown): string | null {
  return outcome instanceof Error && 'code' in outcome ? String(outcome.code) : null
}
