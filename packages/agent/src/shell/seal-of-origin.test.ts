import { type AnySigned, bytesToSignOf, type SignedAs, WIRE_VERSION } from '@muster/protocol'
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

const { meshId: mesh } = meshKey
const life = { incarnation: 1, epoch: 0 }

function signed<D extends 'entry' | 'vote' | 'heartbeat'>(
  key: HostKey,
  domain: D,
  body: SignedAs<D>['body'],
  claimed: Partial<Pick<SignedAs<D>, 'mesh' | 'signer'>> = {},
): SignedAs<D> {
  const { hostId: signer } = key
  const record = { domain, version: WIRE_VERSION, mesh, signer, body, signature: new Uint8Array(), ...claimed }
  return { ...record, signature: key.sign(bytesToSignOf(record as AnySigned)) } as SignedAs<D>
}

function entryOf(key: HostKey, claimed: { mesh?: string; signer?: string } = {}): SignedAs<'entry'> {
  return signed(key, 'entry', { life, seq: 1, previous: null, atUnixMs: 0, results: [], retired: [] }, claimed)
}

function voteOf(key: HostKey, evidence: SignedAs<'heartbeat'>): SignedAs<'vote'> {
  return signed(key, 'vote', { subject: evidence.signer, life, beat: 1, ageMs: 1, round: 1, evidence })
}

function heartbeatOf(key: HostKey): SignedAs<'heartbeat'> {
  return signed(key, 'heartbeat', {
    ...{ life, beat: 1, everyMs: 10_000, graceMs: 5_000, restartMs: 1, sleeps: false, mode: 'up' },
    ...{ head: null, observers: [], wakuAgeMs: null, sets: '00c0ffee0badcafe', nonce: null },
  })
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
