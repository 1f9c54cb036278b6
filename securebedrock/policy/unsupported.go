package policy

import "errors"

// ErrUnsupported says that Decide, Explain or Diff does not understand a part of a
// document or of a request. It is never a verdict. The error names the document, the
// statement and the part.
var ErrUnsupported = errors.New("policy: not understood, so not decided")
