/** `muster demo`. */
import type { Context } from '../surroundings.ts'

/** Runs the demo. */
export async function demo(context: Context, options: { readonly keep?: boolean }): Promise<number> {
  const { runDemo } = await import('../../demo/demo.ts')
  // One object on standard output is all that a script wants; the story then goes to standard error.
  const say = context.json
    ? (text: string) =>
        context.err(`${text}
`)
    : context.line
  return await runDemo({ keep: options.keep === true, json: context.json, say, print: context.line })
}
