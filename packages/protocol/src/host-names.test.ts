import { describe, expect, test } from 'vitest'
import { hostsCalled, labelOf, nameOf, namesakesIn } from './host-names.ts'
import type { HostId } from './ids.ts'
import type { Member, MemberState } from './state.ts'
import { memberAt, stateWith } from './testing/make-state.ts'

const FIRST = '12D3KooWabcdefgh'
const SECOND = '12D3KooWstuvwxyz'

function bearing(host: HostId, name: string, state: MemberState = 'alive'): Member {
  const rest = { addresses: [], wakuAddresses: [], everyMs: 10_000, graceMs: 5_000, sleeps: false, serial: 1 }
  return memberAt(host, 0, { state, profile: { kind: 'member', name, certificate: new Uint8Array(), ...rest } })
}

test('a host goes by its announced name, or by the end of its id', () => {
  const state = stateWith([bearing('vps', 'web'), memberAt(FIRST)])
  expect([nameOf(state, 'vps'), nameOf(state, 'me'), nameOf(state, FIRST)]).toEqual(['web', 'me', 'abcdefgh'])
})

describe('two hosts of one name', () => {
  test('are told apart by the ends of their ids, whether they are heard or not', () => {
    const state = stateWith([bearing(FIRST, 'web'), bearing(SECOND, 'web', 'silent'), bearing('nas', 'nas')])
    expect([FIRST, SECOND, 'nas'].map((host) => labelOf(state, host))).toEqual([
      'web (abcdefgh)',
      'web (stuvwxyz)',
      'nas',
    ])
  })

  test('are two also when one of them is this host, and one when the other has left', () => {
    const state = stateWith([bearing(FIRST, 'me')])
    expect([labelOf(state, FIRST), labelOf(state, 'me')]).toEqual(['me (abcdefgh)', 'me (me)'])
    expect(labelOf(stateWith([bearing(FIRST, 'web'), bearing(SECOND, 'web', 'left')]), FIRST)).toBe('web')
  })

  test('have labels no longer than a name in a notice may be', () => {
    const long = 'n'.repeat(63)
    expect(labelOf(stateWith([bearing(FIRST, long), bearing(SECOND, long)]), FIRST)).toHaveLength(64)
  })

  test.each<[string, MemberState, boolean]>([
    ['are complained of while both are here', 'alive', true],
    ['and while one is doubted', 'suspect', true],
    ['not when one was replaced by the other and is no more', 'silent', false],
    ['not when one has left', 'left', false],
  ])('%s', (_, standing, expected) => {
    const state = stateWith([bearing(FIRST, 'web'), bearing(SECOND, 'web', standing), bearing('nas', 'nas')])
    expect(namesakesIn(state)).toEqual(expected ? [[FIRST, SECOND]] : [])
  })

  test('are complained of when one is this host', () => {
    expect(namesakesIn(stateWith([bearing(FIRST, 'me'), bearing(SECOND, 'web')]))).toEqual([[FIRST, 'me']])
  })

  test.each<[string, readonly HostId[]]>([
    ['web', [FIRST, SECOND]],
    [FIRST, [FIRST]],
    ['stuvwxyz', [SECOND]],
    ['old', ['12D3KooWleftleft']],
    ['nas', ['nas']],
    ['nobody', []],
  ])('%s names %j', (nameOrId, expected) => {
    const members = [
      bearing(FIRST, 'web'),
      bearing(SECOND, 'web'),
      bearing('12D3KooWleftleft', 'old', 'left'),
      bearing('nas', 'nas'),
      bearing('12D3KooWnasgone1', 'nas', 'left'),
    ]
    expect(hostsCalled(stateWith(members), nameOrId)).toEqual(expected)
  })
})
