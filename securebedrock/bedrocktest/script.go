package bedrocktest

import "github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

// Reply puts reply in the model's place for Converse, ConverseStream,
// InvokeModel and InvokeModelWithResponseStream; nil restores the default. Text,
// ToolUse and Content make answers, Script a Reply of several.
//
// Reply is called once per request that reaches the model, by many goroutines at
// once, with an input that the Reply owns and in which a guardrail's masks have
// been applied. What the request was before that is in Calls. A body of
// InvokeModel arrives translated, whatever the model's family writes: messages,
// system prompt, tools, tool results and inference settings. The answer goes back
// in the family's own form. Models that answer with no message (embeddings, rerank,
// images) do not ask Reply: see ReplyInvoke.
//
// What the output leaves out is filled in: the stop reason, the whole usage, the
// latency. An output of nil is the default answer. A trace of the output's own is
// sent as it is. Without a stop reason of its own an answer ends where the
// request's stop sequences and maximum of tokens end it. An error of the SDK's types
// (such as *types.ThrottlingException) is sent as what it is, any other as
// ModelErrorException.
//
// A Reply that panics, or whose answer no model could give (a usage without its
// output tokens, a tool use without a name), is a fault of the test: the client
// gets an InternalServerException that names the fault, and a server of NewServer
// reports the fault to its test.
func (s *Server) Reply(reply func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error)) {
	s.model.SetReply(reply)
}

// ReplyInvoke puts reply in the model's place for InvokeModel and
// InvokeModelWithResponseStream, before Reply; nil restores Reply. reply gets the
// model as the client wrote it and the body as it was received, and returns the
// answer's body. A nil body leaves the call to Reply, so that one ReplyInvoke can
// answer for the models whose bodies this server does not know.
//
// A stream carries the body as one chunk; a JSON array is one chunk for each of its
// elements. The last chunk, if it is a JSON object, gains
// amazon-bedrock-invocationMetrics. The token counts of headers and metrics are
// those that the body states (under the names of the families that this server
// knows), and else its words.
//
// A guardrail evaluates the prompt before reply is called, and does not evaluate
// the body that reply returns: of a model whose body the server does not know, the
// prompt is every string of the body.
//
// reply is called by many goroutines at once. Its errors and panics are those of a
// Reply.
func (s *Server) ReplyInvoke(reply func(model string, body []byte) ([]byte, error)) {
	s.model.SetInvoker(reply)
}

// AddInferenceProfile names the model behind an identifier that does not show it:
// the ID or ARN of an application inference profile, and that of a provisioned,
// custom or imported model or of a prompt router too. InvokeModel then speaks that
// model's form. A system-defined profile, such as us.anthropic.…, needs no naming.
func (s *Server) AddInferenceProfile(id, model string) { s.profiles.Add(id, model) }

// Fail scripts what goes wrong with the next requests of an operation, one
// fault per request, in order, after those scripted before. Then requests are
// answered normally again. The operation's name is the SDK's, such as
// "ConverseStream", or "AssumeRole". A request whose signature is refused uses
// up no fault.
func (s *Server) Fail(operation string, faults ...Fault) { s.faults.add(operation, faults) }

// AddGuardrail adds a guardrail, in place of one with the same ID and version.
// The server keeps g's slices and maps: leave them unchanged.
func (s *Server) AddGuardrail(g Guardrail) { s.guardrails.Add(g.definition()) }

// AsyncJobs scripts the next jobs of StartAsyncInvoke, one for each, in order,
// after those scripted before. Then jobs are complete at once again. Nothing is
// written to S3. A start that repeats the token of another is no new job.
func (s *Server) AsyncJobs(jobs ...AsyncJob) { s.async.add(jobs) }

// Calls returns everything the server has received, in the order of arrival.
// A request is in the list before its answer, or the fault in the answer's
// place, begins. The caller owns the slice, the headers and the bodies; Input
// is shared and is to be read only.
func (s *Server) Calls() []Call { return s.calls.list() }

// ExpireSessions ends every session that the server's STS has issued: requests
// signed with one are refused from now on. What the client was told of the
// session's end stays as it was.
func (s *Server) ExpireSessions() { s.keys.ExpireSessions() }
