// Package doc is the front page of the module and holds no code, so that
// importing the module's root by mistake fails in an obvious way.
//
// # What is where
//
//   - securebedrock: the client, a drop-in for bedrockruntime.Client that
//     cannot leave its region, its model list or its guardrail.
//   - securebedrock/bedrocktest: a Bedrock and an STS on loopback, to run and
//     test against without an AWS account.
//   - securebedrock/profiles: where inference profiles run, asked of Bedrock; a
//     module of its own.
//   - securebedrock/audit: a record of every call, tamper-evident; audit/awssink
//     and audit/rotatefile, modules of their own.
//   - securebedrock/middleware: budgets, limits and a check of the input, and
//     securebedrock/otelbedrock: OpenTelemetry; modules of their own.
//   - securebedrock/policy: the IAM policies that say on the account's side
//     what the client says on the application's (to come).
//   - securebedrock/baseline: the account around the client (to come).
//   - examples: one runnable program each.
package doc
