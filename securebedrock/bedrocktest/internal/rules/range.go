package rules

// outsideRange reports whether a number that is set lies outside a range.
func outsideRange(n *float64, low, high float64) bool { return n != nil && (*n < low || *n > high) }
