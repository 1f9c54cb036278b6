package middleware

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, one := NewMemory(), Amount{Tokens: 1}
		m.most = 100
		for i := range 101 {
			if _, _, err := m.Reserve(t.Context(), strconv.Itoa(i), time.Second, one, one); (err != nil) != (i == 100) {
				t.Errorf("key %d: %v", i, err)
			}
		}
		if _, ok, err := m.Reserve(t.Context(), "7", time.Second, one, one); ok || err != nil {
			t.Errorf("a key that is held: %t, %v", ok, err)
		}
		time.Sleep(time.Minute)
		if _, _, err := m.Reserve(t.Context(), "new", time.Second, one, one); err != nil || len(m.keys) != 1 {
			t.Errorf("when the windows are over, %d keys are held: %v", len(m.keys), err)
		}
	})
}

// A clock that is set back neither empties the budget nor opens an old one.
func TestMemoryOfAClockThatIsSetBack(t *testing.T) {
	m, limit := NewMemory(), Amount{Tokens: 10}
	if _, ok, _ := m.Reserve(t.Context(), "k", time.Hour, limit, limit); !ok {
		t.Fatal("refused")
	}
	s := m.keys[memoryKey{"k", time.Hour}]
	s.ends = s.ends.Add(24 * time.Hour) // as if it was reserved tomorrow
	if r, ok, _ := m.Reserve(t.Context(), "k", time.Hour, limit, Amount{Tokens: 1}); ok || !r.Ends.Equal(s.ends) {
		t.Errorf("%t, until %v", ok, r.Ends)
	}
}
