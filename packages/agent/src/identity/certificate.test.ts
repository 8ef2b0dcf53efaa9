import { bytesToSign, cidOf, decodeEnvelope, encodeCanonical, encodeEnvelope } from '@muster/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Certificate,
  createCertificateBook,
  decodeCertificate,
  encodeCertificate,
  isHostName,
  issueCertificate,
  readCertificate,
  verifyCertificate,
} from './certificate.ts'
import { hostKeyOf } from './host-key.ts'
import { meshKeyOf } from './mesh-key.ts'
import { createSigner, verifyEnvelope } from './signer.ts'

const mesh = meshKeyOf(new Uint8Array(32).fill(1))
const otherMesh = meshKeyOf(new Uint8Array(32).fill(2))
const laptop = hostKeyOf(new Uint8Array(32).fill(3))
const vps = hostKeyOf(new Uint8Array(32).fill(4))
const issue = (name = 'laptop', serial = 0): Certificate =>
  issueCertificate(mesh, { host: laptop.hostId, name, serial, issuedAtUnixMs: 1_700_000_000_000 })

describe('a certificate', () => {
  test('travels as canonical bytes that are kept for ever', () => {
    const bytes = encodeCertificate(issue())
    expect(decodeCertificate(bytes, mesh.publicKey)).toEqual(issue())
    expect(bytes.byteLength).toBeLessThan(400)
    expect(cidOf(bytes)).toBe('bafyreibqwkpk6otth6enxgkwxpkdad3w7vl3xvkp63bia6uax3frr2t7lu')
  })

  test('may be nested in another record', () => {
    const outer = decodeEnvelope(
      encodeEnvelope({ ...issue(), body: { inner: decodedEnvelope(issue()) }, signature: new Uint8Array() }),
      4096,
    )
    expect(readCertificate((outer.body as { inner: unknown }).inner, mesh.publicKey)).toEqual(issue())
  })

  const resigned = (change: object): Certificate => {
    const record = { ...issue(), ...change }
    return { ...record, signature: mesh.sign(bytesToSign(record)) }
  }
  test.each([
    ['pinned to another mesh', issue(), otherMesh.publicKey, 'other-mesh'],
    ['that names another mesh', resigned({ mesh: otherMesh.meshId }), mesh.publicKey, 'other-mesh'],
    [
      'that holds another key',
      resigned({ body: { ...issue().body, key: otherMesh.publicKey } }),
      mesh.publicKey,
      'other-mesh',
    ],
    ['with another name', { ...issue(), body: { ...issue().body, name: 'vps' } }, mesh.publicKey, 'bad-signature'],
    ['with another host', { ...issue(), body: { ...issue().body, host: vps.hostId } }, mesh.publicKey, 'bad-signature'],
    ['with a zero signature', { ...issue(), signature: new Uint8Array(64) }, mesh.publicKey, 'bad-signature'],
    ['of another domain', resigned({ domain: 'entry' }), mesh.publicKey, 'malformed'],
    ['signed by a host', resigned({ signer: laptop.hostId }), mesh.publicKey, 'malformed'],
    ['with a key too many', resigned({ body: { ...issue().body, role: 'admin' } }), mesh.publicKey, 'malformed'],
    ['without a serial', resigned({ body: { host: laptop.hostId, name: 'laptop' } }), mesh.publicKey, 'malformed'],
    ['with half a serial', resigned({ body: { ...issue().body, serial: 0.5 } }), mesh.publicKey, 'malformed'],
    ['for no host', resigned({ body: { ...issue().body, host: 'laptop' } }), mesh.publicKey, 'malformed'],
  ])('%s is refused', (_, certificate, key, code) => {
    expect(() => verifyCertificate(certificate, key)).toThrow(expect.objectContaining({ code }))
  })

  test('any changed byte makes it worthless', () => {
    const bytes = encodeCertificate(issue())
    fc.assert(
      fc.property(fc.nat(bytes.byteLength - 1), fc.integer({ min: 1, max: 255 }), (index, change) => {
        const changed = bytes.with(index, (bytes[index] ?? 0) ^ change)
        expect(() => decodeCertificate(changed, mesh.publicKey)).toThrow(
          expect.objectContaining({ name: 'ProtocolError' }),
        )
      }),
    )
  })

  test.each([
    ['a', true],
    ['vps-1.example_org', true],
    ['1', true],
    ['x'.repeat(63), true],
    ['x'.repeat(64), false],
    ['', false],
    ['-a', false],
    ['.', false],
    ['a b', false],
    ['a/b', false],
    ['ä', false],
    ['a\n', false],
  ])('the name %j is allowed: %s', (name, isAllowed) => {
    expect(isHostName(name)).toBe(isAllowed)
    if (isAllowed) expect(issue(name).body.name).toBe(name)
    else expect(() => issue(name)).toThrow(expect.objectContaining({ code: 'malformed' }))
  })
})

describe('the book of certificates', () => {
  test('keeps the highest serial of each host', () => {
    const book = createCertificateBook(mesh.publicKey)
    expect(book.admit(issue('old', 1)).body.name).toBe('old')
    expect(book.admit(issue('new', 2)).body.name).toBe('new')
    expect(book.admit(issue('older', 0)).body.name).toBe('new')
    expect(book.get(laptop.hostId)?.body.name).toBe('new')
    expect(book.all()).toHaveLength(1)
  })

  test('knows nobody whom another mesh vouches for', () => {
    const book = createCertificateBook(otherMesh.publicKey)
    expect(() => book.admit(issue())).toThrow(expect.objectContaining({ code: 'other-mesh' }))
    expect(book.get(laptop.hostId)).toBeUndefined()
  })
})

describe('a record', () => {
  const members = { meshId: mesh.meshId, isMember: (host: string) => host === laptop.hostId }
  const sign = createSigner({ hostKey: laptop, meshId: mesh.meshId })

  test('of a member is accepted after its journey', () => {
    const record = decodeEnvelope(encodeEnvelope(sign('entry', { seq: 1 })), 4096)
    expect(verifyEnvelope(record, 'entry', members)).toBe(record)
  })

  test.each([
    ['of another mesh', createSigner({ hostKey: laptop, meshId: otherMesh.meshId })('entry', {}), 'other-mesh'],
    ['of another domain', sign('vote', {}), 'malformed'],
    ['of a stranger', createSigner({ hostKey: vps, meshId: mesh.meshId })('entry', {}), 'not-a-member'],
    [
      'in another name',
      { ...createSigner({ hostKey: vps, meshId: mesh.meshId })('entry', {}), signer: laptop.hostId },
      'bad-signature',
    ],
    ['with another body', { ...sign('entry', {}), body: { seq: 2 } }, 'bad-signature'],
    ['without a signature', { ...sign('entry', {}), signature: new Uint8Array() }, 'bad-signature'],
  ])('%s is refused', (_, record, code) => {
    expect(() => verifyEnvelope(record, 'entry', members)).toThrow(expect.objectContaining({ code }))
  })

  test('signed for one domain cannot be passed off as another', () => {
    const forged = { ...sign('entry', {}), domain: 'verdict' }
    expect(() => verifyEnvelope(forged, 'verdict', members)).toThrow(expect.objectContaining({ code: 'bad-signature' }))
  })
})

/** An envelope as a decoder meets it inside another. */
function decodedEnvelope(record: Certificate): unknown {
  const { body: b, domain: d, signature: g, mesh: m, signer: s, version: v } = record
  expect(encodeCanonical({ b, d, g, m, s, v })).toEqual(encodeEnvelope(record))
  return { b, d, g, m, s, v }
}
