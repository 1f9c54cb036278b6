package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// keySet is the file of keys. In earnest the secrets come from a secrets manager,
// and who verifies has the signer's public key alone beside the MAC keys.
type keySet struct {
	MAC    []audit.Key `json:"mac"` // the last is in use; to rotate, append one
	Signer struct {
		ID   string `json:"id"`
		Seed []byte `json:"seed"`
	} `json:"signer"`
}

func (k *keySet) current() audit.Key { return k.MAC[len(k.MAC)-1] }

func (k *keySet) signer() audit.Signer {
	return audit.Signer{ID: k.Signer.ID, Key: ed25519.NewKeyFromSeed(k.Signer.Seed)}
}

func (k *keySet) verification() audit.Keys {
	return audit.Keys{MAC: k.MAC, Signers: map[string]ed25519.PublicKey{
		k.Signer.ID: k.signer().Key.Public().(ed25519.PublicKey),
	}}
}

func loadKeys(path string) (*keySet, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	k := new(keySet)
	if err := json.Unmarshal(b, k); err != nil || len(k.MAC) == 0 || len(k.Signer.Seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s holds no keys", path)
	}
	return k, nil
}

func loadOrMakeKeys(path string) (*keySet, error) {
	k, err := loadKeys(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	k = &keySet{MAC: []audit.Key{{ID: time.Now().UTC().Format("2006-01"), Secret: make([]byte, 32)}}}
	k.Signer.ID, k.Signer.Seed = "example", make([]byte, ed25519.SeedSize)
	for _, secret := range [][]byte{k.MAC[0].Secret, k.Signer.Seed} {
		_, _ = rand.Read(secret) // never fails
	}
	b, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	return k, os.WriteFile(path, b, 0o600)
}

// keep appends each checkpoint to a file.
func keep(path string) func(audit.Checkpoint) {
	return func(cp audit.Checkpoint) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			err = errors.Join(json.NewEncoder(f).Encode(cp), f.Close())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "audit: a checkpoint could not be kept:", err)
		}
	}
}

func readCheckpoints(path string) ([]audit.Checkpoint, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []audit.Checkpoint
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var cp audit.Checkpoint
		if err := json.Unmarshal(lines.Bytes(), &cp); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, cp)
	}
	return all, nil
}
