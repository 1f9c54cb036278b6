// Package shapes checks requests against the constraints of Bedrock's API model:
// required members, lengths, ranges, patterns, enums and unions.
package shapes

//go:generate go run ../../../../internal/runtimemodel/gen

// shapeKind is how a value of a shape is written.
type shapeKind int

const (
	isOther shapeKind = iota // a boolean, a time, a document
	isStructure
	isList
	isMap
	isString
	isNumber
	isBlob
)

// shape is a type of the API with its constraints. min and max bound the value of a
// number and the length of anything else.
type shape struct {
	kind     shapeKind
	union    bool
	min, max *float64
	pattern  string
	enum     []string
	members  []member
	element  string // of a list's elements, or of a map's values
	key      string
}

// member is a member of a structure. An empty location means the body.
type member struct {
	name, shape    string
	required       bool
	location, wire string
}

func bound(n float64) *float64 { return &n }
