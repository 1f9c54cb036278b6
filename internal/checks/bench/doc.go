// Package bench holds the programs of the script run: one makes a table and a chart of
// the benchmarks' output, and two are Lambda functions whose binaries are compared. The
// benchmarks themselves are in securebedrock/bench_test.go and bench_door_test.go.
package bench
