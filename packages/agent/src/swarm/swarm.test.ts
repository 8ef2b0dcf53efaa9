import { createSwarm } from './create-swarm.ts'
import { createFakeNetwork } from './testing/fake-swarm.ts'
import { describeSwarmContract } from './testing/swarm-contract.ts'

describeSwarmContract('real', () => createSwarm)
describeSwarmContract('fake', () => createFakeNetwork().create)
