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
// An intent is written before the call is judged or sent; where that fails, the
// call is refused (securebedrock.ErrAudit), unless Options.FailOpen says why not.
// One outcome is written when the call is over, a stream's at its end however it
// ends, a refusal's, a panic's too; it is written again where that fails, and given
// to OnLost at last. Each later record counts what was lost before it.
//
// Record is an allow-list of identifiers, counts and fixed words. What a server or
// caller wrote is kept where it has the form of an identifier, else it reads
// "(no identifier)". An error is its class, rule and code, never its message. What
// is recorded of an input is what came to this middleware: put it inside of one
// that rewrites prompts, if the rewritten ones are to be on record.
//
// Options.Subject adds who asked: the end user, by name or, with Options.SubjectKey,
// by an HMAC that the key's owner alone can look for.
//
// # Sinks
//
//	Open       a file with a Chain, continued after a restart; where to begin
//	JSONLines  a line of JSON each, to an io.Writer
//	File       the same, appended, synced, undone where a write fails
//	Zap, Slog  an entry with typed fields; a logger that drops records is refused
//	Multi      to several
//	Async      a queue before a slow sink; it never drops in silence
//	Chain      sequence, MACs and signed checkpoints, for Verify
//
// A sink, a Redactor and OnLost may panic, hang or ignore their context: that is an
// error of one write, a text left out (Block.Withheld), or a count (Stats.Untold).
//
// In modules of their own: rotatefile (rotation), awssink (CloudWatch Logs,
// Firehose). Another sink is one method.
//
// # What Verify shows, and what not
//
// Each line of a chain has the MAC of the line before it and its own; an Ed25519
// checkpoint comes every so many records or seconds, and at Close. Verify tells by
// number which lines were changed, removed, inserted or reordered, and whether the
// end is there. Whoever has the MAC key can write lines, but cannot sign
// checkpoints; whoever has both keys can write another log. A log that was cut back
// to an earlier closing checkpoint, and one of which all is gone, show by
// checkpoints that are kept elsewhere (ChainOptions.OnCheckpoint, Verifier.Expect),
// and by nothing else. Open keeps them in a second file. A process that dies leaves
// its chain open; the next one continues it and says so.
//
// The witnesses of transparency logs cannot countersign these checkpoints:
// c2sp.org/tlog-witness demands a consistency proof of a Merkle tree, and a chain of
// MACs has none. For a witness of your own OnCheckpoint is enough.
package audit
