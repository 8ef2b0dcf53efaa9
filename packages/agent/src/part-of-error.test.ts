import { expect, it } from 'vitest'
import { partOfError, placeOfError, startWithin } from './part-of-error.ts'

/** An error with this stack below its message. */
function error(...frames: readonly string[]): Error {
  const message = 'broke\n    in /x/packages/agent/src/waku/node.ts:1'
  return Object.assign(new Error(message), {
    stack: [`Error: ${message}`, ...frames.map((frame) => `    at ${frame}`)].join('\n'),
  })
}

const LIBRARY = 'YamuxStream.onData (file:///x/node_modules/@libp2p/utils/dist/src/stream.js:12:3)'
const SWARM = 'drive (file:///x/packages/agent/src/swarm/heartbeat-roads.ts:70:11)'
const SHELL = 'async perform (file:///x/packages/agent/src/shell/performing.ts:90:5)'
const RUN = { part: 'waku', run: 3 }

it.each([
  ['a line of the swarm', [LIBRARY, SWARM, SHELL], 'swarm', 'agent/swarm/heartbeat-roads.ts:70'],
  [
    'an installed line of a check',
    ['run (/y/node_modules/@muster/checks/src/kinds/http.ts:4:2)'],
    'checks',
    'checks/kinds/http.ts:4',
  ],
  ['a line of the shell, first', [SHELL, SWARM], undefined, 'agent/shell/performing.ts:90'],
  ['no line of ours', [LIBRARY], undefined, null],
])('%s: part %s', (_, frames, part, place) => {
  const thrown = error(...frames)
  expect(partOfError(thrown)?.part).toBe(part)
  expect(placeOfError(thrown)).toBe(place)
})

it('where the stack says nothing, the context in which a part was started tells', () => {
  startWithin(RUN, () => {
    expect(partOfError(error(LIBRARY))).toEqual(RUN)
    expect(partOfError('no error at all')).toEqual(RUN)
    // Our own lines know better.
    expect(partOfError(error(SWARM))).toEqual({ part: 'swarm', run: null })
    expect(partOfError(error(SHELL))).toBeNull()
  })
  expect(partOfError(error(LIBRARY))).toBeNull()
})

it('the context reaches the handler of what a timer throws later', async () => {
  const caught = Promise.withResolvers<unknown>()
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.once('uncaughtException', () => caught.resolve(partOfError(error(LIBRARY))))
  try {
    startWithin(RUN, () => {
      setTimeout(() => {
        throw error(LIBRARY)
      }, 1)
    })
    expect(await caught.promise).toEqual(RUN)
  } finally {
    for (const other of others) process.on('uncaughtException', other)
  }
})
