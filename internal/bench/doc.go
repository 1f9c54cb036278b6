// Package bench holds what ../../bench needs beside the benchmarks themselves
// (securebedrock/bench_test.go): a program that makes a table and a chart of their
// output, and two Lambda functions whose binaries are compared.
package bench
