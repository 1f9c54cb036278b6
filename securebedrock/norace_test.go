//go:build !race

package securebedrock

const raceEnabled = false
