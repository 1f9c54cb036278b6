// Package policycases holds the configurations and the requests by which the policies of
// package policy are tested, with the verdict that AWS must reach, expected by hand.
// Package policy's tests read them, and so do the tests against another evaluator.
package policycases
