package awssink

import "github.com/securebedrock/securebedrock-go/securebedrock/audit"

var _ audit.Repeater = (*Sink)(nil)

// MayRepeat implements audit.Repeater. A request without an answer is sent again, and
// the service may have stored its records already.
func (s *Sink) MayRepeat() bool { return true }
