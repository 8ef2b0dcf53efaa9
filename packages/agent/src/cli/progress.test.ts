import { expect, test } from 'vitest'
import { createProgress } from './progress.ts'

function watched(isErrTerminal: boolean) {
  const said: string[] = []
  let nowMs = 0
  const progress = createProgress({ err: (text) => said.push(text), isErrTerminal }, () => nowMs)
  return {
    said,
    progress,
    at: (ms: number) => {
      nowMs = ms
    },
  }
}

test('a long work is told of now and then, and what was told is taken away', () => {
  const { said, progress, at } = watched(true)
  for (const ms of [0, 2_999, 3_000, 3_100, 3_499, 3_500]) {
    at(ms)
    progress.tell(`at ${ms}`)
  }
  progress.end()
  progress.end()
  expect(said).toEqual(['\r\u001b[Kat 3000', '\r\u001b[Kat 3500', '\r\u001b[K'])
})

test('names in it cannot command the terminal', () => {
  const { said, progress, at } = watched(true)
  at(5_000)
  progress.tell('at \u001b[2J\n\u202eevil')
  expect(said).toEqual(['\r\u001b[Kat [2J evil'])
})

test.each([
  ['short', true, 2_000],
  ['not watched', false, 9_000],
])('a work that is %s says nothing', (_, isErrTerminal, ms) => {
  const { said, progress, at } = watched(isErrTerminal)
  at(ms)
  progress.tell('anything')
  progress.end()
  expect(said).toEqual([])
})
