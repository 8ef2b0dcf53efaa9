/** `muster init`: a new mesh begins on this host. */
import { networkInterfaces } from 'node:os'
import { shellWord } from '../../identity/key-file.ts'
import { generateSwarmKey } from '../../identity/swarm-key.ts'
import { EXIT } from '../cli-error.ts'
import { addressesOf, chooseName, createHost, refuseUsedFolder } from '../new-host.ts'
import type { Context } from '../surroundings.ts'
import { launcherOf } from '../typed-command.ts'

/** Writes the folder and says what comes next. */
export async function init(context: Context, options: { readonly name?: string }): Promise<number> {
  const { folder, line, typed } = context
  const name = chooseName(options.name)
  await refuseUsedFolder(folder, 'init')
  const { ports } = await createHost({ folder, name, swarmKey: generateSwarmKey(), peers: [] })
  const [address = '127.0.0.1'] = addressesOf(networkInterfaces())
  line(`A new mesh begins on ${name}, in ${folder.path}`)
  line('  muster.yaml   what to look at, and how to reach this host')
  line('  swarm.key     who holds a copy belongs to the mesh: keep it secret')
  line('  identity.key  this host alone: never copy it')
  line()
  line('It listens on all networks of this machine. To keep it on this machine: 127.0.0.1 for 0.0.0.0 in muster.yaml.')
  line()
  line(typed('Next:  muster run'))
  line(`       copy ${shellWord(folder.swarmKey)} to another host, then there:`)
  line(`       ${launcherOf(context.env)} join --key swarm.key --peer /ip4/${address}/tcp/${ports.swarm}`)
  line(`${typed('       muster recipient add')} phone   (so that somebody is told)`)
  return EXIT.done
}
