package main

import (
	"errors"
	"fmt"

	"charm.land/fantasy"
	"github.com/anthropics/anthropic-sdk-go"
)

// describe names an error as a program sees it: its type, and what its fields say.
func describe(err error) *failure {
	f := &failure{Class: fmt.Sprintf("%T", err), Message: err.Error()}
	var provider *fantasy.ProviderError
	if errors.As(err, &provider) {
		f.Class, f.Name, f.Status = "*fantasy.ProviderError", provider.Title, provider.StatusCode
		f.RetryAfter = provider.ResponseHeaders["Retry-After"]
		return f
	}
	var api *anthropic.Error
	if errors.As(err, &api) {
		f.Class, f.Name, f.Status, f.RequestID = "*anthropic.Error", string(api.Type()), api.StatusCode, api.RequestID
		if api.Response != nil {
			f.RetryAfter = api.Response.Header.Get("Retry-After")
		}
	}
	return f
}
