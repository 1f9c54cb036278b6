package bedrockhttp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/ownfile"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

const (
	// marker is the first line of a file of WriteCredentials. A file without it holds
	// keys that are not ours.
	marker = "# securebedrock/1: keys of the bedrockhttp door, which AWS does not know. Replaced whenever keys are written."

	maxCredentials = 1 << 20
	defaultProfile = "default"

	// The comments of a profile, which hold what the AWS file format has no name for.
	commentBearer  = "# bearer = "
	commentModels  = "# models = "
	commentExpires = "# expires = "
)

// WriteCredentials writes the keys as an AWS shared credentials file, which every SDK
// reads with AWS_SHARED_CREDENTIALS_FILE. The first key is the profile default, and
// each key is a profile of its own name (AWS_PROFILE). The bearer tokens, models and
// ends of the keys stand in comments, for ReadCredentials.
//
// The file is made anew beside the old one, with mode 0600, and then renamed.
// WriteCredentials refuses a folder that others may write to, a path that is no regular
// file, and a file that it has not written: the keys of another account's file would be
// lost. Of two calls for one path at the same time, the later one's file stays.
func WriteCredentials(path string, keys ...Key) error {
	if len(keys) == 0 {
		return noKeys()
	}
	if err := errors.Join(keyFaults(keys), profileFaults(keys)); err != nil {
		return err
	}
	if err := checkPlace(path); err != nil {
		return credentialsError(path, err)
	}
	if err := ownfile.Replace(path, encodeCredentials(keys)); err != nil {
		return credentialsError(path, err)
	}
	return nil
}

// ReadCredentials reads the keys of a file of WriteCredentials, so that a server may
// keep its keys when it starts again. It refuses a file that others may read. A missing
// file is fs.ErrNotExist.
//
// What was signed before a key is read from its file is refused, since the signature may
// have been used.
func ReadCredentials(path string) ([]Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, credentialsError(path, err)
	}
	defer f.Close()
	if _, err := ownfile.Check(f); err != nil {
		return nil, credentialsError(path, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxCredentials+1))
	if err != nil {
		return nil, credentialsError(path, err)
	}
	if len(text) > maxCredentials {
		return nil, credentialsError(path, fmt.Errorf("it has more than %d bytes", maxCredentials))
	}
	keys, err := parseCredentials(text)
	if err == nil {
		err = errors.Join(keyFaults(keys), profileFaults(keys))
	}
	if err != nil {
		return nil, credentialsError(path, err)
	}
	return keys, nil
}

func credentialsError(path string, err error) error {
	return fmt.Errorf("bedrockhttp: credentials file %s: %w", path, err)
}

// checkPlace refuses a path at which a file of keys must not be made.
func checkPlace(path string) error {
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if err := ownfile.Folder(folder); err != nil {
		return err
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w; give the path of a file that does not exist", ownfile.ErrIrregular)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	first, err := bufio.NewReaderSize(f, 2*len(marker)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.TrimRight(first, "\r\n") != marker {
		return errors.New("it holds what this package has not written, perhaps the keys of an account; give the path of a file that does not exist")
	}
	return nil
}

// profileFaults refuses keys that the file cannot tell apart or cannot hold.
func profileFaults(keys []Key) error {
	var f refusal.Faults
	for i, k := range keys {
		f.Scope = fmt.Sprintf("bedrockhttp: Keys[%d].", i)
		if k.Name == defaultProfile && i > 0 {
			f.Add("Name", "%q is the profile of the first key; choose another name", defaultProfile)
		}
		if k.AccessKeyID == "" {
			f.Add("AccessKeyID", "a credentials file holds pairs for SigV4; NewKey makes one")
		}
		if slices.ContainsFunc(k.Models, func(m string) bool { return strings.ContainsAny(m, " ,\r\n\t") }) {
			f.Add("Models", "a pattern has white space or a comma")
		}
	}
	return f.Err()
}

func encodeCredentials(keys []Key) []byte {
	var b bytes.Buffer
	b.WriteString(marker + "\n")
	for i, k := range keys {
		profiles := []string{k.Name}
		if i == 0 && k.Name != defaultProfile {
			profiles = []string{defaultProfile, k.Name}
		}
		for _, profile := range profiles {
			fmt.Fprintf(&b, "\n[%s]\n", profile)
			if profile == k.Name {
				if k.Bearer != "" {
					fmt.Fprintf(&b, "%s%s\n", commentBearer, k.Bearer)
				}
				if len(k.Models) > 0 {
					fmt.Fprintf(&b, "%s%s\n", commentModels, strings.Join(k.Models, ","))
				}
				if !k.Expires.IsZero() {
					fmt.Fprintf(&b, "%s%s\n", commentExpires, k.Expires.UTC().Format(time.RFC3339Nano))
				}
			}
			fmt.Fprintf(&b, "aws_access_key_id = %s\naws_secret_access_key = %s\n", k.AccessKeyID, k.SecretAccessKey)
		}
	}
	return b.Bytes()
}

// parseCredentials reads the form that encodeCredentials writes, and no other. No error
// repeats a part of the text.
func parseCredentials(text []byte) ([]Key, error) {
	lines := strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
	if lines[0] != marker {
		return nil, errors.New("its first line is not that of WriteCredentials; WriteCredentials writes the right form")
	}
	var keys []Key
	var k *Key
	for i, line := range lines[1:] {
		wrong := fmt.Errorf("line %d is not in the form of WriteCredentials", i+2)
		name, opens := strings.CutPrefix(line, "[")
		switch {
		case line == "":
		case opens:
			keys = append(keys, Key{Name: strings.TrimSuffix(name, "]")})
			k = &keys[len(keys)-1]
		case k == nil:
			return nil, wrong
		default:
			if !readKeyLine(k, line) {
				return nil, wrong
			}
		}
	}
	// The profile default repeats the key that comes next.
	if len(keys) > 1 && keys[0].Name == defaultProfile && keys[0].AccessKeyID == keys[1].AccessKeyID && keys[0].SecretAccessKey == keys[1].SecretAccessKey {
		keys = keys[1:]
	}
	if len(keys) == 0 {
		return nil, errors.New("it holds no key")
	}
	return keys, nil
}

// readKeyLine reads a line of a profile into its key.
func readKeyLine(k *Key, line string) bool {
	for prefix, set := range map[string]func(string) bool{
		commentBearer: func(v string) bool { k.Bearer = v; return true },
		commentModels: func(v string) bool { k.Models = strings.Split(v, ","); return true },
		commentExpires: func(v string) bool {
			var err error
			k.Expires, err = time.Parse(time.RFC3339Nano, v)
			return err == nil
		},
		"aws_access_key_id = ":     func(v string) bool { k.AccessKeyID = v; return true },
		"aws_secret_access_key = ": func(v string) bool { k.SecretAccessKey = v; return true },
	} {
		if value, ok := strings.CutPrefix(line, prefix); ok {
			return set(value)
		}
	}
	return false
}
