package audit

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Images, documents, audio, video and other encoded data are withheld from a text or a
// JSON document before it is stored. A word in brackets replaces each of them. A Block
// holds its kind, format, size and digest.

const (
	kindDocument = "document"
	kindData     = "data" // encoded data whose bytes do not tell a kind

	shortestEncoded = 256 // length from which a run of base64 counts as data
	shortestKnown   = 32  // length from which a run is searched for a known format
	shortestArray   = 64  // length from which an array of bytes counts as data
	deepest         = 4   // levels of JSON documents within strings of JSON documents
)

// medium is an image, document, recording, film or other encoded data that was
// withheld.
type medium struct {
	kind, format string
	data         []byte
	digest       string // set if the digest was made early and data dropped
	size         int    // of data
}

// withholder removes media from what is to be stored.
type withholder struct {
	found []medium
	of    string // the kind of media without a known kind
	plain bool   // the JSON is a schema, whose names tell nothing about media
	cut   bool   // the text is only a beginning
	depth int
}

func (w *withholder) take(m medium) string {
	if m.kind == kindData && w.of != "" {
		m.kind = w.of
	}
	m.size = len(m.data)
	w.found = append(w.found, m)
	return "[" + strings.ToUpper(m.kind) + "]"
}

// json removes media from a parsed document, in place.
func (w *withholder) json(v any) any {
	switch v := v.(type) {
	case string:
		return w.text(v)
	case []any:
		if data, ok := bytesOf(v); ok {
			return w.take(known(data, kindData))
		}
		for i := range v {
			v[i] = w.json(v[i])
		}
	case map[string]any:
		kind := fold(wordOf(v, "type"))
		for _, key := range sortedKeys(v) {
			member := w.member(v, kind, key)
			delete(v, key)
			v[w.text(key)] = member
		}
	}
	return v
}

// member returns a member of an object without its media. The name of the member
// and the type of the object tell what it holds.
func (w *withholder) member(object map[string]any, kind, key string) any {
	v := object[key]
	name := fold(key)
	if w.plain {
		return w.json(v)
	}
	switch name {
	case "tools", "toolconfig": // schemas name arguments and hold none
		w.plain = true
		v = w.json(v)
		w.plain = false
		return v
	case "documents", "searchresults": // Cohere, AI21: passages, and lists for rerank
		if list, ok := v.([]any); ok {
			for i := range list {
				list[i] = w.whole(list[i], "")
			}
			return list
		}
		return w.whole(v, "")
	case "document": // Nova, and Converse's form
		if o, ok := v.(map[string]any); ok && o["source"] != nil {
			o["source"] = w.whole(o["source"], wordOf(o, "format"))
			return w.json(o)
		}
		return w.whole(v, "")
	case "searchresult":
		if o, ok := v.(map[string]any); ok {
			o["content"] = w.whole(o["content"], "")
		}
		return w.json(v)
	case "source": // Anthropic
		switch kind {
		case "document":
			return w.whole(v, "")
		case "image", "audio", "video":
			return w.encoded(v, kind, false)
		}
	case "content":
		if kind == "searchresult" || kind == "document" {
			return w.whole(v, "")
		}
	case "filedata", "citedtext":
		return w.whole(v, "")
	case "file":
		if kind == "file" || kind == "inputfile" {
			return w.whole(v, "")
		}
	}
	if medium, sure := encodedIn(object, name); medium != "" {
		return w.encoded(v, medium, sure)
	}
	return w.json(v)
}

// encodedIn recognizes the names under which bodies hold data in base64. It returns
// the kind of the medium, and whether the member can hold nothing else.
func encodedIn(object map[string]any, name string) (kind string, sure bool) {
	switch name {
	case "bytes", "base64", "base64string", "b64json":
		return kindData, true
	case "data":
		if fold(wordOf(object, "type")) == "base64" {
			return kindData, true
		}
		for key := range object { // input_audio and the like
			if key := fold(key); key == "mediatype" || key == "mimetype" || key == "format" {
				return kindData, false
			}
		}
		return "", false
	}
	for _, kind := range []string{"image", "audio", "video", "mask"} {
		if strings.Contains(name, kind) {
			if kind == "mask" {
				kind = "image"
			}
			return kind, false
		}
	}
	return "", false
}

// encoded removes the strings of a value that holds data in base64. If sure is
// false, only strings in the form of base64 are removed.
func (w *withholder) encoded(v any, kind string, sure bool) any {
	switch v := v.(type) {
	case string:
		end, size := run(v, 0)
		if sure && v != "" || size >= 16 && strings.TrimSpace(v[end:]) == "" {
			data, _ := decode(v)
			return w.take(known(data, kind))
		}
		return w.text(v)
	case []any:
		if data, ok := bytesOf(v); ok {
			return w.take(known(data, kind))
		}
		for i := range v {
			v[i] = w.encoded(v[i], kind, sure)
		}
		return v
	case map[string]any:
		outer := w.of
		w.of = kind
		defer func() { w.of = outer }()
		if s, ok := v["content"].(string); ok { // audioOutput.content
			v["content"] = w.encoded(s, kind, false)
		}
		return w.json(v)
	}
	return w.json(v)
}

// whole removes a document, in whatever form its text is given.
func (w *withholder) whole(v any, format string) any {
	var data []byte
	switch d := v.(type) {
	case nil:
		return nil
	case string:
		data = []byte(d)
		if _, tail, ok := dataURL(d); ok {
			data = tail
		}
	case map[string]any:
		s, ok := d["data"].(string)
		if !ok {
			s, ok = d["bytes"].(string)
		}
		if raw, is := decode(s); is && ok && fold(wordOf(d, "type")) != "text" {
			data = raw
		} else if ok {
			data = []byte(s)
		} else if s, ok := d["text"].(string); ok && len(d) == 1 {
			data = []byte(s)
		}
	}
	if data == nil {
		data = []byte(writeJSON(v))
	}
	m := known(data, kindDocument)
	if m.kind = kindDocument; m.format == "" {
		m.format = documentFormat(format)
	}
	return w.take(m)
}

// text removes media from a text: data URLs, base64, and JSON that holds some.
func (w *withholder) text(s string) string {
	if len(s) < shortestKnown && !strings.Contains(s, ":") {
		return s
	}
	if head := strings.TrimSpace(s); w.depth < deepest && head != "" && (head[0] == '{' || head[0] == '[') {
		if v, ok := parseJSON([]byte(s)); ok {
			before := len(w.found)
			w.depth++
			v = w.json(v)
			w.depth--
			if len(w.found) > before {
				return writeJSON(v)
			}
			return s
		}
	}
	var b strings.Builder
	done := 0
	for i := 0; i < len(s); {
		m, end, ok := w.at(s, i)
		if ok {
			b.WriteString(s[done:i])
			b.WriteString(w.take(m))
			done = end
		}
		i = max(end, i+1)
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// at finds a medium that begins at i, and returns the position at which to
// continue.
func (w *withholder) at(s string, i int) (m medium, end int, ok bool) {
	if s[i]|0x20 == 'd' && len(s) >= i+5 && strings.EqualFold(s[i:i+5], "data:") {
		if end := endOfURL(s, i); end > 0 {
			kind, data, _ := dataURL(s[i:end])
			return known(data, kind), end, true
		}
	}
	end, size := run(s, i)
	if size < shortestKnown {
		return medium{}, end, false
	}
	kind := ""
	if size >= shortestEncoded || w.cut && end == len(s) {
		kind = kindData
	}
	data, decodes := decode(s[i:end])
	m = known(data, kind)
	if !decodes { // words may follow the data
		begin, _ := decode(s[i : i+shortestKnown])
		told := known(begin, kind)
		m.kind, m.format = told.kind, told.format
	}
	if m.kind == "" { // the next line may begin a known format
		end, _ = line(s, i)
		m.kind, m.format = within(s[i:end])
	}
	return m, end, m.kind != ""
}

// within finds the beginning of a known format inside a run of letters.
func within(s string) (kind, format string) {
	for _, magic := range [...]string{"iVBORw0KGg", "R0lGODlh", "R0lGODdh", "/9j/4", "UklGR", "JVBERi0", "UEsDB", "T2dnUw", "ZkxhQw"} {
		if i := strings.Index(s, magic); i >= 0 {
			begin, _ := decode(s[i:min(len(s), i+shortestKnown)])
			m := known(begin, kindData)
			return m.kind, m.format
		}
	}
	return "", ""
}

// run finds the run of base64 that begins at i. It accepts both alphabets and the
// escapes of JSON and URLs. It returns the end of the run and the number of its
// characters. Lines of one length are one run; the first and the last line may have
// other lengths.
func run(s string, i int) (end, size int) {
	end, size = line(s, i)
	if size < shortestKnown {
		return end, size
	}
	for width := 0; ; {
		next, length := line(s, end+space(s[end:]))
		if width == 0 && length >= shortestKnown {
			width = length
		}
		if length == 0 || length > width {
			return end, size
		}
		end, size = next, size+length
		if length < width {
			return end, size
		}
	}
}

func line(s string, i int) (end, size int) {
	for end = i; end < len(s); size++ {
		n := unit(s[end:])
		if n == 0 {
			break
		}
		end += n
	}
	for size > 0 && end < len(s) && s[end] == '=' {
		end, size = end+1, size+1
	}
	return end, size
}

// unit returns the length of a base64 character at the beginning of s.
func unit(s string) int {
	c := s[0]
	if alnum(c) || c == '+' || c == '/' || c == '-' || c == '_' {
		return 1
	}
	for _, escape := range [...]string{`\/`, `\u002b`, `\u002f`, `\u003d`, "%2b", "%2f", "%3d"} {
		if (c == '\\' || c == '%') && len(s) >= len(escape) && strings.EqualFold(s[:len(escape)], escape) {
			return len(escape)
		}
	}
	return 0
}

// space returns the length of what can stand between two lines.
func space(s string) int {
	n := 0
	for n < len(s) && n < 16 {
		switch {
		case s[n] == ' ' || s[n] == '\t' || s[n] == '\r' || s[n] == '\n':
			n++
		case strings.HasPrefix(s[n:], `\n`) || strings.HasPrefix(s[n:], `\r`):
			n += 2
		default:
			return n
		}
	}
	return n
}

// endOfURL returns the end of the data URL at i, or zero if there is none.
func endOfURL(s string, i int) int {
	comma := strings.IndexByte(s[i:min(len(s), i+256)], ',')
	if comma < 0 {
		return 0
	}
	head := s[i : i+comma]
	if strings.ContainsAny(head, " \t\r\n") || !strings.Contains(head, "/") && !strings.Contains(head, ";") {
		return 0
	}
	start := i + comma + 1
	if isBase64(head) {
		end, _ := run(s, start)
		return end
	}
	if i == 0 { // a data URL may hold an SVG with its spaces
		return len(s)
	}
	if n := strings.IndexAny(s[start:], " \t\r\n\"'<>)"); n >= 0 {
		return start + n
	}
	return len(s)
}

// isBase64 reports whether the head of a data URL declares base64.
func isBase64(head string) bool {
	return strings.HasSuffix(strings.ToLower(head), ";base64")
}

// dataURL splits a data URL into its kind and its data.
func dataURL(s string) (kind string, data []byte, ok bool) {
	head, tail, ok := strings.Cut(s, ",")
	if !ok || len(head) < 5 || !strings.EqualFold(head[:5], "data:") {
		return "", nil, false
	}
	data = []byte(tail)
	if isBase64(head) {
		data, _ = decode(tail)
	}
	kind = kindData
	for _, k := range []string{"image", "audio", "video"} {
		if strings.HasPrefix(strings.ToLower(head[5:]), k+"/") {
			kind = k
		}
	}
	if kind == kindData && len(head) > 5 {
		kind = kindDocument
	}
	return kind, data, true
}

// decode decodes base64 of either alphabet. It returns any other text unchanged.
func decode(s string) (data []byte, ok bool) {
	plain := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "", `\n`, "", `\r`, "", `\/`, "/",
		`\u002b`, "+", `\u002B`, "+", `\u002f`, "/", `\u002F`, "/", `\u003d`, "=", `\u003D`, "=",
		"%2b", "+", "%2B", "+", "%2f", "/", "%2F", "/", "%3d", "=", "%3D", "=", "-", "+", "_", "/").Replace(s)
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(plain, "="))
	if err != nil {
		return []byte(s), false
	}
	return data, true
}

// known returns a medium of the kind that its bytes tell, or else of the given
// kind.
func known(data []byte, kind string) medium {
	m := medium{kind: kind, data: data}
	content, _, _ := strings.Cut(http.DetectContentType(data), ";")
	family, format, _ := strings.Cut(content, "/")
	switch {
	case family == "image" || family == "audio" || family == "video":
		m.kind, m.format = family, strings.TrimPrefix(format, "x-")
	case content == "application/ogg":
		m.kind, m.format = "audio", "ogg"
	case content == "application/pdf" || content == "application/zip" || content == "application/x-gzip":
		m.kind, m.format = kindDocument, strings.TrimPrefix(format, "x-")
	}
	return m
}

// bytesOf returns the bytes of an array of numbers, if every number is a byte.
func bytesOf(list []any) ([]byte, bool) {
	if len(list) < shortestArray {
		return nil, false
	}
	data := make([]byte, 0, len(list))
	for _, v := range list {
		n, ok := v.(json.Number)
		if !ok {
			return nil, false
		}
		b, err := strconv.ParseUint(n.String(), 10, 8)
		if err != nil {
			return nil, false
		}
		data = append(data, byte(b))
	}
	return data, true
}

// fold returns a name in a form that is the same for all models' spellings of the
// name.
func fold(name string) string {
	return strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(name, "_", ""), "-", ""))
}

func wordOf(object map[string]any, key string) string {
	s, _ := object[key].(string)
	return s
}

// documentFormat returns a format that Bedrock knows, or else the empty text.
func documentFormat(s string) string {
	if slices.Contains([]string{"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"}, s) {
		return s
	}
	return ""
}
