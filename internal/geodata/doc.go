// Package geodata keeps the destination regions of Bedrock's system inference
// profiles in one file, profiles.json, with the AWS page and the month of each
// entry, and writes internal/region/geography_table.go from it. No program
// imports it but the generator in gen.
//
// To change the table: edit profiles.json, run go generate ./internal/region, and
// add the row to TestProfileDestinations in securebedrock, which is written by hand so that
// an error in the file does not agree with itself.
package geodata
