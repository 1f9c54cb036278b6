package proxy

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is a certificate on disk. It is read again once its files have changed: a
// renewed certificate needs no restart.
type certificate struct {
	chain, key string
	log        *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	stamp   stamp
	looked  time.Time
}

// stamp tells one state of the two files from another.
type stamp struct {
	chain, key         time.Time
	chainSize, keySize int64
}

// lookEvery bounds how often the files are looked at.
const lookEvery = time.Second

// loadCertificate reads the files, which must fit each other.
func loadCertificate(chain, key string, log *slog.Logger) (*certificate, error) {
	c := &certificate{chain: chain, key: key, log: log}
	if err := c.read(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *certificate) read() error {
	now, err := c.look()
	if err != nil {
		return fmt.Errorf("proxy.tls: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(c.chain, c.key)
	if err != nil {
		return fmt.Errorf("proxy.tls: %s and %s: %w", c.chain, c.key, err)
	}
	c.current, c.stamp = &pair, now
	return nil
}

func (c *certificate) look() (stamp, error) {
	chain, err := os.Stat(c.chain)
	if err != nil {
		return stamp{}, err
	}
	key, err := os.Stat(c.key)
	if err != nil {
		return stamp{}, err
	}
	return stamp{chain.ModTime(), key.ModTime(), chain.Size(), key.Size()}, nil
}

// get is a tls.Config.GetCertificate. While the files cannot be read, the last good
// certificate is used.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < lookEvery {
		return c.current, nil
	}
	c.looked = time.Now()
	if now, err := c.look(); err == nil && now == c.stamp {
		return c.current, nil
	}
	if err := c.read(); err != nil {
		c.log.Warn("the renewed certificate cannot be used; the former one goes on", "error", err.Error())
	} else {
		c.log.Info("the certificate was read again")
	}
	return c.current, nil
}

// config is the TLS of the listener.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}}
}
