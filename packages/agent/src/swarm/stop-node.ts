/** Stopping a libp2p node that may hang: its peers must see it go, and the next node must find the port free. */
import type { Libp2p } from '@libp2p/interface'
import type { Sockets } from './node-health.ts'

/** Stops a node, or what can be seen of it from outside. Gives what went wrong, in one line, or null. */
export async function stopNode(
  node: Pick<Libp2p<{ sockets: Sockets }>, 'stop' | 'getConnections' | 'services'>,
  limitMs: number,
): Promise<string | null> {
  const trouble = await troubleOf(Promise.resolve(node.stop()), limitMs)
  if (trouble === null) return null
  for (const connection of node.getConnections()) connection.abort(new Error('the node stops'))
  await troubleOf(node.services.sockets.close(), limitMs)
  return trouble
}

/** Waits for some work, so long at most. Gives why it failed or that it hangs, in one line, or null; never rejects. */
export async function troubleOf(work: Promise<unknown>, limitMs: number): Promise<string | null> {
  const late = Promise.withResolvers<string>()
  const timer = setTimeout(() => late.resolve('it hangs'), limitMs)
  const ended = work.then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  const trouble = await Promise.race([ended, late.promise])
  clearTimeout(timer)
  return trouble
}
