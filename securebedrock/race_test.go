//go:build race

package securebedrock

// raceEnabled: the race detector makes sync.Pool forget at random.
const raceEnabled = true
