// Package doc is the front page of the module. The package holds no code.
//
// # What is where
//
//   - securebedrock: the client, a drop-in for bedrockruntime.Client that cannot leave
//     its region, its list of models or its guardrail.
//   - securebedrock/audit: a tamper-evident record of every call. The sinks
//     audit/awssink and audit/rotatefile are modules of their own.
//   - securebedrock/bedrocktest: a Bedrock and an STS on loopback, for tests and
//     programs without an AWS account.
//   - securebedrock/bedrockhttp: the client as an HTTP transport and as a server, for SDKs
//     that sign by themselves.
//   - securebedrock/middleware: budgets, limits and a check of the input; a module of
//     its own.
//   - securebedrock/otelbedrock: OpenTelemetry; a module of its own.
//   - securebedrock/profiles: asks Bedrock where an inference profile runs; a module of
//     its own.
//   - securebedrock/policy: the IAM policies that match the client's options.
//   - securebedrock/configfile: the options, the account and the sidecar as one YAML file;
//     a module of its own.
//   - securebedrock/cmd/securebedrock: the command over that file, with the sidecar; a
//     module of its own.
//   - securebedrock/baseline: the account around the client (planned).
//   - examples: runnable programs.
//   - internal: what the library stands on. internal/checks looks at the library from
//     outside: benchmarks, compatibility, soak and release tests.
//   - docs: threats, libraries, guardrail coverage and benchmarks.
package doc
