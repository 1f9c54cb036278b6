// Package audit keeps a record of every call: who sent what kind of prompt to
// which model, where it ran, under which guardrail, what that did and what it cost.
// Prompts and answers are not recorded unless their owner says so.
//
//	keys, err := audit.LoadKeys("keys.json") // once: audit.GenerateKeys().Save("keys.json")
//	log, err := audit.Open("audit.log", keys, audit.OpenOptions{})
//	record, err := audit.Middleware(log, audit.Options{Application: "claims"})
//	client, err := securebedrock.New(ctx, securebedrock.Options{
//		…, Middleware: []securebedrock.Middleware{record, …}, // first: it sees what the others refuse
//	})
//	…
//	err = client.Shutdown(ctx) // waits for the calls in flight, and so for their records
//	err = log.Close()          // writes the closing checkpoint
//
// # The records of a call
//
// The middleware writes an intent before the call is judged or sent. When the write
// fails, the call is refused (securebedrock.ErrAudit), unless Options.FailOpen gives a
// reason to send it.
//
// The middleware writes one outcome when the call is over. A stream is over at its end,
// however it ends. A refusal and a panic have an outcome too. A failed write is
// repeated; the last failure goes to OnLost, and each later record counts what was lost
// before it.
//
// Record is an allow-list of identifiers, counts and fixed words. Text from a server or
// a caller is kept where it has the form of an identifier; otherwise the record has
// "(no identifier)". An error is recorded as its class, rule and code, never with its
// message. The recorded input is the one that reached this middleware: to record
// rewritten prompts, put this middleware after the one that rewrites them.
//
// Options.Subject adds the end user who asked. With Options.SubjectKey the record has
// an HMAC in place of the name, which only the owner of the key can search for.
//
// # Sinks
//
//	Open       start here: a file with a Chain, continued after a restart
//	JSONLines  one line of JSON for each record, to an io.Writer
//	File       the same, appended to a file and synced; a failed write is undone
//	Zap, Slog  one log entry with typed fields; a logger that drops records is refused
//	Multi      several sinks at once
//	Async      a queue before a slow sink; every loss is reported
//	Chain      sequence numbers, MACs and signed checkpoints, for Verify
//
// A sink, a Redactor and OnLost may panic, hang or ignore their context. The effect is
// limited to a failed write, a text left out (Block.Withheld) or a count (Stats.Untold).
//
// Two sinks are modules of their own: rotatefile (rotation) and awssink (CloudWatch Logs,
// Firehose). To write another sink, implement one method.
//
// # What Verify shows and what it does not
//
// Each line of a chain holds its own MAC and the MAC of the line before it. A checkpoint
// with an Ed25519 signature follows after a number of records or seconds, and at Close.
// Verify reports by number which lines were changed, removed, inserted or reordered, and
// whether the end of the log is there.
//
// The holder of the MAC key can write lines and cannot sign checkpoints. The holder of
// both keys can write another log. Only checkpoints that are kept elsewhere
// (ChainOptions.OnCheckpoint, Verifier.Expect) reveal a log that was deleted or cut back
// to an earlier closing checkpoint. Open keeps checkpoints in a second file. A process
// that dies leaves its chain open; the next process continues the chain and records this.
//
// The witnesses of transparency logs cannot countersign these checkpoints:
// c2sp.org/tlog-witness requires a consistency proof of a Merkle tree, and a chain of
// MACs has none. A witness of your own can use OnCheckpoint.
package audit
