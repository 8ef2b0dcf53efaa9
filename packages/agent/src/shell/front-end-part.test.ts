import { expect, test } from 'vitest'
import { frontEndPart } from './front-end-part.ts'

test('a front end that is stopped while it opens is closed again', async () => {
  const opening = Promise.withResolvers<void>()
  const calls: string[] = []
  const part = frontEndPart(async () => {
    await opening.promise
    calls.push('opened')
    return { stop: async () => void calls.push('closed'), health: () => null }
  })
  const starting = part.start(new AbortController().signal)
  await part.stop()
  opening.resolve()
  await expect(starting).rejects.toThrow('stopped while it started')
  expect(calls).toEqual(['opened', 'closed'])
})
