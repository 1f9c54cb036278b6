package securebedrock_test

import (
	"sync"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Many streams at once on one client: the plain SDK's codec is a data race here,
// so this test needs -race to mean anything.
func TestConcurrentStreams(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for range 5 {
				out, err := c.ConverseStream(t.Context(), converseStream(longPrompt))
				if err != nil {
					t.Error(err)
					return
				}
				if text, err := drain(out.GetStream()); err != nil || text == "" {
					t.Errorf("%q, %v", text, err)
				}
			}
		})
	}
	wg.Wait()
	for range 160 {
		<-rec.arrived
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if len(rec.records) != 160 {
		t.Errorf("%d records of 160 streams", len(rec.records))
	}
	ids := map[string]bool{}
	for _, r := range rec.records {
		ids[r.call.ID] = true
	}
	if len(ids) != 160 {
		t.Errorf("%d different call IDs", len(ids))
	}
}
