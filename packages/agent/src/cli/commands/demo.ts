/** `muster demo`. */
import type { Context } from '../surroundings.ts'

/** Runs the demo. */
export async function demo(context: Context, options: { readonly keep?: boolean }): Promise<number> {
  const { runDemo } = await import('../../demo/demo.ts')
  return await runDemo({ keep: options.keep === true, json: context.json, say: context.line, print: context.line })
}
