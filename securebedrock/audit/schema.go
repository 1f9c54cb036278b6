package audit

// Schema names the form of a Record. A change that a reader could trip over gets
// another number.
const Schema = "securebedrock.audit/1"

// Kind says what a Record records.
type Kind string

// The kinds of Record.
const (
	KindIntent     Kind = "intent"     // a call is about to be judged and sent
	KindOutcome    Kind = "outcome"    // it is over; one for every intent
	KindCheckpoint Kind = "checkpoint" // a signature over a chain, see Chain
	KindResumed    Kind = "resumed"    // a chain goes on after a restart
	KindSkipped    Kind = "skipped"    // in the place of a record that its sink did not take
)
