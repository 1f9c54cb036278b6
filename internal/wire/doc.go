// Package wire holds the REST forms of Amazon Bedrock Runtime, in both directions:
// the operations at their paths, a request's parts as the SDK's input types, the
// SDK's output types as a response's headers and body, and the frames of its event
// streams.
//
// The package serves whatever stands in the service's place. It opens no
// connection, checks no signature and knows no model.
package wire
