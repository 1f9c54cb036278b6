// Package audit will keep records of every call: who sent what kind of prompt to
// which model, where it ran, under which guardrail, and what that did. It holds
// nothing yet; until it does, a securebedrock.Middleware sees the same facts as
// Call and Outcome.
package audit
