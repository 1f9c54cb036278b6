// Package audit keeps a record of every call: who sent what kind of prompt to
// which model, where it ran, under which guardrail, what that did, and what it
// cost. Prompts and answers are not recorded unless their owner says so.
package audit
