package bedrockhttp

import "errors"

// WriteCredentials writes an AWS shared credentials file with the keys.
func WriteCredentials(path string, keys ...Key) error { return errors.New("not yet") }

// ReadCredentials reads a file of WriteCredentials.
func ReadCredentials(path string) ([]Key, error) { return nil, errors.New("not yet") }
