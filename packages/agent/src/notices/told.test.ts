import { encodeCanonical, type Notice, ProtocolError } from '@muster/protocol'
import { describe, expect, it } from 'vitest'
import { encodeCertificate, issueCertificate } from '../identity/certificate.ts'
import { hostKeyOf } from '../identity/host-key.ts'
import { meshKeyOf } from '../identity/mesh-key.ts'
import { createSigner } from '../identity/signer.ts'
import { decodeAnswer, encodeAnswer } from './answer.ts'
import { encodeTold, openTold } from './told.ts'
import { encodeWelcome, openWelcome } from './welcome.ts'

const mesh = meshKeyOf(new Uint8Array(32).fill(1))
const otherMesh = meshKeyOf(new Uint8Array(32).fill(2))
const host = hostKeyOf(new Uint8Array(32).fill(3))
const stranger = hostKeyOf(new Uint8Array(32).fill(4))
const sign = createSigner({ hostKey: host, meshId: mesh.meshId })
const certificate = encodeCertificate(
  issueCertificate(mesh, { host: host.hostId, name: 'laptop', serial: 1, issuedAtUnixMs: 1 }),
)
const notice: Notice = {
  mesh: mesh.meshId,
  transition: 'fired',
  incidents: [
    {
      id: 'a'.repeat(32),
      aliases: [],
      host: stranger.hostId,
      hostName: 'vps-1',
      check: '',
      fault: 'silent',
      severity: 'critical',
      sinceUnixMs: 1_000,
      lastedMs: 21_000,
      voters: ['laptop', 'home-server'],
      observers: 2,
      alsoOn: ['disk'],
      because: '',
    },
  ],
  massDeath: false,
  toldBy: 'laptop',
  writtenUnixMs: 22_000,
}

describe('a notice', () => {
  it('opens for who pinned the mesh, and names the host that told it', () => {
    const nodes = ['/ip4/127.0.0.1/tcp/1/ws']
    const opened = openTold(encodeTold(notice, sign, certificate, nodes), mesh.publicKey)
    expect(opened).toEqual({ notice, teller: 'laptop', nodes })
  })

  it('of another mesh does not open', () => {
    expect(() => openTold(encodeTold(notice, sign, certificate), otherMesh.publicKey)).toThrow(ProtocolError)
  })

  it('signed by a host that the certificate is not for does not open', () => {
    const forged = createSigner({ hostKey: stranger, meshId: mesh.meshId })
    expect(() => openTold(encodeTold(notice, forged, certificate), mesh.publicKey)).toThrow(ProtocolError)
  })

  it('whose certificate the mesh did not sign does not open', () => {
    const own = issueCertificate(otherMesh, { host: host.hostId, name: 'laptop', serial: 1, issuedAtUnixMs: 1 })
    expect(() => openTold(encodeTold(notice, sign, encodeCertificate(own)), mesh.publicKey)).toThrow(ProtocolError)
  })

  it('with any one byte changed does not open', () => {
    const bytes = encodeTold(notice, sign, certificate)
    for (let at = 0; at < bytes.byteLength; at += 1) {
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(() => openTold(changed, mesh.publicKey), `byte ${at}`).toThrow(ProtocolError)
    }
  })

  it('signed under another domain does not open', () => {
    const elsewhere = encodeWelcome(
      { recipient: 'phone', nodes: [], meshWakuKey: new Uint8Array(65) },
      sign,
      certificate,
    )
    expect(() => openTold(elsewhere, mesh.publicKey)).toThrow(ProtocolError)
  })
})

it('a welcome opens for who pinned the mesh, and for nobody else', () => {
  const welcome = { recipient: 'phone', nodes: ['/ip4/127.0.0.1/tcp/1/ws'], meshWakuKey: new Uint8Array(65).fill(5) }
  const bytes = encodeWelcome(welcome, sign, certificate)
  expect(openWelcome(bytes, mesh.publicKey)).toEqual(welcome)
  expect(() => openWelcome(bytes, otherMesh.publicKey)).toThrow(ProtocolError)
})

describe('an answer', () => {
  it('comes back as it was written', () => {
    const answer = { kind: 'delivered', incidents: ['b'.repeat(32)], transition: 'reminder-2' } as const
    expect(decodeAnswer(encodeAnswer(answer))).toEqual(answer)
  })

  it.each([
    ['no map', 1],
    ['another version', { i: ['b'.repeat(32)], k: 'delivered', t: 'fired', v: 2 }],
    ['no incident', { i: [], k: 'delivered', t: 'fired', v: 1 }],
    ['a word that is no transition', { i: ['b'.repeat(32)], k: 'delivered', t: 'burned', v: 1 }],
  ])('that is %s is refused', (_, body) => {
    expect(() => decodeAnswer(encodeCanonical(body))).toThrow(ProtocolError)
  })
})
