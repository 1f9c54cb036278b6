// Package iam holds only tests. They ask an evaluator that this repository did not write
// for the verdicts of the policies that package policy writes, and compare them with
// policy.Decide and with verdicts expected by hand. README.md says which evaluator.
//
// iam is a module of its own, outside the workspace: its tests need Node.js.
package iam
