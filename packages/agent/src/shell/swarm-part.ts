/** The swarm as a part under the supervisor: the same object is stopped and started again, and keeps its peer book. */
import { listenError } from '../listen-error.ts'
import type { Part } from '../supervisor.ts'
import { listenFailureOf } from '../swarm/listen-failure.ts'
import type { Swarm } from '../swarm/swarm.ts'

/** Makes the part. A start throws a `ConfigError` when an address of `swarm.listen` cannot be listened on. */
export function swarmPart(swarm: Pick<Swarm, 'start' | 'stop' | 'health'>, configFile: string): Part {
  return {
    name: 'swarm',
    async start(signal) {
      try {
        await swarm.start(signal)
      } catch (error) {
        const failure = listenFailureOf(error)
        throw failure === undefined ? error : listenError('swarm.listen', failure, configFile, error)
      }
    },
    stop: () => swarm.stop(),
    health: () => swarm.health(),
  }
}
