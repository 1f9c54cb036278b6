package shapes

//go:generate go run ../../../../internal/runtimemodel/gen

// shapeKind is what a value of a shape is on the wire.
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

// shape is a type of the API with its constraints. min and max bound a number's
// value, and the length of anything else.
type shape struct {
	kind     shapeKind
	union    bool
	min, max *float64
	pattern  string
	enum     []string
	members  []member
	element  string // of a list, and of a map the value
	key      string
}

// member is a member of a structure. Without a location it is in the body.
type member struct {
	name, shape    string
	required       bool
	location, wire string
}

func at(n float64) *float64 { return &n }
