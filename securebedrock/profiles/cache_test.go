package profiles

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// script is a cache whose questions a test answers.
func script(limit int, answer func(profile string) ([]string, time.Duration, error)) (*cache, map[string]int) {
	asked := make(map[string]int)
	return &cache{limit: limit, timeout: time.Minute, ask: func(_ context.Context, profile string) ([]string, time.Duration, error) {
		asked[profile]++
		return answer(profile)
	}}, asked
}

func TestCacheKeepsAnswersForTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, asked := script(8, func(profile string) ([]string, time.Duration, error) {
			if profile == "system" {
				return []string{"a"}, defaultSystemTTL, nil
			}
			return []string{"b"}, defaultApplicationTTL, nil
		})
		get := func() {
			for _, p := range []string{"system", "own"} {
				if _, err := c.get(t.Context(), p); err != nil {
					t.Fatal(err)
				}
			}
		}
		at := func(want map[string]int) {
			t.Helper()
			get()
			if fmt.Sprint(asked) != fmt.Sprint(want) {
				t.Errorf("asked %v, want %v", asked, want)
			}
		}
		at(map[string]int{"system": 1, "own": 1})
		time.Sleep(defaultApplicationTTL - time.Nanosecond)
		at(map[string]int{"system": 1, "own": 1})
		time.Sleep(time.Nanosecond)
		at(map[string]int{"system": 1, "own": 2})
		time.Sleep(defaultSystemTTL - defaultApplicationTTL - time.Nanosecond)
		at(map[string]int{"system": 1, "own": 3})
		time.Sleep(time.Nanosecond)
		at(map[string]int{"system": 2, "own": 3})
	})
}

func TestCacheForgetsFailuresAfterASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		fails := true
		c, asked := script(8, func(string) ([]string, time.Duration, error) {
			if fails {
				return nil, 0, down
			}
			return []string{"a"}, time.Hour, nil
		})
		for range 5 {
			if got, err := c.get(t.Context(), "p"); !errors.Is(err, down) || got != nil {
				t.Fatalf("got %v, %v", got, err)
			}
		}
		fails = false
		if asked["p"] != 1 {
			t.Errorf("asked %d times within a second", asked["p"])
		}
		time.Sleep(failureTTL)
		if got, err := c.get(t.Context(), "p"); err != nil || !slices.Equal(got, []string{"a"}) {
			t.Errorf("after a second: got %v, %v", got, err)
		}
	})
}

// Failures never push out answers, and answers push out those that end first.
func TestCacheIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, asked := script(3, func(profile string) ([]string, time.Duration, error) {
			switch profile[0] {
			case 's':
				return []string{"a"}, 24 * time.Hour, nil
			case 'o':
				return []string{"a"}, time.Minute, nil
			}
			return nil, 0, errors.New("no")
		})
		get := func(profiles ...string) {
			for _, p := range profiles {
				_, _ = c.get(t.Context(), p)
			}
		}
		get("s1", "s2", "o1")
		for i := range 1000 {
			get(fmt.Sprint("x", i))
		}
		if n := len(c.entries); n != 3 {
			t.Errorf("%d entries are kept, want 3", n)
		}
		get("s1", "s2")
		if asked["s1"] != 1 || asked["s2"] != 1 {
			t.Errorf("failures pushed out answers: %d, %d", asked["s1"], asked["s2"])
		}
	})
}

func TestCacheWithACallerWhoHasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, asked := script(3, func(string) ([]string, time.Duration, error) { return []string{"a"}, time.Hour, nil })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.get(ctx, "p")
		synctest.Wait()
		if !errors.Is(err, context.Canceled) || len(asked) != 0 {
			t.Errorf("got %v, asked %v", err, asked)
		}
	})
}
