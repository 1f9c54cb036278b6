// Reads one JSON object a line, {simulation}, and answers with one line each:
// {result, ignored} or {errors}. Only the public API of iam-simulate is called.
import { createInterface } from 'node:readline'
import { runSimulation } from '@cloud-copilot/iam-simulate'

for await (const line of createInterface({ input: process.stdin })) {
  let answer
  try {
    const run = await runSimulation(JSON.parse(line).simulation, {})
    answer = run.resultType === 'error'
      ? { errors: run.errors }
      : { result: run.overallResult, ignored: (run.results ?? [run.result]).flatMap((r) => r.ignoredContextKeys ?? []) }
  } catch (e) {
    answer = { errors: { message: String(e) } }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
