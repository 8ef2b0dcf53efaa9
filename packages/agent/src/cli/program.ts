/**
 * The command line: which commands there are and what they take. What they do is loaded when they are called, so that
 * `version`, `status` and `push` start fast.
 */
import { Command, CommanderError, Option } from 'commander'
import type { Folder } from '../identity/folder.ts'
import { EXIT, explainError, usageError } from './cli-error.ts'
import { plain } from './plain-text.ts'
import { type CommonOptions, type Context, contextOf, type Surroundings } from './surroundings.ts'
import { typedText } from './typed-command.ts'
import { readVersion } from './version.ts'

/** A command's work: resolves with its exit code. */
type Work = (context: Context, ...given: never[]) => Promise<number>

/** Runs one command line and resolves with its exit code. Never throws. */
export async function runCli(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  let folder: Folder | undefined
  try {
    return await parse(argv, surroundings, (context) => {
      folder = context.folder
    })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    const { lines, exitCode } = explainError(error, (surroundings.env.MUSTER_DEBUG ?? '') !== '')
    for (const line of lines) surroundings.err(`${typedText({ ...surroundings, folder }, line)}\n`)
    return exitCode
  }
}

/** `onContext` is told which folder is meant, before the command's work begins. */
async function parse(
  argv: readonly string[],
  surroundings: Surroundings,
  onContext: (context: Context) => void,
): Promise<number> {
  let exitCode: number = EXIT.done
  const program = new Command('muster')
    .description('A roll call for the machines you own.')
    .usage('[--dir <dir>] <command>')
    .option('--dir <dir>', 'the folder of this host (default: $MUSTER_DIR, else ~/.config/muster)')
    .option('-V, --version', 'print the version')
    .enablePositionalOptions()
    .exitOverride()
    .helpCommand('help [command]', 'explain a command')
    .configureOutput({
      writeOut: surroundings.out,
      writeErr: surroundings.err,
      outputError: (text, write) => write(text.replace(/^error: /, 'muster: ').replace(/\n\(Did you/, ' (did you')),
    })
    .addHelpText('after', '\nExit codes: 0 done, 1 bad news or failed, 2 bad usage or config, 3 no agent running.')
    .action(() => {
      if (program.opts<{ version?: boolean }>().version === true) surroundings.out(`muster ${readVersion()}\n`)
      else if (program.args.length > 0) throw unknownCommand(program, program.args[0] ?? '')
      else surroundings.out(program.helpInformation())
    })
    .argument('[command]')
    .allowExcessArguments()

  /** Adds a command. `load` imports what does the work. */
  const add = (parent: Command, name: string, summary: string, load: () => Promise<Work>): Command => {
    const command = parent
      .command(name)
      .description(summary)
      .option('--dir <dir>', 'the folder of this host')
      .exitOverride()
      // A word too many is a misunderstanding: half of what was asked for would be done, and the rest not.
      .allowExcessArguments(false)
      .action(async (...given: unknown[]) => {
        const args = given.slice(0, -2)
        const options = command.optsWithGlobals<CommonOptions>()
        const context = contextOf(surroundings, options)
        onContext(context)
        const work = await load()
        exitCode = await work(context, ...([...args, options] as never[]))
      })
    return command
  }
  addCommands(program, add, argv.includes('--'))
  await program.parseAsync(helpWords(program, argv), { from: 'user' })
  return exitCode
}

/** `help --help` asks for help too, and there is none for a command that is not. Throws a `CliError`. */
function helpWords(program: Command, argv: readonly string[]): string[] {
  const [first, second] = argv
  if (first !== 'help' || second === undefined) return [...argv]
  if (second === '--help' || second === '-h') return ['--help']
  const isKnown = second === 'help' || program.commands.some((each) => each.name() === second)
  if (!isKnown) throw unknownCommand(program, second)
  return [...argv]
}

type Add = (parent: Command, name: string, summary: string, load: () => Promise<Work>) => Command

function addCommands(program: Command, add: Add, hasDashes: boolean): void {
  add(program, 'init', 'begin a new mesh on this host', async () => (await import('./commands/init.ts')).init).option(
    '--name <name>',
    "this host's name (default: the machine's)",
  )
  add(program, 'join', 'join a mesh with its swarm key', async () => (await import('./commands/join.ts')).join)
    .requiredOption('--key <file>', 'a copy of swarm.key from another host')
    .requiredOption('--peer <address>', 'where another host answers, for example /dns4/vps-1.example.org/tcp/4650')
    .option('--name <name>', "this host's name (default: the machine's)")
  add(
    program,
    'run',
    'run the agent in the foreground',
    async () => (await import('./commands/run.ts')).runAgent,
  ).option('--verbose', 'log details too')
  json(
    add(program, 'status', 'the mesh as this host sees it', async () => (await import('./commands/status.ts')).status),
  ).option('--watch', 'draw it again and again; q quits')
  json(add(program, 'hosts', 'the hosts of the mesh', async () => (await import('./commands/hosts.ts')).hosts))
  addChecks(program, add, hasDashes)
  addTelling(program, add)
  addQuieting(program, add)
  json(
    add(
      program,
      'history',
      'what happened, from this host’s own store',
      async () => (await import('./commands/history.ts')).history,
    ),
  )
    .option('--host <name>', 'of one host')
    .option('--check <name>', 'of one check')
    .option('--since <duration>', 'not older than, for example 2h')
    .option('--limit <lines>', 'how many lines at most (without --json)', '60')
    .option('--all', 'every result, not only changes and the last')
  json(
    add(
      program,
      'incidents',
      'open and ended incidents',
      async () => (await import('./commands/incidents.ts')).incidents,
    ),
  )
  add(
    program,
    'leave',
    'say goodbye for good: nobody is told that this host is gone',
    async () => (await import('./commands/leave.ts')).leave,
  )
  json(
    add(
      program,
      'simulate',
      'run the protocol in a faulty virtual world',
      async () => (await import('./commands/simulate.ts')).simulate,
    ),
  )
    .option('--seeds <count>', 'how many worlds (default: 100)')
    .option('--seed <seed>', 'replay one world and tell its story')
    .option('--hosts <count>', 'hosts in each world (default: by seed, 2 to 12); with more, measure one large mesh')
    .option('--without <rule>', 'switch a rule off, to see what it is for')
    .option('--noisy', 'lossy worlds in which nobody dies: count false verdicts')
    .option('--from <seed>', 'the first of --seeds (default: 1)')
    .option('--cores <count>', 'processes that share --seeds (default: one for each core)')
  json(
    add(
      program,
      'replay',
      'run a recording through the core and tell why it judged as it did',
      async () => (await import('./commands/replay.ts')).replay,
    ),
  ).argument('[path]', 'a recording or a folder of them (default: those of this host)')
  json(
    add(
      program,
      'verify',
      'check that the logs kept here are what their hosts signed; the agent must not run',
      async () => (await import('./commands/verify.ts')).verify,
    ),
  ).argument('[host]', 'its name or id (default: every host)')
  json(
    add(
      program,
      'demo',
      'three agents on this machine, one is killed, the notice arrives',
      async () => (await import('./commands/demo.ts')).demo,
    ),
  ).option('--keep', 'leave the mesh running and say what to try')
  json(add(program, 'version', 'print the version', async () => (await import('./commands/version.ts')).version))
}

function addChecks(program: Command, add: Add, hasDashes: boolean): void {
  const check = group(program, 'check', 'what this host looks at')
  json(add(check, 'list', 'the checks of this host', async () => (await import('./commands/check.ts')).listChecks))
  json(add(check, 'kinds', 'what can be looked at', async () => (await import('./commands/check.ts')).listKinds))
  json(
    add(
      check,
      'run',
      'try one check now, without telling anybody',
      async () => (await import('./commands/check.ts')).runCheck,
    ),
  ).argument('<name>', 'the name of the check')
  const config = group(program, 'config', 'muster.yaml')
  json(
    add(
      config,
      'check',
      'say what is wrong with it, if anything',
      async () => (await import('./commands/config.ts')).checkConfig,
    ),
  )
  json(
    add(
      config,
      'show',
      'print what holds, without secrets',
      async () => (await import('./commands/config.ts')).printConfig,
    ),
  )
  json(add(config, 'schema', 'print its JSON Schema', async () => (await import('./commands/config.ts')).printSchema))
  json(
    add(
      config,
      'reload',
      'make the running agent read it again',
      async () => (await import('./commands/config.ts')).reloadConfig,
    ),
  )
  add(program, 'push', 'report for a push check: it went well', async () => (await import('./commands/push.ts')).push)
    .argument('<name>', 'the name of the check')
    .option('--start', 'it has begun')
    .option('--log', 'only a line for the log; it says nothing of success')
    .option('--fail', 'it failed')
    .option('--exit <code>', 'it ended with this exit code, 0 to 255')
    .option('--message <text>', 'what it said')
  add(program, 'exec', 'run a command and report how it ended', async () => {
    const { exec } = await import('./commands/exec.ts')
    return (context, name: string, command: readonly string[]) => exec(context, name, command, { isApart: hasDashes })
  })
    .argument('<name>', 'the name of the push check')
    .argument('<command...>', 'what to run, after --')
    .usage('[--dir <dir>] <name> -- <command...>')
    // Without the dashes all that follows the name is the command's own.
    .passThroughOptions(!hasDashes)
}

function addTelling(program: Command, add: Add): void {
  const recipient = group(program, 'recipient', 'who is told')
  json(
    add(
      recipient,
      'add',
      'pair a device by a link and a QR code',
      async () => (await import('./commands/recipient.ts')).addRecipient,
    ),
  )
    .argument('<name>', 'what to call it')
    .option('--key <hex>', 'its public key, taken by hand instead of a pairing')
  json(add(recipient, 'list', 'who is told', async () => (await import('./commands/recipient.ts')).listRecipients))
  json(
    add(
      recipient,
      'remove',
      'tell a device no more',
      async () => (await import('./commands/recipient.ts')).removeRecipient,
    ),
  ).argument('<name>', 'its name, or the start of its id')
  json(
    add(
      program,
      'listen',
      'receive notices in this terminal',
      async () => (await import('./commands/listen.ts')).listen,
    ),
  )
    .argument('[link]', 'the link of muster recipient add; only the first time')
    .option('--once', 'end after the first notice')
    .option('--exec <command>', 'run this for each notice, with the notice as JSON on its standard input')
    .option('--bridge <url>', 'pass each notice on to a Matterbridge API (token: $MUSTER_BRIDGE_TOKEN)')
    .option('--gateway <name>', 'the gateway of that bridge', 'muster')
    .option('--name <name>', 'what this device calls itself')
}

function addQuieting(program: Command, add: Add): void {
  json(
    add(
      program,
      'ack',
      'answer for an incident: no more reminders',
      async () => (await import('./commands/quieten.ts')).ack,
    ),
  )
    .argument('<incident>', 'the start of its id')
    .option('--by <name>', 'who answers (default: your user name)')
  json(
    add(
      program,
      'silence',
      'tell nothing of an incident, a host or a check',
      async () => (await import('./commands/quieten.ts')).silence,
    ),
  )
    .argument('<matcher>', 'the start of an incident’s id, HOST, HOST/CHECK, or either with *')
    .requiredOption('--for <duration>', 'until when, for example 2h')
  json(
    add(
      program,
      'maintenance',
      'excuse a host for a while',
      async () => (await import('./commands/quieten.ts')).maintenance,
    ),
  )
    .argument('<host>', 'its name')
    .requiredOption('--for <duration>', 'until when, for example 1h')
}

function json(command: Command): Command {
  return command.addOption(new Option('--json', 'print facts as JSON'))
}

/** A command that only holds others. */
function group(program: Command, name: string, summary: string): Command {
  const made = program
    .command(name)
    .description(summary)
    .usage('<command>')
    .option('--dir <dir>', 'the folder of this host')
    .exitOverride()
    .argument('[command]')
    .allowExcessArguments()
    .action((given: string | undefined) => {
      const names = made.commands.map((each) => each.name()).join(', ')
      throw given === undefined
        ? usageError(`which ${name} command? ${names}`, `muster ${name} --help explains them`)
        : usageError(`there is no command ${name} ${plain(given, 40)}; there are ${names}`)
    })
  return made
}

function unknownCommand(program: Command, given: string): Error {
  const name = plain(given, 40)
  const close = program.commands.map((each) => each.name()).filter((each) => isClose(each, name))
  const hint = close[0] === undefined ? '' : ` Did you mean ${close[0]}?`
  return usageError(`there is no command ${name}.${hint} muster --help lists them all`)
}

/** One letter more, less, other or swapped, or the same start. */
function isClose(a: string, b: string): boolean {
  if (b.length >= 3 && (a.startsWith(b) || b.startsWith(a))) return true
  if (Math.abs(a.length - b.length) > 1) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start += 1
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1
  const left = Math.max(a.length, b.length) - start - end
  return left <= 1 || (left === 2 && a.length === b.length && a[start] === b[start + 1] && a[start + 1] === b[start])
}
