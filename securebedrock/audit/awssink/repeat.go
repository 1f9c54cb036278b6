package awssink

import "github.com/securebedrock/securebedrock-go/securebedrock/audit"

var _ audit.Repeater = (*Sink)(nil)

// MayRepeat implements audit.Repeater: what was not answered is sent again, and both
// services may have stored it.
func (s *Sink) MayRepeat() bool { return true }
