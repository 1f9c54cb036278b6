package otelbedrock

import (
	"testing"
)

func TestAMemoIsBounded(t *testing.T) {
	var m memo[int, int]
	for i := range 2 * memoLimit {
		if got := m.get(i, func() int { return -i }); got != -i {
			t.Fatalf("%d: %d", i, got)
		}
	}
	n := 0
	m.values.Range(func(any, any) bool { n++; return true })
	if n != memoLimit {
		t.Errorf("%d values are kept", n)
	}
	if m.get(0, func() int { return 1 }) != 0 {
		t.Error("a kept value was made again")
	}
}
