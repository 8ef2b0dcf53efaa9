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
import type { Tried } from '../try-peer.ts'

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
  if (result.warning !== undefined) line(plain(result.warning, 300))
  if (!result.isGood) {
    for (const each of advice(context, peer, result.problem)) line(each)
    return EXIT.bad
  }
  line()
  line(context.typed('Next:  muster run'))
  return EXIT.done
}

/** What to do about a peer that does not let us in. */
function advice(context: Context, peer: string, problem: Tried['problem']): readonly string[] {
  const { folder, typed } = context
  const run = typed('  Once that is mended: muster run')
  const mend = `mend the address under swarm.peers in ${folder.config}, or remove the folder and join again.`
  if (problem === 'wrong-swarm-key' || problem === 'hangs-up') return [...keyAdvice(context, peer), run]
  if (problem === 'name-taken') return [run]
  if (problem !== 'nobody-answers') return [`  The folder is kept: ${mend}`, run]
  return [typed('  If that host is off just now, this one finds it once it is back: muster run'), `  Else ${mend}`]
}

/** The key first: an agent with a wrong one would run, alone. */
function keyAdvice({ folder }: Context, peer: string): readonly string[] {
  const [, , host = ''] = peer.split('/')
  const isHere = /^(?:127\.|::1$|localhost$)/.test(host)
  const source = isHere
    ? 'cp ITS-FOLDER/swarm.key'
    : `scp ${host.includes(':') ? `'[${host}]'` : host}:.config/muster/swarm.key`
  return [
    '  The key first. Copy swarm.key of that host again, over the one that is here now:',
    `  ${source} ${shellWord(folder.swarmKey)}`,
    '  If they are the same, something else answers there: mend the address under swarm.peers in muster.yaml.',
  ]
}
