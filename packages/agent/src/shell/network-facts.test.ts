import { expect, test } from 'vitest'
import { rememberAddresses } from './network-facts.ts'

const home = { hasRoute: true, text: '192.0.2.7/24' }
const away = { hasRoute: true, text: '198.51.100.7/24' }
const [first, second] = [{}, {}]

test.each([
  ['nothing changed', 5_999, home, first, 1],
  ['time has passed', 6_000, home, first, 2],
  ['the network is another', 0, away, first, 2],
  ['the node was made anew', 0, home, second, 2],
])('addresses are looked at again only for a reason: %s', (_why, passedMs, network, owner, looks) => {
  let [nowMs, looked] = [100, 0]
  const addresses = rememberAddresses(
    () => {
      looked += 1
      return [`/look/${looked}`]
    },
    () => nowMs,
  )
  expect(addresses(home, first)).toEqual(['/look/1'])
  nowMs += passedMs
  expect(addresses(network, owner)).toEqual([`/look/${looks}`])
})
