package bedrocktest

import (
	"net/http"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// stsOperation answers every operation of STS.
func stsOperation(keys *keyring) operation {
	return operation{
		service: service{name: serviceSTS, fail: sendSTSError, unsigned: opWebIdentity},
		decode: func(r *request) (any, error) {
			operation, input, err := decodeSTS(r.parts.Body)
			r.call.Operation = operation
			return input, err
		},
		answer: func(w *responder, r *request) error {
			result, err := answerSTS(keys, r.call.Input, r.signer.key)
			if err != nil {
				return err
			}
			if w.fault.kind == faultException {
				return wire.ErrorOfException(w.fault.code, w.fault.message)
			}
			body, err := encodeResult(r.call.Operation, r.id, result)
			if err != nil {
				return err
			}
			w.Header().Set("Content-Type", "text/xml")
			w.send(http.StatusOK, body)
			return nil
		},
	}
}

// sendSTSError sends an error in STS's form.
func sendSTSError(w *responder, requestID string, e *wire.Error) {
	status, body := encodeSTSError(requestID, e)
	w.Header().Set("Content-Type", "text/xml")
	w.fault = Fault{}
	w.send(status, body)
}
