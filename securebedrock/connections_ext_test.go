package securebedrock_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// An answer's Date moves the time of later signatures by a day at most.
func TestSkewIsBounded(t *testing.T) {
	for _, row := range []struct {
		name     string
		off      time.Duration
		followed bool
	}{
		{"years ahead", 20 * 365 * 24 * time.Hour, false},
		{"years ago", -20 * 365 * 24 * time.Hour, false},
		{"two days ahead", 48 * time.Hour, false},
		{"an hour ahead, as in another time zone", time.Hour, true},
		{"half a day ago", -12 * time.Hour, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			var dates []string
			c := handled(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				dates = append(dates, r.Header.Get("X-Amz-Date"))
				if len(dates) > 1 {
					unproven(w, r)
					return
				}
				io.Copy(io.Discard, r.Body)
				w.Header().Set("Date", time.Now().Add(row.off).UTC().Format(http.TimeFormat))
				w.Header().Set("X-Amzn-Errortype", "InvalidSignatureException")
				w.WriteHeader(http.StatusForbidden)
				io.WriteString(w, `{"message":"no"}`)
			}), func(o *securebedrock.Options) { o.Retry.MaxBackoff = time.Millisecond })
			_, _ = c.Converse(t.Context(), converse("hello"))
			if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
				t.Error(err)
			}
			signed, err := time.Parse("20060102T150405Z", dates[1])
			if err != nil {
				t.Fatal(err)
			}
			if followed := time.Until(signed).Abs() > time.Minute; followed != row.followed {
				t.Errorf("the next request is signed for %v", signed)
			}
		})
	}
}
