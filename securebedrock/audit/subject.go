package audit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// subjectLabel keeps the HMAC of a subject apart from those of blocks.
const subjectLabel = Schema + " subject\x00"

const subjectPrefix = "hmac-sha256:"

// DigestSubject returns the Record.Subject that a Middleware with this
// Options.SubjectKey records. Use it to find the calls of a person. The digest is
// an HMAC-SHA-256 over "securebedrock.audit/1 subject", a zero byte and the
// subject.
func DigestSubject(key Key, subject string) string {
	h := hmac.New(sha256.New, key.Secret)
	h.Write([]byte(subjectLabel))
	h.Write([]byte(subject))
	return subjectPrefix + hex.EncodeToString(h.Sum(nil))
}

// subjectOf asks the application's function who makes a call, within a time and the
// call's context.
func subjectOf(ctx context.Context, ask func(context.Context, *securebedrock.Call) string, key Key, bound time.Duration, call *securebedrock.Call) (string, error) {
	if ask == nil {
		return "", nil
	}
	own, subject := *call, "" // a function that runs on after the bound has a Call of its own
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	r := start("Options.Subject", func() error {
		subject = ask(ctx, &own)
		return nil
	})
	switch err := r.Wait(ctx); {
	case err != nil:
		return noWord, err
	case subject == "":
		return "", nil
	case key.ID != "":
		return DigestSubject(key, subject), nil
	}
	return identifier(subject), nil
}
