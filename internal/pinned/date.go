package pinned

import (
	"net/http"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// maxSkew bounds what an answer's Date may say of the local clock. A wrong time zone
// is within it. TLS has compared the clock with the certificate's dates.
const maxSkew = 24 * time.Hour

// TrustDate takes a Date off that is further away than a day: the SDK would sign the
// request anew, and all later ones, for the time that it names.
func TrustDate(h http.Header, now time.Time) {
	date := h.Get("Date")
	if date == "" {
		return
	}
	if at, err := smithyhttp.ParseTime(date); err != nil || at.Sub(now).Abs() > maxSkew {
		h.Del("Date")
	}
}
