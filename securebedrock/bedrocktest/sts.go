package bedrocktest

import (
	"net/http"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/keyring"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/stsapi"
)

// stsOperation answers every operation of STS.
func stsOperation(keys *keyring.Keyring) operation {
	return operation{
		service: service{name: sigv4.ServiceSTS, fail: sendSTSError, unsigned: stsapi.OpWebIdentity},
		decode: func(r *request) (any, error) {
			operation, input, err := stsapi.Decode(r.parts.Body)
			r.call.Operation = operation
			return input, err
		},
		answer: func(w *responder, r *request) error {
			result, err := stsapi.Answer(keys, r.call.Input, keys.Key(r.signer.AccessKeyID))
			if err != nil {
				return err
			}
			if w.fault.kind == faultException {
				return wire.ErrorOfException(w.fault.code, w.fault.message)
			}
			body, err := stsapi.EncodeResult(r.call.Operation, r.id, result)
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
	status, body := stsapi.EncodeError(requestID, e)
	w.Header().Set("Content-Type", "text/xml")
	w.fault = Fault{}
	w.send(status, body)
}
