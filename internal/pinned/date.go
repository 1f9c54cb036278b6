package pinned

import (
	"net/http"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// maxSkew bounds what an answer's Date may say of the local clock. A wrong time zone
// is within the bound. TLS has compared the clock with the certificate's dates.
const maxSkew = 24 * time.Hour

// TrustDate removes a Date that is more than a day away from now. The SDK would sign the
// next attempt and all later requests for the time that the Date names.
func TrustDate(h http.Header, now time.Time) {
	date := h.Get("Date")
	if date == "" {
		return
	}
	if at, err := smithyhttp.ParseTime(date); err != nil || at.Sub(now).Abs() > maxSkew {
		h.Del("Date")
	}
}
