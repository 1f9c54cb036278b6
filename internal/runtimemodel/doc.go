// Package runtimemodel keeps AWS's description of the Bedrock Runtime API,
// bedrock-runtime.json, and writes from it the table of constraints that
// bedrocktest holds requests against. No program imports it but the generator in
// gen.
//
// The file is botocore's service-2.json for bedrock-runtime, as of 2026-08-07,
// with the documentation texts taken out. It is AWS's, under the Apache License,
// Version 2.0 (https://github.com/boto/botocore/blob/develop/LICENSE.txt).
//
// To follow AWS: replace the file and run go generate ./securebedrock/bedrocktest/internal/shapes.
package runtimemodel
