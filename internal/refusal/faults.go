package refusal

import (
	"errors"
	"fmt"
)

// Faults collects what is wrong with a configuration, so that all of it is reported
// at once. Each fault wraps Config and names its field. The zero value is empty.
type Faults struct {
	// Scope is written before each field as it stands: "Role.", "profiles: ".
	Scope string

	list []error
}

// Add notes a fault of a field. format may hold %w.
func (f *Faults) Add(field, format string, args ...any) {
	f.list = append(f.list, &FieldFault{Field: f.Scope + field, Err: fmt.Errorf(format, args...)})
}

// FieldFault is what is wrong with one field. It wraps Config.
type FieldFault struct {
	Field string // with the list's scope: "Role.ARN"
	Err   error  // what is wrong, without the field's name
}

// Error says that the configuration is invalid, the field, and what is wrong.
func (f *FieldFault) Error() string { return Config.Error() + ": " + f.Field + ": " + f.Err.Error() }

// Unwrap returns Config and what the fault itself wraps.
func (f *FieldFault) Unwrap() []error { return []error{Config, f.Err} }

// Join takes over the faults that others have found. Nil is none.
func (f *Faults) Join(errs ...error) {
	for _, err := range errs {
		if err != nil {
			f.list = append(f.list, err)
		}
	}
}

// Err returns all faults joined, in the order in which they were found; nil for none.
func (f *Faults) Err() error { return errors.Join(f.list...) }

// Fault is a single fault of a field.
func Fault(field, format string, args ...any) error {
	var f Faults
	f.Add(field, format, args...)
	return f.list[0]
}
