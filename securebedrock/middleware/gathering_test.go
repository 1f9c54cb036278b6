package middleware

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// What more than MaxRequests would hold is not gathered.
func TestGatheringIsBounded(t *testing.T) {
	c := anyContent()
	c.mostText = 5000
	c.json([]byte("[" + strings.Repeat(`"0123456789",`, 100_000) + `""]`))
	if !c.tooMuch() || c.size > 6000 {
		t.Errorf("%d bytes are held", c.size)
	}
	c = anyContent()
	c.text(strings.Repeat("x", 1<<20))
	if n := len(c.requests(1024, 40)); n != 41 {
		t.Errorf("%d requests are made of what may have 40", n)
	}
	c = anyContent()
	c.mostImages = 3
	for range 9 {
		c.imageBytes("png", nil)
	}
	if !c.tooMuch() || len(c.images) != 4 {
		t.Errorf("%d images are held", len(c.images))
	}
}

// A context that has ended ends the gathering.
func TestGatheringHeedsItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := anyContent()
	c.ended = ctx.Err
	c.text("one")
	cancel()
	c.text("two")
	c.json([]byte(`["three"]`))
	if !errors.Is(c.err, context.Canceled) || len(c.texts) != 1 {
		t.Errorf("%v, %q", c.err, c.texts)
	}
}
