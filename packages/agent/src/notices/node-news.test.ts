import { ProtocolError } from '@muster/protocol'
import { expect, it } from 'vitest'
import { encodeCertificate, issueCertificate } from '../identity/certificate.ts'
import { hostKeyOf } from '../identity/host-key.ts'
import { meshKeyOf } from '../identity/mesh-key.ts'
import { createSigner } from '../identity/signer.ts'
import { encodeNodeNews, openNodeNews } from './node-news.ts'

const mesh = meshKeyOf(new Uint8Array(32).fill(1))
const host = hostKeyOf(new Uint8Array(32).fill(3))
const sign = createSigner({ hostKey: host, meshId: mesh.meshId })
const certificate = encodeCertificate(
  issueCertificate(mesh, { host: host.hostId, name: 'laptop', serial: 1, issuedAtUnixMs: 1 }),
)
const nodes = ['/ip4/127.0.0.1/tcp/4652/ws/p2p/12D3KooW', '/dns4/vps-1.example.org/tcp/4652/ws']

it('news of nodes opens for who pinned the mesh, and for nobody else', () => {
  const bytes = encodeNodeNews(nodes, sign, certificate)
  expect(openNodeNews(bytes, mesh.publicKey)).toEqual(nodes)
  expect(() => openNodeNews(bytes, meshKeyOf(new Uint8Array(32).fill(2)).publicKey)).toThrow(ProtocolError)
})

it('news of nodes with any one byte changed does not open', () => {
  const bytes = encodeNodeNews(nodes, sign, certificate)
  for (let at = 0; at < bytes.byteLength; at += 1) {
    const changed = Uint8Array.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => openNodeNews(changed, mesh.publicKey), `byte ${at}`).toThrow(ProtocolError)
  }
})
