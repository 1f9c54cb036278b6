package pinned

import (
	"net/http"
	"testing"
	"time"
)

// A Date is believed within a day of the local clock, and no other text is.
func TestTrustDate(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for date, kept := range map[string]bool{
		now.Format(http.TimeFormat):                      true,
		now.Add(14 * time.Hour).Format(http.TimeFormat):  true,
		now.Add(-23 * time.Hour).Format(http.TimeFormat): true,
		now.Add(25 * time.Hour).Format(http.TimeFormat):  false,
		now.AddDate(20, 0, 0).Format(http.TimeFormat):    false,
		now.AddDate(-20, 0, 0).Format(http.TimeFormat):   false,
		"tomorrow": false,
	} {
		h := http.Header{"Date": {date}}
		TrustDate(h, now)
		if got := h.Get("Date") != ""; got != kept {
			t.Errorf("%q: kept %v", date, got)
		}
	}
}
