import { expect, test } from 'vitest'
import { configPage } from './docs.ts'
import { parseConfig } from './load.ts'
import { restartKeysBetween } from './restart-keys.ts'

const parse = (text: string) => parseConfig(text, { file: 'muster.yaml', defaultHost: 'vps-1' }).config

/** By key: a config in which it alone is another than the default. */
const CHANGES: Readonly<Record<string, string>> = {
  host: 'host: other',
  tags: 'tags: [home]',
  'swarm.listen': 'swarm: {listen: [/ip4/127.0.0.1/tcp/4650]}',
  'swarm.peers': 'swarm: {peers: [/ip4/192.0.2.7/tcp/4650]}',
  'presence.every': 'presence: {every: 20s}',
  'presence.grace': 'presence: {grace: 6s}',
  'presence.sleeps': 'presence: {sleeps: true}',
  'presence.restart': 'presence: {restart: 6m}',
  'waku.serve': 'waku: {serve: false}',
  'waku.listen': 'waku: {listen: [/ip4/127.0.0.1/tcp/4652/ws]}',
  'waku.nodes': 'waku: {nodes: [/ip4/192.0.2.7/tcp/8000/ws/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN]}',
  'notify.remind': 'notify: {remind: 5h}',
  'notify.fallback': 'notify: {fallback: []}',
  'api.listen': 'api: {listen: "127.0.0.1:4661"}',
}

test('docs/config.md says of each key what a running agent does with a change of it', () => {
  const rows = [...configPage().matchAll(/^\| `(\S+)` \| [^|]*\| (restart|reload) \|/gm)]
  expect(rows.map(([, key]) => key).sort()).toEqual(Object.keys(CHANGES).sort())
  // The core and what listens are made with these; tags, peers, nodes and checks are asked for each time.
  const reloaded = rows.filter(([, , said]) => said === 'reload').map(([, key]) => key)
  expect(reloaded).toEqual(['tags', 'swarm.peers', 'waku.nodes', 'notify.fallback'])
  for (const [, key = '', said] of rows) {
    const needed = restartKeysBetween(parse(''), parse(CHANGES[key] ?? ''))
    expect({ key, said }).toEqual({ key, said: needed.length > 0 ? 'restart' : 'reload' })
    for (const each of needed) expect(key.startsWith(each), key).toBe(true)
  }
  const checks = parse('checks: [{name: cpu, kind: cpu}]')
  expect(restartKeysBetween(parse(''), checks)).toEqual([])
})
