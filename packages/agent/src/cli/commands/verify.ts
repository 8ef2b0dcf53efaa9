/** `muster verify`: whether the logs in a folder are what their hosts signed. Reads the disk, asks nobody, writes nothing. */
import { shortHostId } from '@muster/protocol'
import { type AuditReport, auditStore } from '../../audit/audit.ts'
import type { Finding } from '../../audit/finding.ts'
import { exists } from '../../identity/key-file.ts'
import { meshKeyOf } from '../../identity/mesh-key.ts'
import { readSwarmKey } from '../../identity/swarm-key.ts'
import { openStoreScan, StorageError, type StoreScan } from '../../storage/index.ts'
import { CliError, EXIT, usageError } from '../cli-error.ts'
import { listed, plain } from '../plain-text.ts'
import { createProgress } from '../progress.ts'
import type { Context } from '../surroundings.ts'
import { verifyLines } from '../verify-text.ts'

/** Checks one host, by name or id, or all. Exit code 1 when something is wrong. */
export async function verify(context: Context, host: string | undefined): Promise<number> {
  const { folder } = context
  if (!(await exists(folder.path))) throw usageError(`there is no folder ${plain(folder.path)}`, NAME_ANOTHER)
  const meshPublicKey = meshKeyOf(await readSwarmKey(folder.swarmKey)).publicKey
  const scan = await openScan(folder.data)
  const signal = context.interrupted()
  const progress = createProgress(context)
  const names: string[] = []
  try {
    const report = await auditStore({
      scan,
      meshPublicKey,
      wants(id, name) {
        names.push(name)
        return host === undefined || host === name || host === id || host === shortHostId(id)
      },
      onProgress: (entries, name) => progress.tell(`${entries.toLocaleString('en')} entries, at ${name}`),
      signal,
    })
    progress.end()
    if (host !== undefined && report.hosts.length === 0) {
      throw usageError(`no host is called ${plain(host, 63)} here`, `there are ${listed(names, 12)}`)
    }
    return tell(context, report)
  } catch (error) {
    progress.end()
    if (signal.aborted) throw new CliError('interrupted', EXIT.bad, 'interrupted before all was looked at')
    throw error
  } finally {
    await scan.close()
  }
}

function tell(context: Context, report: AuditReport): number {
  const { hosts, strays, setAside } = report
  const isWhole = hosts.every(({ count }) => count === 0) && strays.count === 0
  if (context.json) {
    const told = hosts.map(({ first, count, name, ...rest }) => {
      return { name: plain(name, 63), ...rest, whole: count === 0, findings: first.map(neutral), wrong: count }
    })
    const nobodys = { findings: strays.first.map(neutral), wrong: strays.count }
    context.print({ whole: isWhole, hosts: told, strays: nobodys, setAside: setAside.map((name) => plain(name, 80)) })
  } else {
    for (const line of verifyLines(report)) context.line(line)
  }
  return isWhole ? EXIT.done : EXIT.bad
}

/** Keys of records are as they were found on the disk. */
function neutral(finding: Finding): Finding {
  const { what, record, cids } = finding
  return {
    ...finding,
    what: plain(what),
    record: record === null ? null : plain(record, 80),
    cids: cids.map((cid) => plain(cid, 80)),
  }
}

const NAME_ANOTHER = 'name another with --dir DIR or MUSTER_DIR'

async function openScan(path: string): Promise<StoreScan> {
  try {
    const scan = await openStoreScan(path)
    if (scan !== null) return scan
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    if (error.code === 'locked') {
      const remedy = 'stop it first: what is checked must not change meanwhile'
      throw new CliError('locked', EXIT.usage, plain(error.message), remedy)
    }
    if (error.code !== 'corrupt') throw error
    const what = `the database in ${plain(path)} cannot be opened: ${plain(error.message)}`
    throw new CliError(
      'damaged',
      EXIT.bad,
      what,
      'an agent that starts here sets it aside, and its peers give the history back',
    )
  }
  throw usageError(`there is no store in ${plain(path)}: no agent ever ran there`, NAME_ANOTHER)
}
