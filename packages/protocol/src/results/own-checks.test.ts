import { describe, expect, test } from 'vitest'
import type { CheckSpec, Judgement, Status } from '../observation.ts'
import type { OwnCheck } from '../state.ts'
import { fixedRecords } from '../testing/fixed-records.ts'
import { stateWith } from '../testing/make-state.ts'
import type { Result } from '../wire/records.ts'
import { beginWork } from '../work.ts'
import { configureChecks, countRun, judgeLateness, observe } from './own-checks.ts'

const SPEC: CheckSpec = {
  name: 'disk',
  kind: 'disk',
  everyMs: 60_000,
  graceMs: 30_000,
  after: 1,
  recover: 1,
  forMs: 0,
  heartbeat: 'awake',
  tags: [],
}

const [fixed] = fixedRecords.entry.body.results
const resultOf = (status: Status, episode = 0): Result => {
  if (fixed === undefined) throw new Error('the fixed entry has results')
  return { ...fixed, status, episode }
}
const fresh = (spec: Partial<CheckSpec>): OwnCheck => ({
  spec: { ...SPEC, ...spec },
  result: null,
  badRuns: 0,
  goodRuns: 0,
  badSinceMs: null,
  reportedAtMs: null,
  keptAtMs: 0,
})

const WORDS: Readonly<Record<string, Judgement>> = { o: 'ok', w: 'warning', c: 'critical', u: 'unknown' }

/** Counts runs a second apart; `o`, `w`, `c`, `u` in, the first letters of the statuses and the last episode out. */
function count(spec: Partial<CheckSpec>, runs: string, check = fresh(spec)): string {
  let statuses = ''
  let episode = 0
  let next = check
  for (const [index, letter] of [...runs].entries()) {
    const counted = countRun(next, WORDS[letter] ?? 'ok', index * 1_000)
    next = { ...counted.check, result: resultOf(counted.status, counted.episode) }
    statuses += counted.status[0]
    episode = counted.episode
  }
  return `${statuses} ${episode}`
}

describe('runs are counted into a status', () => {
  test.each<[string, Partial<CheckSpec>, string, string]>([
    ['one bad run leaves ok', {}, 'occo', 'occo 1'],
    ['each leaving begins an episode', {}, 'cocoC'.toLowerCase(), 'cococ 3'],
    ['worse is the same episode', {}, 'wcwu', 'wcwu 1'],
    ['unknown is a leaving too', {}, 'ou', 'ou 1'],
    ['three bad runs in a row leave it, with after 3', { after: 3 }, 'ccoccc', 'oooooc 1'],
    ['the last of them names the status', { after: 3 }, 'cwu', 'oou 1'],
    ['two good runs in a row return to it, with recover 2', { recover: 2 }, 'cocoo', 'cccco 1'],
    ['meanwhile it keeps its status', { recover: 3 }, 'wcoo', 'wccc 1'],
    ['bad must last, with for', { forMs: 2_000 }, 'cccc', 'oocc 1'],
    ['a good run starts that time anew', { forMs: 2_000 }, 'ccoccc', 'oooooc 1'],
    ['both must hold', { after: 2, forMs: 3_000 }, 'ccccc', 'ooocc 1'],
  ])('%s', (_, spec, runs, expected) => {
    expect(count(spec, runs)).toBe(expected)
  })

  test('one good run ends late, however many recover asks for', () => {
    const late = { ...fresh({ recover: 3 }), result: resultOf('late', 4) }
    expect(count({}, 'o', late)).toBe('o 4')
  })

  test('a bad run after late goes on in its episode, without counting after', () => {
    const late = { ...fresh({ after: 3 }), result: resultOf('late', 4) }
    expect(count({}, 'c', late)).toBe('c 4')
  })
})

describe('a check is late', () => {
  const workAt = (
    awakeMs: number,
    spec: Partial<CheckSpec>,
    reportedAtMs: number | null,
    status: Status | null = 'ok',
  ) => {
    const check = { ...fresh(spec), reportedAtMs, result: status === null ? null : resultOf(status, 1) }
    return beginWork(stateWith([], awakeMs, { checks: new Map([['disk', check]]) }))
  }
  test.each<[string, number, Partial<CheckSpec>, number | null, Status | null, boolean]>([
    ['after every + grace', 90_001, {}, 0, 'ok', true],
    ['not before', 90_000, {}, 0, 'ok', false],
    ['from its last report on', 95_000, {}, 10_000, 'ok', false],
    ['only once', 200_000, {}, 0, 'late', false],
    ['when it was bad, too', 90_001, {}, 0, 'critical', true],
    ['when it has never reported', 90_001, {}, 0, null, true],
    ['not when it promises nothing', 90_001, { heartbeat: 'never' }, 0, 'ok', false],
    ['not when it was never pinged', 90_001, {}, null, null, false],
  ])('%s', (_, awakeMs, spec, reportedAtMs, status, isLate) => {
    const work = workAt(awakeMs, spec, reportedAtMs, status)
    judgeLateness(work)
    expect(work.state.gathered.map((result) => result.status)).toEqual(isLate ? ['late'] : [])
  })

  test('in a new episode when it was well, in the same when it was bad already', () => {
    for (const [status, episode] of [
      ['ok', 2],
      ['critical', 1],
    ] as const) {
      const work = workAt(90_001, {}, 0, status)
      judgeLateness(work)
      expect(work.state.gathered).toMatchObject([{ status: 'late', episode, judgement: null, values: {} }])
    }
  })

  test('and of a long period the time spent is kept now and then, for a restart', () => {
    const work = workAt(61_000, { everyMs: 86_400_000 }, 1_000)
    judgeLateness(work)
    expect(work.effects).toEqual([{ kind: 'keep-check-time', check: 'disk', spentMs: 60_000 }])
  })
})

describe('a configuration', () => {
  test('goes on with known checks, begins new ones and retires missing ones', () => {
    const known = { ...fresh({}), badRuns: 2 }
    const gone = { ...fresh({ name: 'gone' }) }
    const work = beginWork(
      stateWith([], 5_000, {
        checks: new Map([
          ['disk', known],
          ['gone', gone],
        ]),
      }),
    )
    configureChecks(
      work,
      [
        { ...SPEC, after: 3 },
        { ...SPEC, name: 'new' },
      ],
      {},
    )
    expect([...work.state.checks.keys()].sort()).toEqual(['disk', 'new'])
    expect(work.state.checks.get('disk')).toMatchObject({ badRuns: 2, spec: { after: 3 } })
    expect(work.state.retired).toEqual(['gone'])
  })

  test('retires what only an old entry knows', () => {
    const results = new Map([['me', new Map([['old', resultOf('ok')]])]])
    const work = beginWork(stateWith([], 0, { results }))
    configureChecks(work, [SPEC], {})
    expect(work.state.retired).toEqual(['old'])
  })

  test.each<[string, Partial<CheckSpec>, Readonly<Record<string, number>>, number | null]>([
    ['expects a check from now on', {}, {}, 100_000],
    ['counts the time that was spent before the restart', {}, { disk: 80_000 }, 20_000],
    ['expects no push before the first ping', { kind: 'push' }, {}, null],
  ])('%s', (_, spec, spentMs, reportedAtMs) => {
    const work = beginWork(stateWith([], 100_000))
    configureChecks(work, [{ ...SPEC, ...spec }], spentMs)
    expect(work.state.checks.get('disk')?.reportedAtMs).toBe(reportedAtMs)
  })
})

test('a run of a check that is not configured (any more) changes nothing', () => {
  const work = beginWork(stateWith([]))
  observe(work, [
    { check: 'gone', observation: { values: {}, durationMs: 1, text: '' }, judgement: 'critical', because: '' },
  ])
  expect(work.state.gathered).toEqual([])
})

test('a run that could not measure tells its error instead of its text', () => {
  const work = beginWork(stateWith([], 0, { checks: new Map([['disk', fresh({})]]) }))
  const error = { code: 'refused', message: 'connection refused' }
  observe(work, [
    {
      check: 'disk',
      observation: { values: {}, durationMs: 1.6, text: 'x', error },
      judgement: 'unknown',
      because: '',
    },
  ])
  expect(work.state.gathered).toMatchObject([
    { text: 'connection refused', durationMs: 2, status: 'unknown', episode: 1 },
  ])
})
