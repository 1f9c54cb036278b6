// Package bench holds what the script run needs beside the benchmarks themselves
// (securebedrock/bench_test.go): a program that makes a table and a chart of their
// output, and two Lambda functions whose binaries are compared.
package bench
