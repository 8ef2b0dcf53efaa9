import { expect, test } from 'vitest'
import { rosterWith } from './roster.ts'

const HOSTS = ['ash', 'birch', 'cedar', 'dune', 'elm']

test('a roster stays in order and holds each host once, whoever comes and goes', () => {
  for (const host of HOSTS) {
    const others = HOSTS.filter((other) => other !== host)
    expect(rosterWith(others, host, true)).toEqual(HOSTS)
    expect(rosterWith(HOSTS, host, false)).toEqual(others)
    expect(rosterWith(HOSTS, host, true)).toBe(HOSTS)
    expect(rosterWith(others, host, false)).toBe(others)
  }
  expect(rosterWith([], 'ash', true)).toEqual(['ash'])
})
