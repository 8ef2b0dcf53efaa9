/**
 * `muster join --key FILE --peer ADDRESS`: this host joins a mesh whose key was copied to it.
 *
 * The key is checked before anything is written; then the peer is tried once, so that a wrong key or a wrong address is
 * told now and not by a silent agent.
 */
import { resolve } from 'node:path'
import { resolveFolder } from '../../identity/folder.ts'
import { readSwarmKey } from '../../identity/swarm-key.ts'
import { EXIT, usageError } from '../cli-error.ts'
import { chooseName, createHost, dirOption, refuseUsedFolder } from '../new-host.ts'
import { plain } from '../plain-text.ts'
import type { Context } from '../surroundings.ts'

/** Options of `muster join`. */
interface JoinOptions {
  readonly key: string
  readonly peer: string
  readonly name?: string
}

/** Writes the folder and tries the peer. Exit code 0 also when it does not answer yet: the agent goes on trying. */
export async function join(context: Context, { key, peer, name: asked }: JoinOptions): Promise<number> {
  const { folder, line } = context
  const name = chooseName(asked)
  const { multiaddrFault } = await import('../../config/addresses.ts')
  const fault = multiaddrFault(peer, 'dial')
  if (fault !== undefined) throw usageError(`--peer ${plain(peer, 120)} ${fault.what}`, fault.remedy)
  const swarmKey = await readSwarmKey(resolve(context.workingDir, key))
  await refuseUsedFolder(folder, 'join')
  const { hostKey } = await createHost({ folder, name, swarmKey, peers: [peer] })
  const standard = resolveFolder({ env: {}, homeDir: context.homeDir, workingDir: context.workingDir })
  line(`${name} is set up in ${folder.path}`)
  const { tryPeer } = await import('../try-peer.ts')
  const result = await tryPeer({ peer, name, swarmKey, hostKey, signal: context.interrupted() })
  line(plain(result.line, 300))
  if (!result.isGood)
    line('  The folder is kept: mend the address in its muster.yaml, or remove the folder and join again.')
  line()
  line(`Next:  muster run${dirOption(folder, standard.path)}`)
  return result.isGood ? EXIT.done : EXIT.bad
}
