package bedrocktest

import (
	"net/http"
	"sync"
	"time"
)

// Fault is something that goes wrong with one request, or with several for Throttle
// and ServerError. The functions of this package make faults. The zero Fault lets a
// request pass.
//
// Some faults name a number of events. They are meant for the streams of
// ConverseStream, InvokeModelWithResponseStream and
// InvokeModelWithBidirectionalStream: the fault strikes after that many events. A
// stream with fewer events ends normally. The other operations have no events. There
// the number is ignored, and the fault strikes in the middle of the answer's body, as
// described for each fault.
type Fault struct {
	kind     faultKind
	times    int
	after    int
	status   int
	code     string
	message  string
	location string
	wait     time.Duration
}

type faultKind int

const (
	faultNone faultKind = iota
	faultError
	faultStallHeaders
	faultStallStream
	faultDrop
	faultDropStream
	faultTruncate
	faultTruncateMidFrame
	faultException
	faultRedirect
)

// Throttle answers n requests with 429 ThrottlingException, and with 400 Throttling
// for the operations of STS.
func Throttle(n int) Fault {
	f := Error(http.StatusTooManyRequests, "ThrottlingException", "Too many requests, please wait before trying again.")
	f.times = n
	return f
}

// ServerError answers n requests with status and Bedrock's exception for it:
// InternalServerException for 500, ServiceUnavailableException for 503 and any other
// status.
func ServerError(status, n int) Fault {
	f := Error(status, "ServiceUnavailableException", "The service is temporarily unavailable.")
	if status == http.StatusInternalServerError {
		f = Error(status, "InternalServerException", "The system encountered an unexpected error during processing. Try your request again.")
	}
	f.times = n
	return f
}

// Error answers with an error of the service. For the operations of STS, code and
// message are sent in STS's XML.
func Error(status int, code, message string) Fault {
	return Fault{kind: faultError, times: 1, status: status, code: code, message: message}
}

// StallHeaders sends nothing until the client leaves or the server closes.
func StallHeaders() Fault { return Fault{kind: faultStallHeaders, times: 1} }

// StallHeadersFor sends nothing for d, and then answers normally.
func StallHeadersFor(d time.Duration) Fault {
	return Fault{kind: faultStallHeaders, times: 1, wait: d}
}

// StallStream sends the given number of events, then nothing until the client leaves
// or the server closes. Without events: half of the body.
func StallStream(afterEvents int) Fault {
	return Fault{kind: faultStallStream, times: 1, after: afterEvents}
}

// Drop ends the request before its headers. HTTP/1.1 loses the connection, HTTP/2 the
// stream.
func Drop() Fault { return Fault{kind: faultDrop, times: 1} }

// DropStream sends the given number of events, then loses the connection, or with
// HTTP/2 the stream. Without events: half of the body.
func DropStream(afterEvents int) Fault {
	return Fault{kind: faultDropStream, times: 1, after: afterEvents}
}

// Truncate sends the given number of events, then ends the body as if it were
// complete. Without events: half of the body, without Content-Length.
func Truncate(afterEvents int) Fault {
	return Fault{kind: faultTruncate, times: 1, after: afterEvents}
}

// TruncateMidFrame is Truncate with half of the next event's frame.
func TruncateMidFrame(afterEvents int) Fault {
	return Fault{kind: faultTruncateMidFrame, times: 1, after: afterEvents}
}

// Exception sends the given number of events, then an exception such as
// "throttlingException" or "modelStreamErrorException", and ends the stream. Without
// events: an error of the service with that name.
func Exception(afterEvents int, exceptionType, message string) Fault {
	return Fault{kind: faultException, times: 1, after: afterEvents, code: exceptionType, message: message}
}

// Redirect answers with status and a Location header.
func Redirect(status int, location string) Fault {
	return Fault{kind: faultRedirect, times: 1, status: status, location: location}
}

type faultScript struct {
	mu    sync.Mutex
	queue map[string][]Fault
}

func (f *faultScript) add(operation string, faults []Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.queue == nil {
		f.queue = make(map[string][]Fault)
	}
	for _, fault := range faults {
		if fault.kind == faultNone {
			fault.times = 1
		}
		if fault.times > 0 {
			f.queue[operation] = append(f.queue[operation], fault)
		}
	}
}

// next takes the fault for a request of operation. It returns the zero Fault if none
// is scripted.
func (f *faultScript) next(operation string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	queue := f.queue[operation]
	if len(queue) == 0 {
		return Fault{}
	}
	fault := queue[0]
	queue[0].times--
	if queue[0].times == 0 {
		f.queue[operation] = queue[1:]
	}
	return fault
}
