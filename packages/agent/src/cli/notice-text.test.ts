import { CLOSED_BY_LEAVE, type Notice, type ToldIncident } from '@muster/protocol'
import { expect, test } from 'vitest'
import { headingOf, noticeText } from './notice-text.ts'

const SINCE = Date.UTC(2026, 10, 21, 2, 13, 44)
const BERLIN = { nowUnixMs: SINCE + 21_000, timeZone: 'Europe/Berlin' }

function incident(more: Partial<ToldIncident> = {}): ToldIncident {
  return {
    id: `7f3a${'0'.repeat(60)}`,
    aliases: [],
    host: '12D3KooWvps',
    hostName: 'vps-1',
    check: '',
    fault: 'silent',
    severity: 'critical',
    sinceUnixMs: SINCE,
    lastedMs: 21_000,
    voters: ['laptop', 'home-server'],
    observers: 2,
    alsoOn: ['site', 'beacon', 'disk', 'backup'],
    because: '',
    ...more,
  }
}

function notice(more: Partial<Notice> = {}, ...incidents: ToldIncident[]): Notice {
  return {
    mesh: 'm',
    transition: 'fired',
    incidents: incidents.length === 0 ? [incident()] : incidents,
    massDeath: false,
    toldBy: 'home-server',
    writtenUnixMs: SINCE + 21_000,
    ...more,
  }
}

test('a dead host, as the contract shows it', () => {
  expect(noticeText(notice(), BERLIN)).toBe(
    `CRITICAL  vps-1 is silent since 03:13:44 CET (21 s ago)
2 of 2 peers agree: laptop, home-server. No answer to a direct dial either: power or network.
Also on vps-1: site, beacon, disk, backup (4 checks, now unknown)
Told by home-server. Answer: muster ack 7f3a · muster silence 7f3a --for 2h`,
  )
})

test.each<[string, Notice, string]>([
  [
    'one observer is UNKNOWN, never CRITICAL',
    notice({}, incident({ severity: 'unknown', voters: ['laptop'], observers: 1, alsoOn: [] })),
    `UNKNOWN  vps-1 is silent, says one observer, since 03:13:44 CET (21 s ago)
Only one observer: laptop. No answer to a direct dial either: power or network.`,
  ],
  [
    'stopped and not back',
    notice({}, incident({ fault: 'stopped', alsoOn: [] })),
    `CRITICAL  vps-1 was stopped and is not back, since 03:13:44 CET (21 s ago)
2 of 2 peers agree: laptop, home-server. It said that it was stopping, and is not back in its time.`,
  ],
  [
    'isolated: it accuses nobody',
    notice({}, incident({ fault: 'isolated', hostName: 'laptop', observers: 2, alsoOn: [] })),
    `CRITICAL  laptop hears nobody since 03:13:44 CET (21 s ago)
It hears none of the other 2 and accuses nobody: its own network, or all the others at once.`,
  ],
  [
    'flapping',
    notice({}, incident({ fault: 'flapping', alsoOn: [] })),
    `CRITICAL  vps-1 comes and goes, silent since 03:13:44 CET (21 s ago)
2 of 2 peers agree: laptop, home-server. No answer to a direct dial either: power or network.`,
  ],
  [
    'a check, with its value against the threshold',
    notice(
      {},
      incident({ fault: 'check', check: 'site', severity: 'warning', because: '2139 > 2000: yes', alsoOn: [] }),
    ),
    `WARNING  site on vps-1 is warning since 03:13:44 CET (21 s ago)
2139 > 2000: yes`,
  ],
  [
    'worse',
    notice({ transition: 'worse' }, incident({ fault: 'check', check: 'disk', because: '3 < 5: yes', alsoOn: [] })),
    `CRITICAL  disk on vps-1 has become critical since 03:13:44 CET (21 s ago)
3 < 5: yes`,
  ],
  [
    'a reminder',
    notice(
      { transition: 'reminder-1', writtenUnixMs: SINCE + 14_400_000 },
      incident({ lastedMs: 14_400_000, alsoOn: [] }),
    ),
    `CRITICAL  vps-1 is still silent since 03:13:44 CET (4 h ago)
2 of 2 peers agree: laptop, home-server. No answer to a direct dial either: power or network.`,
  ],
])('%s', (_, given, expected) => {
  const text = noticeText(given, BERLIN)
  expect(text.slice(0, text.lastIndexOf('\n'))).toBe(expected)
})

test.each<[Partial<ToldIncident>, string]>([
  [{}, 'vps-1 is back. It was silent for 27 min 36 s, 03:13:44 CET to 03:41:20 CET'],
  [{ fault: 'stopped' }, 'vps-1 is back. It was stopped for 27 min 36 s, 03:13:44 CET to 03:41:20 CET'],
  [{ fault: 'isolated' }, 'vps-1 hears others again. It heard nobody for 27 min 36 s, 03:13:44 CET to 03:41:20 CET'],
  [{ fault: 'flapping' }, 'vps-1 is steady again. It came and went for 27 min 36 s, 03:13:44 CET to 03:41:20 CET'],
  [
    { fault: 'check', check: 'site' },
    'site on vps-1 is well again. It was critical for 27 min 36 s, 03:13:44 CET to 03:41:20 CET',
  ],
  [
    { because: CLOSED_BY_LEAVE },
    'vps-1 has left the mesh. It was silent for 27 min 36 s, 03:13:44 CET to 03:41:20 CET',
  ],
  [
    { fault: 'flapping', because: CLOSED_BY_LEAVE },
    'vps-1 has left the mesh. It came and went for 27 min 36 s, 03:13:44 CET to 03:41:20 CET',
  ],
  [
    { fault: 'check', check: 'load', severity: 'warning', because: CLOSED_BY_LEAVE },
    'load on vps-1 is closed, for its host has left the mesh. It was warning for 27 min 36 s, 03:13:44 CET to 03:41:20 CET',
  ],
])('the end of %o says everything by itself', (more, line) => {
  const resolved = notice({ transition: 'resolved' }, incident({ lastedMs: 1_656_000, ...more }))
  expect(noticeText(resolved, BERLIN)).toBe(`RESOLVED  ${line}\nTold by home-server.`)
})

test('several hosts at once are one notice with a line each', () => {
  const text = noticeText(notice({}, incident(), incident({ hostName: 'nas' })), BERLIN)
  expect(text.split('\n')[0]).toBe('CRITICAL  2 hosts are in trouble: vps-1, nas')
  expect(text.split('\n')[2]).toContain('nas is silent since 03:13:44 CET (21 s ago). 2 of 2 peers agree')
})

test('several ends of which one is a goodbye are not a return', () => {
  const ends = [incident(), incident({ hostName: 'nas', because: CLOSED_BY_LEAVE })]
  const text = noticeText(notice({ transition: 'resolved' }, ...ends), BERLIN)
  expect(text.split('\n')[0]).toBe('RESOLVED  2 hosts are no longer missed: vps-1, nas')
  expect(text.split('\n')[2]).toContain('nas has left the mesh. It was silent for')
})

test('more than half at once is named for what it may be', () => {
  const text = noticeText(notice({ massDeath: true }, incident(), incident({ hostName: 'nas' })), BERLIN)
  expect(text.split('\n')[0]).toBe('CRITICAL  split or mass death: 2 hosts vanished at once: vps-1, nas')
})

test('a notice that is read the next day counts on and shows the date', () => {
  const text = noticeText(notice(), { nowUnixMs: SINCE + 86_400_000 + 21_000, timeZone: 'Europe/Berlin' })
  expect(text.split('\n')[0]).toBe('CRITICAL  vps-1 is silent since 2026-11-21 03:13:44 CET (1 d ago)')
})

test('a reader whose clock is behind does not see the future', () => {
  expect(noticeText(notice(), { ...BERLIN, nowUnixMs: SINCE - 60_000 })).toContain('(21 s ago)')
})

test('what others wrote cannot command a terminal or hide', () => {
  const evil = '\u001b]0;owned\u0007vps\u202e1\u200b\n\u009b31mFAKE'
  const hostile = incident({ hostName: evil, voters: [evil], alsoOn: [evil], id: `\u001b[2J${'0'.repeat(60)}` })
  const text = noticeText(notice({ toldBy: evil }, hostile), BERLIN)
  for (const line of text.split('\n')) expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  expect(text.split('\n')).toHaveLength(4)
})

test('the worst severity heads the notice', () => {
  const of = (...severities: ToldIncident['severity'][]) =>
    headingOf({ transition: 'fired', incidents: severities.map((severity) => incident({ severity })) })
  expect([of('warning'), of('unknown', 'warning'), of('warning', 'critical'), of('unknown')]).toEqual([
    'WARNING',
    'UNKNOWN',
    'CRITICAL',
    'UNKNOWN',
  ])
})

test('how long it lasted is what lies between the two times as they are shown', () => {
  const resolved = notice(
    { transition: 'resolved' },
    incident({ sinceUnixMs: SINCE + 900, lastedMs: 4_600, alsoOn: [] }),
  )
  expect(noticeText(resolved, BERLIN)).toContain('It was silent for 5 s, 03:13:44 CET to 03:13:49 CET')
  const short = notice({ transition: 'resolved' }, incident({ sinceUnixMs: SINCE, lastedMs: 4_600, alsoOn: [] }))
  expect(noticeText(short, BERLIN)).toContain('It was silent for 4 s, 03:13:44 CET to 03:13:48 CET')
})
