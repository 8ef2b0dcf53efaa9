import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect, it } from 'vitest'
import { hostIdOfSeed, publicKeyOf, publicKeyOfHostId } from './host-id.ts'
import { keyOf } from './testing/harness.ts'

it.each(['ann', 'bob', 'cid'])('is the peer id of libp2p, and gives the key back: %s', (name) => {
  const seed = keyOf(name)
  const host = hostIdOfSeed(seed)
  expect(host).toBe(peerIdFromPrivateKey(privateKeyFromRaw(Buffer.concat([seed, publicKeyOf(seed)]))).toString())
  expect(publicKeyOfHostId(host)).toEqual(publicKeyOf(seed))
})

it.each(['', '12D3KooW', 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N', 'not base 58: 0OIl'])(
  'no key in %j',
  (text) => {
    expect(publicKeyOfHostId(text)).toBeUndefined()
  },
)
