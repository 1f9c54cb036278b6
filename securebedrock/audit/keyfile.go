package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/securebedrock/securebedrock-go/internal/ownfile"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// keysSchema names the form of encoded keys.
const keysSchema = "securebedrock.audit.keys/1"

// maxKeys bounds the bytes of encoded keys.
const maxKeys = 1 << 20

// encodedKeys is the form of keys in a file or a secrets manager.
type encodedKeys struct {
	Schema  string            `json:"schema"`
	MAC     []encodedKey      `json:"mac"` // the last is in use
	Signers map[string][]byte `json:"signers,omitempty"`
	Signer  *encodedSigner    `json:"signer,omitempty"`
}

type encodedKey struct {
	ID     string `json:"id"`
	Secret []byte `json:"secret"`
}

type encodedSigner struct {
	ID   string `json:"id"`
	Seed []byte `json:"seed"`
}

// Encode returns k as JSON for a secrets manager, including the secrets. The error
// wraps securebedrock.ErrConfig if k has faults.
func (k Keys) Encode() ([]byte, error) {
	if err := k.check(false); err != nil {
		return nil, err
	}
	k = k.clone()
	e := encodedKeys{Schema: keysSchema, Signers: map[string][]byte{}}
	for _, key := range k.MAC {
		e.MAC = append(e.MAC, encodedKey(key))
	}
	for id, public := range k.Signers {
		e.Signers[id] = public
	}
	if k.Signer.ID != "" {
		e.Signer = &encodedSigner{ID: k.Signer.ID, Seed: k.Signer.Key.Seed()}
	}
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(text, '\n'), nil
}

// ParseKeys reads the result of Encode. It refuses unknown fields, doubled IDs,
// short secrets and trailing text. No error contains a part of the text.
func ParseKeys(text []byte) (Keys, error) {
	refuse := func(what string) (Keys, error) {
		return Keys{}, fmt.Errorf("%w: audit: the keys %s; Keys.Encode and Keys.Save write the right form", securebedrock.ErrConfig, what)
	}
	if len(text) > maxKeys {
		return refuse(fmt.Sprintf("have %d bytes; at most %d are read", len(text), maxKeys))
	}
	var e encodedKeys
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	// A JSON error can repeat a part of the text, and so of a secret.
	if err := d.Decode(&e); err != nil {
		return refuse(fmt.Sprintf("are not JSON of the right form before byte %d", d.InputOffset()))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return refuse(fmt.Sprintf("are followed by other text at byte %d", d.InputOffset()))
	}
	if e.Schema != keysSchema {
		return refuse(fmt.Sprintf("have another schema than %q", keysSchema))
	}
	k := Keys{Signers: map[string]ed25519.PublicKey{}}
	for _, key := range e.MAC {
		k.MAC = append(k.MAC, Key(key))
	}
	for id, public := range e.Signers {
		k.Signers[id] = public
	}
	if e.Signer != nil {
		if len(e.Signer.Seed) != ed25519.SeedSize {
			return refuse(fmt.Sprintf("have a signer whose seed is not of %d bytes", ed25519.SeedSize))
		}
		k.Signer = Signer{ID: e.Signer.ID, Key: ed25519.NewKeyFromSeed(e.Signer.Seed)}
	}
	if err := k.check(false); err != nil {
		return Keys{}, err
	}
	return k.clone(), nil
}

// Save writes the keys to a new file that only its owner can read or write (0600).
// Save fails with fs.ErrExist if path exists: a log whose keys are overwritten can
// never be verified. To store rotated keys, save them beside the old file and
// rename the new file.
func (k Keys) Save(path string) error {
	text, err := k.Encode()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("audit: %w", errors.Join(err, os.Remove(path)))
	}
	return nil
}

// LoadKeys reads a file of Save. On systems with mode bits, LoadKeys refuses a file
// that others than its owner can read or write. A missing file is fs.ErrNotExist.
func LoadKeys(path string) (Keys, error) {
	f, err := os.Open(path)
	if err != nil {
		return Keys{}, fmt.Errorf("audit: %w; GenerateKeys().Save(%q) makes it once", err, path)
	}
	defer f.Close()
	if _, err := ownfile.Check(f); err != nil {
		return Keys{}, fmt.Errorf("audit: %s: %w", path, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeys+1))
	if err != nil {
		return Keys{}, fmt.Errorf("audit: %w", err)
	}
	k, err := ParseKeys(text)
	if err != nil {
		return Keys{}, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}
