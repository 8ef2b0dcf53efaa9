/** All kinds of checks, in the order in which they are listed. A new kind is one line here. */
import type { CheckKind } from './check.ts'
import { command } from './kinds/command.ts'
import { cpu } from './kinds/cpu.ts'
import { disk } from './kinds/disk.ts'
import { http } from './kinds/http.ts'
import { load } from './kinds/load.ts'
import { memory } from './kinds/memory.ts'
import { push } from './kinds/push.ts'
import { tcp } from './kinds/tcp.ts'

/** Every kind that this release knows. */
export const KINDS: readonly CheckKind[] = [cpu, load, memory, disk, tcp, http, command, push]

/** The kind of that name, or `undefined`. */
export function findKind(name: string): CheckKind | undefined {
  return KINDS.find(({ kind }) => kind === name)
}
