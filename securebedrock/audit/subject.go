package audit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// subjectLabel keeps the HMAC of a subject apart from those of blocks.
const subjectLabel = Schema + " subject\x00"

const subjectPrefix = "hmac-sha256:"

// DigestSubject is Record.Subject of a Middleware with this Options.SubjectKey: to
// find what a person asked. It is HMAC-SHA-256 over "securebedrock.audit/1 subject",
// a zero byte and the subject.
func DigestSubject(key Key, subject string) string {
	h := hmac.New(sha256.New, key.Secret)
	h.Write([]byte(subjectLabel))
	h.Write([]byte(subject))
	return subjectPrefix + hex.EncodeToString(h.Sum(nil))
}

// subject asks Options.Subject, within WriteTimeout and the call's context.
func (a *auditor) subject(ctx context.Context, call *securebedrock.Call) (string, error) {
	if a.opts.Subject == nil {
		return "", nil
	}
	own, subject := *call, "" // what runs on after the timeout has a Call of its own
	ctx, cancel := context.WithTimeout(ctx, a.opts.WriteTimeout)
	defer cancel()
	r := start("Options.Subject", func() error {
		subject = a.opts.Subject(ctx, &own)
		return nil
	})
	switch err := r.Wait(ctx); {
	case err != nil:
		return noWord, err
	case subject == "":
		return "", nil
	case a.opts.SubjectKey.ID != "":
		return DigestSubject(a.opts.SubjectKey, subject), nil
	}
	return identifier(subject), nil
}

// unnamed refuses a call of which Options.Subject could not tell who made it.
func (p *pending) unnamed(err error) *securebedrock.PolicyError {
	return &securebedrock.PolicyError{Rule: notRecorded(err), Operation: p.call.Operation, Model: p.call.Model.ID,
		Detail: "Options.Subject of the audit did not tell who made the call, and nothing was sent; mend it, or say in FailOpen why calls may go unrecorded"}
}
