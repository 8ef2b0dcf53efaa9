/**
 * `muster join --key FILE --peer ADDRESS`: this host joins a mesh whose key was copied to it.
 *
 * The key is checked before anything is written; then the peer is tried once, so that a wrong key or a wrong address is
 * told now and not by a silent agent.
 */
import { resolve } from 'node:path'
import { shellWord } from '../../identity/key-file.ts'
import { readSwarmKey } from '../../identity/swarm-key.ts'
import { EXIT, usageError } from '../cli-error.ts'
import { chooseName, createHost, refuseUsedFolder } from '../new-host.ts'
import { plain } from '../plain-text.ts'
import type { Context } from '../surroundings.ts'

/** Options of `muster join`. */
interface JoinOptions {
  readonly key: string
  readonly peer: string
  readonly name?: string
}

/** Writes the folder and tries the peer. Exit code 1 when it does not let us in; the folder is kept, for it can be mended. */
export async function join(context: Context, { key, peer, name: asked }: JoinOptions): Promise<number> {
  const { folder, line } = context
  const name = chooseName(asked)
  const { multiaddrFault } = await import('../../config/addresses.ts')
  const fault = multiaddrFault(peer, 'dial')
  if (fault !== undefined) throw usageError(`--peer ${plain(peer, 120)} ${fault.what}`, fault.remedy)
  const swarmKey = await readSwarmKey(resolve(context.workingDir, key))
  await refuseUsedFolder(folder, 'join')
  const { hostKey } = await createHost({ folder, name, swarmKey, peers: [peer] })
  line(`${name} is set up in ${folder.path}`)
  const { tryPeer } = await import('../try-peer.ts')
  const result = await tryPeer({ peer, name, swarmKey, hostKey, signal: context.interrupted() })
  line(plain(result.line, 300))
  if (result.problem === 'wrong-swarm-key' || result.problem === 'hangs-up') {
    for (const each of keyAdvice(context, peer)) line(each)
    return EXIT.bad
  }
  if (!result.isGood)
    line('  The folder is kept: mend the address in its muster.yaml, or remove the folder and join again.')
  line()
  line(context.typed('Next:  muster run'))
  return result.isGood ? EXIT.done : EXIT.bad
}

/** The key first: an agent with a wrong one would run, alone. */
function keyAdvice({ folder, typed }: Context, peer: string): readonly string[] {
  const [, , host = ''] = peer.split('/')
  const isHere = /^(?:127\.|::1$|localhost$)/.test(host)
  const source = isHere
    ? 'cp ITS-FOLDER/swarm.key'
    : `scp ${host.includes(':') ? `'[${host}]'` : host}:.config/muster/swarm.key`
  return [
    '  The key first. Copy swarm.key of that host again, over the one that is here now:',
    `  ${source} ${shellWord(folder.swarmKey)}`,
    '  If they are the same, something else answers there: mend the address under swarm.peers in muster.yaml.',
    typed('  Once that is mended: muster run'),
  ]
}
