package strictjson

import "bytes"

// keyStack finds keys that stand twice. The keys of all open objects share one slice.
// An object with many keys gets a map, so that the time stays linear.
type keyStack struct{ keys [][]byte }

// manyKeys is the number of keys up to which comparing each with all is the fastest.
const manyKeys = 16

type openKeys struct {
	base int // where the object's keys begin in the stack
	many map[string]struct{}
}

func (k *keyStack) open() openKeys { return openKeys{base: len(k.keys)} }

func (k *keyStack) close(o openKeys) { k.keys = k.keys[:o.base] }

// add adds a key, which stays valid as long as the body. It returns false if the
// object has the key.
func (k *keyStack) add(o *openKeys, key []byte) bool {
	if o.many != nil {
		if _, found := o.many[string(key)]; found {
			return false
		}
		o.many[string(key)] = struct{}{}
		return true
	}
	have := k.keys[o.base:]
	for _, other := range have {
		if bytes.Equal(other, key) {
			return false
		}
	}
	k.keys = append(k.keys, key)
	if len(have) == manyKeys {
		o.many = make(map[string]struct{}, 4*manyKeys)
		for _, other := range k.keys[o.base:] {
			o.many[string(other)] = struct{}{}
		}
	}
	return true
}
