package bedrocktest

import "github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

// Reply puts reply in the model's place for Converse, ConverseStream, InvokeModel and
// InvokeModelWithResponseStream; nil restores the default. Text, ToolUse and Content
// make answers. Script makes a Reply of several answers.
//
// Reply is called once per request that reaches the model, by many goroutines at once.
// The Reply owns its input. A guardrail's masks have been applied to the input, and
// Calls has the request from before. An InvokeModel body arrives translated from the
// form of the model's family: messages, system prompt, tools, tool results and
// inference settings. The answer is translated back. Models that answer without a
// message (embeddings, rerank, images) do not ask Reply: see ReplyInvoke.
//
// The server fills in what the output leaves out: the stop reason, the whole usage,
// the latency. A nil output is the default answer. A trace in the output is sent as it
// is. Without a stop reason in the output, the request's stop sequences and maximum of
// tokens end the answer. An error of the SDK's types (such as
// *types.ThrottlingException) is sent as that error, any other as ModelErrorException.
//
// A Reply is at fault if it panics, or if no model could give its answer (a usage
// without output tokens, a tool use without a name). The client gets an
// InternalServerException that names the fault. A server of NewServer also reports the
// fault to its test.
func (s *Server) Reply(reply func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error)) {
	s.model.SetReply(reply)
}

// ReplyInvoke puts reply in the model's place for InvokeModel and
// InvokeModelWithResponseStream, before Reply; nil restores Reply. reply gets the
// model as the client wrote it and the body as it was received. It returns the
// answer's body. A nil body leaves the call to Reply, so a ReplyInvoke can answer only
// for the models whose bodies the server does not know.
//
// A stream carries the body as one chunk, or a JSON array as one chunk per element.
// The last chunk, if it is a JSON object, gains amazon-bedrock-invocationMetrics. The
// token counts in headers and metrics are those that the body states, under the names
// of the families that the server knows. If the body states none, its words are
// counted.
//
// A guardrail evaluates the prompt before reply is called. It does not evaluate the
// body that reply returns. If the server does not know the model's form, the prompt is
// every string of the body.
//
// Many goroutines call reply at once. Its errors and panics are treated like those of
// a Reply.
func (s *Server) ReplyInvoke(reply func(model string, body []byte) ([]byte, error)) {
	s.model.SetInvoker(reply)
}

// AddInferenceProfile names the model behind an identifier that does not show it: the
// ID or ARN of an application inference profile, of a provisioned, custom or imported
// model, or of a prompt router. InvokeModel then uses that model's form. A
// system-defined profile, such as us.anthropic.…, needs no entry.
func (s *Server) AddInferenceProfile(id, model string) { s.profiles.Add(id, model) }

// Fail scripts the faults of the next requests of an operation: one fault per request,
// in order, after the faults scripted before. Later requests are answered normally.
// The operation has the SDK's name, such as "ConverseStream" or "AssumeRole". A
// request whose signature is refused uses no fault.
func (s *Server) Fail(operation string, faults ...Fault) { s.faults.add(operation, faults) }

// AddGuardrail adds a guardrail, in place of one with the same ID and version. The
// server keeps g's slices and maps: do not change them.
func (s *Server) AddGuardrail(g Guardrail) { s.guardrails.Add(g.definition()) }

// AsyncJobs scripts the next jobs of StartAsyncInvoke, in order, after the jobs
// scripted before. Later jobs complete at once. Nothing is written to S3. A start that
// repeats the token of another start makes no new job.
func (s *Server) AsyncJobs(jobs ...AsyncJob) { s.async.add(jobs) }

// Calls returns every request that the server has received, in the order of arrival. A
// request is in the list before its answer begins, and before a fault takes the
// answer's place. The caller owns the slice, the headers and the bodies. Input is
// shared and must not be changed.
func (s *Server) Calls() []Call { return s.calls.list() }

// ExpireSessions ends every session that the server's STS has issued. Requests signed
// with one are refused from now on. The expiration that the client was told does not
// change.
func (s *Server) ExpireSessions() { s.keys.ExpireSessions() }
