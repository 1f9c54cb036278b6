package rotatefile

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// tidy packs the rotated files and deletes those that are not kept.
func (s *Sink) tidy() {
	s.packer.Lock()
	defer s.packer.Unlock()
	files, err := Files(s.path)
	if err != nil {
		s.packErr = errors.Join(s.packErr, err)
		return
	}
	if n := len(files); n > 0 && files[n-1] == s.path {
		files = files[:n-1]
	}
	if over := len(files) - s.opts.Keep; s.opts.Keep > 0 && over > 0 {
		for _, name := range files[:over] {
			s.packErr = errors.Join(s.packErr, os.Remove(name))
		}
		files = files[over:]
	}
	if !s.opts.Compress {
		return
	}
	for _, name := range files {
		if !strings.HasSuffix(name, ".gz") {
			s.packErr = errors.Join(s.packErr, pack(name))
		}
	}
}

// packed is what failed since the last call.
func (s *Sink) packed() error {
	s.packer.Lock()
	defer s.packer.Unlock()
	err := s.packErr
	s.packErr = nil
	return err
}

// pack makes name.gz of name. Where it fails, or the process dies, name stays.
func pack(name string) (err error) {
	in, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("rotatefile: %w", err)
	}
	defer in.Close()
	temp := name + ".gz.new"
	out, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("rotatefile: %w", err)
	}
	z := gzip.NewWriter(out)
	_, err = io.Copy(z, in)
	if err = errors.Join(err, z.Close(), out.Sync(), out.Close()); err == nil {
		err = os.Rename(temp, name+".gz")
	}
	if err != nil {
		return fmt.Errorf("rotatefile: %s could not be packed: %w", name, errors.Join(err, os.Remove(temp)))
	}
	if err := os.Remove(name); err != nil {
		return fmt.Errorf("rotatefile: %w", err)
	}
	return nil
}
