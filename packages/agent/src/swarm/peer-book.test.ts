import { describe, expect, it } from 'vitest'
import type { PeerBook } from './peer-book.ts'
import { backoffMs, createPeerBook, DIALLING_DEFAULT } from './peer-book.ts'

const SELF = '12D3KooWM'
const LOWER = '12D3KooWA'
const HIGHER = '12D3KooWZ'
const AT = '/ip4/10.0.0.1/tcp/4650'
const ALL = 100

const bookWith = (...entries: Parameters<PeerBook['setEntries']>[0]): PeerBook => {
  const book = createPeerBook(SELF, () => 1, DIALLING_DEFAULT)
  book.setEntries(entries, 0)
  return book
}

describe('the wait after failures', () => {
  it.each([
    [0, 1, 50],
    [1, 1, 500],
    [1, 0, 250],
    [2, 1, 1_000],
    [6, 1, 16_000],
    [7, 1, 30_000],
    [7, 0, 15_000],
    [10_000, 1, 30_000],
  ])('%d failures, chance %d: %d ms', (failures, chance, expected) => {
    expect(backoffMs(failures, chance, DIALLING_DEFAULT)).toBe(expected)
  })
})

describe('the peer book', () => {
  it('dials a host with a higher id at once, and lets one with a lower id dial first', () => {
    const book = bookWith(
      { host: HIGHER, addresses: [AT] },
      { host: LOWER, addresses: [AT] },
      { addresses: ['/dns4/x/tcp/1'] },
    )
    expect(book.takeDue(0, ALL).map(({ key }) => key)).toEqual([HIGHER, '/dns4/x/tcp/1'])
    expect(book.nextDueMs()).toBe(1_000)
    expect(book.takeDue(1_000, ALL).map(({ key }) => key)).toEqual([LOWER])
  })

  it('dials for ever, with growing waits up to a cap', () => {
    const book = bookWith({ host: HIGHER, addresses: [AT] })
    const waits: number[] = []
    let nowMs = 0
    for (let i = 0; i < 1_000; i++) {
      expect(book.takeDue(nowMs, ALL)).toHaveLength(1)
      expect(book.nextDueMs()).toBeUndefined()
      book.dialled(HIGHER, { kind: 'failed' }, nowMs)
      const dueMs = book.nextDueMs() ?? Number.NaN
      waits.push(dueMs - nowMs)
      nowMs = dueMs
    }
    expect(waits.slice(0, 8)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
    expect(waits.at(-1)).toBe(30_000)
  })

  it('does not dial who is connected, and dials again at once when a lasting connection ends', () => {
    const book = bookWith({ host: HIGHER, addresses: [AT] })
    for (let i = 0; i < 5; i++) book.dialled(HIGHER, { kind: 'failed' }, 0)
    book.connected(HIGHER, 1e6)
    expect([book.takeDue(1e6, ALL), book.nextDueMs()]).toEqual([[], undefined])
    book.disconnected(HIGHER, 10_000, 2e6)
    expect(book.nextDueMs()).toBe(2e6 + 50)
  })

  it('does not dial in a loop who hangs up at once', () => {
    const book = bookWith({ host: HIGHER, addresses: [AT] })
    let nowMs = 0
    for (let i = 0; i < 10; i++) {
      book.takeDue(nowMs, ALL)
      book.connected(HIGHER, nowMs)
      book.dialled(HIGHER, { kind: 'connected', host: HIGHER }, nowMs)
      book.disconnected(HIGHER, 100, nowMs)
      nowMs = book.nextDueMs() ?? Number.NaN
    }
    expect(nowMs).toBeGreaterThan(60_000)
  })

  describe('when a host answers', () => {
    /** Two that were dialled so often, without an answer, until now. */
    const unreached = (failures: number): PeerBook => {
      const book = bookWith({ host: HIGHER, addresses: [AT] }, { host: LOWER, addresses: [AT] })
      for (let i = 0; i < failures; i++) for (const host of [HIGHER, LOWER]) book.dialled(host, { kind: 'failed' }, 1e6)
      return book
    }
    /** How long after the answer the other is due. */
    const waitOf = (book: PeerBook, nowMs: number): number => (book.nextDueMs() ?? Number.NaN) - nowMs

    it('that could not be reached for long, the others are dialled within a second or two', () => {
      const book = unreached(6)
      book.connected(HIGHER, 1e6)
      expect(waitOf(book, 1e6)).toBe(2_000)
    })

    it('that was away for a moment only, they wait on', () => {
      const book = unreached(4)
      book.connected(HIGHER, 1e6)
      expect(waitOf(book, 1e6)).toBe(5_000)
    })

    it('and the others do not, these wait as long as ever, and are not dialled in a loop by one that comes and goes', () => {
      const book = unreached(7)
      book.connected(HIGHER, 1e6)
      const [target] = book.takeDue(1e6 + 2_000, ALL)
      expect(target?.key).toBe(LOWER)
      book.dialled(LOWER, { kind: 'failed' }, 1e6 + 3_000)
      book.disconnected(HIGHER, 100, 1e6 + 4_000)
      book.connected(HIGHER, 1e6 + 5_000)
      expect(waitOf(book, 1e6 + 3_000)).toBe(31_000)
    })
  })

  it('learns who answers at an address without an id, and rests while that host is connected', () => {
    const book = bookWith({ addresses: [AT] })
    book.takeDue(0, ALL)
    book.connected(HIGHER, 0)
    book.dialled(AT, { kind: 'connected', host: HIGHER }, 0)
    expect(book.nextDueMs()).toBeUndefined()
    expect(book.addressesOf(HIGHER)).toEqual([AT])
    book.disconnected(HIGHER, 20_000, 50_000)
    expect(book.takeDue(50_100, ALL)).toEqual([{ key: AT, host: undefined, addresses: [AT] }])
  })

  it('does not mind an address that left the book, nor one that leads to a host that is connected', () => {
    const book = bookWith({ addresses: [AT] }, { host: LOWER, addresses: ['/dns4/x/tcp/1'] })
    const moot = (): boolean[] => [AT, '/dns4/x/tcp/1', '/dns4/gone/tcp/1'].map(book.isMoot)
    expect(moot()).toEqual([false, false, true])
    book.connected(HIGHER, 0)
    book.connected(LOWER, 0)
    expect(moot()).toEqual([false, true, true])
    book.dialled(AT, { kind: 'connected', host: HIGHER }, 0)
    expect(moot()).toEqual([true, true, true])
    book.disconnected(HIGHER, 0, 0)
    expect(moot()).toEqual([false, true, true])
    book.setEntries([{ host: HIGHER, addresses: [AT] }], 0)
    expect(moot()).toEqual([false, true, true])
  })

  it('never dials itself again', () => {
    const book = bookWith({ addresses: [AT] }, { host: SELF, addresses: [AT] })
    expect(book.takeDue(0, ALL)).toHaveLength(1)
    book.dialled(AT, { kind: 'ourselves' }, 0)
    book.reset(1_000)
    expect(book.nextDueMs()).toBeUndefined()
  })

  it('is all due after a reset', () => {
    const book = bookWith({ host: HIGHER, addresses: [AT] }, { addresses: ['/dns4/x/tcp/1'] })
    for (let i = 0; i < 9; i++) for (const key of [HIGHER, '/dns4/x/tcp/1']) book.dialled(key, { kind: 'failed' }, 0)
    expect(book.takeDue(14_000, ALL)).toEqual([])
    book.reset(14_000)
    expect(book.takeDue(14_000, ALL)).toHaveLength(2)
  })

  it('makes one target of all that is said of a host, and reads its id from an address', () => {
    const book = bookWith(
      { host: HIGHER, addresses: [AT] },
      { addresses: [`/dns4/x/tcp/1/p2p/${HIGHER}`, `${AT}/p2p/${HIGHER}`] },
      { host: LOWER, addresses: [`/ip4/1.1.1.1/tcp/1/p2p/${HIGHER}/p2p-circuit/p2p/${LOWER}`] },
    )
    expect(book.takeDue(1_000, ALL)).toEqual([
      { key: HIGHER, host: HIGHER, addresses: [AT, '/dns4/x/tcp/1'] },
      { key: LOWER, host: LOWER, addresses: [`/ip4/1.1.1.1/tcp/1/p2p/${HIGHER}/p2p-circuit/p2p/${LOWER}`] },
    ])
  })

  it('keeps the wait of an entry that stays, and forgets one that is gone', () => {
    const book = bookWith({ host: HIGHER, addresses: [AT] }, { addresses: ['/dns4/x/tcp/1'] })
    for (let i = 0; i < 9; i++) book.dialled(HIGHER, { kind: 'failed' }, 0)
    book.setEntries([{ host: HIGHER, addresses: [AT] }], 10)
    expect(book.nextDueMs()).toBe(30_000)
    book.setEntries([{ host: HIGHER, addresses: ['/dns4/new/tcp/1'] }], 20)
    expect(book.nextDueMs()).toBe(20)
  })

  it('holds a bounded number of members and addresses', () => {
    const many = Array.from({ length: 1_000 }, (_, i) => ({ addresses: [`/ip4/10.0.0.1/tcp/${i + 1}`] }))
    expect(bookWith(...many).takeDue(0, 10_000)).toHaveLength(256)
    const [target] = bookWith({ host: HIGHER, addresses: many.flatMap(({ addresses }) => addresses) }).takeDue(0, 1)
    expect(target?.addresses).toHaveLength(8)
  })

  it('hands out no more than asked for, the longest waiting first', () => {
    const book = bookWith({ host: LOWER, addresses: [AT] }, { host: HIGHER, addresses: [AT] })
    expect(book.takeDue(5_000, 1).map(({ key }) => key)).toEqual([HIGHER])
    expect(book.takeDue(5_000, 1).map(({ key }) => key)).toEqual([LOWER])
  })
})

describe('who has left', () => {
  const left = { host: HIGHER, addresses: [`${AT}/p2p/${HIGHER}`], hasLeft: true }

  it('is not dialled, and is dialled again once it is back', () => {
    const book = bookWith(left)
    expect(book.takeDue(1_000_000, ALL)).toEqual([])
    expect(book.nextDueMs()).toBeUndefined()
    book.setEntries([{ ...left, hasLeft: false }], 1_000_000)
    expect(book.takeDue(1_000_000, ALL).map(({ key }) => key)).toEqual([HIGHER])
  })

  it('is not missed where a config still names its address, though that is dialled', () => {
    const book = bookWith({ addresses: [AT] }, left)
    expect(book.takeDue(0, ALL).map(({ key }) => key)).toEqual([AT])
    expect(book.isMoot(AT)).toBe(true)
    book.setEntries([{ addresses: [AT] }], 0)
    expect(book.isMoot(AT)).toBe(false)
  })

  it('is not missed at an address of the config where it was met', () => {
    const elsewhere = '/dns4/vps-1.example.org/tcp/4650'
    const book = bookWith({ addresses: [elsewhere] })
    book.takeDue(0, ALL)
    book.dialled(elsewhere, { kind: 'connected', host: HIGHER }, 0)
    expect(book.isMoot(elsewhere)).toBe(false)
    book.setEntries([{ addresses: [elsewhere] }, left], 0)
    expect(book.isMoot(elsewhere)).toBe(true)
  })

  it('does not hide that another host is missing at the same address', () => {
    const book = bookWith({ host: LOWER, addresses: [AT] }, left)
    expect(book.isMoot(AT)).toBe(false)
  })
})
