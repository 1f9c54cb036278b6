package audit

// For the fuzz targets.
var (
	Canonical  = canonical
	RedactJSON = redactJSON
)
