package audit

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"syscall"
	"time"

	"go.uber.org/zap/zapcore"
)

const (
	probe  = "securebedrock audit: a probe that is not written"
	probes = 4096
)

// longAgo is the time of a probe entry. A sampler counts the entries of a message
// until its interval after the first entry is over. An entry from before all others
// begins no interval.
func longAgo() time.Time { return time.Unix(-1<<30, 0) }

// unsampled returns a core without zap's samplers, whose Check drops entries.
// Calling Write of every core would not do: a sampler's Write keeps all entries,
// and the Write of other cores, such as those with hooks, writes nothing. Zap does
// not export the types. A type that zap renames is found by droppedBy.
func unsampled(core zapcore.Core) zapcore.Core {
	switch reflect.TypeOf(core).String() {
	case "*zapcore.sampler":
		if inner, ok := embedded(core); ok {
			return unsampled(inner)
		}
	case "*zapcore.hooked":
		if inner, ok := embedded(core); ok {
			return hooked{Core: core, inner: unsampled(inner)}
		}
	case "*zapcore.lazyWithCore":
		if with := core.With(nil); reflect.TypeOf(with) != reflect.TypeOf(core) {
			return unsampled(with)
		}
	case "zapcore.multiCore":
		list := reflect.ValueOf(core)
		cores := make([]zapcore.Core, list.Len())
		for i := range cores {
			inner, ok := list.Index(i).Interface().(zapcore.Core)
			if !ok {
				return core
			}
			cores[i] = unsampled(inner)
		}
		return tee{zapcore.NewTee(cores...), cores}
	}
	return core
}

// embedded returns the Core that a zap struct embeds.
func embedded(core zapcore.Core) (zapcore.Core, bool) {
	v := reflect.ValueOf(core)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil, false
	}
	f := v.Elem().FieldByName("Core")
	if !f.IsValid() || !f.CanInterface() {
		return nil, false
	}
	inner, ok := f.Interface().(zapcore.Core)
	return inner, ok && inner != nil
}

// hooked is a core of zapcore.RegisterHooks over another core than its own.
type hooked struct {
	zapcore.Core // its Write only runs the hooks
	inner        zapcore.Core
}

func (h hooked) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if checked := h.inner.Check(e, ce); checked != nil {
		return checked.AddCore(e, h.Core)
	}
	return ce
}

type tee struct {
	zapcore.Core
	cores []zapcore.Core
}

// droppedBy looks for a sampler or a filter in a core and in the cores inside it. A
// sampler or filter takes one entry and does not take many entries like it.
func droppedBy(core zapcore.Core) error {
	switch c := core.(type) {
	case tee:
		for _, inner := range c.cores {
			if err := droppedBy(inner); err != nil {
				return err
			}
		}
		return nil
	case hooked:
		return droppedBy(c.inner)
	}
	for _, level := range []zapcore.Level{zapcore.InfoLevel, zapcore.WarnLevel} {
		entry := zapcore.Entry{Level: level, Time: longAgo(), Message: probe}
		if core.Check(entry, nil) == nil {
			continue // a core for other levels
		}
		for range probes {
			if core.Check(entry, nil) == nil {
				return fmt.Errorf("%w: a %T samples entries of level %s; give the audit a logger without it (zap.Config.Sampling nil, no zap.IncreaseLevel over a sampler)",
					ErrDropped, core, level)
			}
		}
	}
	return nil
}

// unsyncable reports whether the only fault is that a file cannot be synced. Linux
// returns this error for a terminal, a pipe or a socket.
func unsyncable(err error) bool {
	if err == nil {
		return false
	}
	if several, ok := err.(interface{ Errors() []error }); ok { // the errors of several cores
		return !slices.ContainsFunc(several.Errors(), func(err error) bool { return !unsyncable(err) })
	}
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTTY) || errors.Is(err, syscall.ENOTSUP)
}
